export type { Disclosure } from "./disclose.ts";
export { disclosureRoutes } from "./routes.ts";
