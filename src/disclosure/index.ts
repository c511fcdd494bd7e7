export type { Disclosure } from "./ask.ts";
export { logAgentTurnedAway } from "./entries.ts";
export { disclosureRoutes } from "./routes.ts";
