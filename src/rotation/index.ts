export type { RotationParts } from "./acts.ts";
export { keysRoutes } from "./routes.ts";
export { runRotations } from "./run.ts";
