export { serviceIssuer, withServiceKeys } from "./identity.ts";
export { mintKey } from "./key.ts";
export { insertServiceKey, replaceSecret, revokeServiceKey, type ServiceKey, selectServiceKeys } from "./postgres.ts";
export { isGranted, type Scope, scopes } from "./scopes.ts";
