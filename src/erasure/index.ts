export { orderLapses, runLapses } from "./lapse.ts";
export type { ErasureDesk } from "./order.ts";
export { partialPurgeEffect } from "./partial.ts";
export { erasureRoutes } from "./routes.ts";
export { type ErasureParts, runErasures } from "./run.ts";
export { replayDeletions, selectUndone } from "./tombstones.ts";
