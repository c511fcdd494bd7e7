export { createMetrics, type Metrics } from "./metrics.ts";
export { openApiDocument } from "./openapi.ts";
export { languageOf, problem } from "./problem.ts";
export { readBounded } from "./receive.ts";
export { type Answer, callerOf, json, type Received, type Route } from "./route.ts";
export { type ServeOptions, serve } from "./serve.ts";
