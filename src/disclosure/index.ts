export type { Disclosure } from "./ask.ts";
export { disclosureRoutes } from "./routes.ts";
