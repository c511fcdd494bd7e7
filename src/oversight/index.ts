export type { ExportDesk } from "./export.ts";
export { oversightRoutes } from "./routes.ts";
