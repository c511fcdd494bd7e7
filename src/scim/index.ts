export { type DirectoryProfile, logDirectoryTurnedAway } from "./enter.ts";
export { scimRoutes } from "./routes.ts";
