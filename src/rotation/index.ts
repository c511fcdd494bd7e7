export type { RotationParts } from "./parts.ts";
export { keysRoutes } from "./routes.ts";
export { runRotations } from "./run.ts";
