export type { Merchant } from "./contracts.ts";
export { type DemoContract, type DemoWorld, demoHighlights, generateWorld } from "./world.ts";
