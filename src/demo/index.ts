export { dayInChina } from "./calendar.ts";
export type { Merchant } from "./contracts.ts";
export { clearWorld, findWorld, finishWorld, type Highlights, NotTheDemos } from "./directory.ts";
export { operatorText } from "./operators.ts";
export { type Ask, type SeedParts, seedWorld } from "./seed.ts";
export { tamperRoute } from "./tamper.ts";
export { tour } from "./tour.ts";
export { type DemoContract, type DemoWorld, demoHighlights, generateWorld } from "./world.ts";
