export { openApiDocument } from "./openapi.ts";
export { waitOf } from "./prefer.ts";
export { languageOf, problem } from "./problem.ts";
export { readBounded } from "./receive.ts";
export { type Answer, callerOf, json, type Received, type Route } from "./route.ts";
export { type ServeOptions, serve } from "./serve.ts";
