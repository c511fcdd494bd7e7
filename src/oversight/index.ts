export { oversightRoutes } from "./routes.ts";
export type { SaveDesk } from "./save.ts";
