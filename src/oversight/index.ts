export type { ExportDesk } from "./export.ts";
export { logRoutes } from "./log-routes.ts";
export { oversightRoutes } from "./routes.ts";
