export { withServiceKeys } from "./identity.ts";
export { mintKey, serviceIssuer } from "./key.ts";
export { insertServiceKey, replaceSecret, revokeServiceKey, type ServiceKey, selectServiceKeys } from "./postgres.ts";
export { isGranted, type Scope, scopes } from "./scopes.ts";
