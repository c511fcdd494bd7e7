export { tellOfGlasses } from "./expire.ts";
export { type OpenGlass, selectOpenGlasses } from "./postgres.ts";
export { breakGlassEffect } from "./request.ts";
export { breakGlassRoutes } from "./routes.ts";
