export { loginCookie, noCookie, readLoginCookie, sessionCookie } from "./cookies.ts";
export { hostNames } from "./host.ts";
export { createMetrics, type Metrics } from "./metrics.ts";
export { openApiDocument } from "./openapi.ts";
export { waitOf } from "./prefer.ts";
export { languageOf, problem } from "./problem.ts";
export { idempotencyKeyPattern, readBounded, readJson, readQuery } from "./receive.ts";
export { type Answer, type BodySchema, json, type Received, type RefusalForm, type Route, type TurnedAway } from "./route.ts";
export { type ServeOptions, serve } from "./serve.ts";
