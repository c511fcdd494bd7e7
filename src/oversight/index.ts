export { epochRoutes } from "./epoch-routes.ts";
export { logRoutes } from "./log-routes.ts";
export { type ExportManifest, type ManifestVerdict, readExportManifest, verifyExportManifest } from "./manifest.ts";
export { oversightRoutes } from "./routes.ts";
export type { SaveDesk } from "./save.ts";
