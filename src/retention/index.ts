export type { RetentionParts } from "./parts.ts";
export { LogNotPruned, pruneLogs } from "./prune.ts";
export { retentionRoutes } from "./routes.ts";
