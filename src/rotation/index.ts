export type { RotationParts } from "./parts.ts";
export { rootKeyRoutes } from "./root-key-routes.ts";
export { keysRoutes } from "./routes.ts";
export { runRotations } from "./run.ts";
