export { createLoginProviders } from "./login-provider.ts";
export { directoryRoutes } from "./routes.ts";
