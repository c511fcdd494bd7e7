export { forgetExpired } from "./postgres.ts";
export { repeatable } from "./routes.ts";
