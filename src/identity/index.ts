export {
  type BuiltInIssuer,
  type BuiltInKey,
  builtInIssuerId,
  builtInIssuerUrl,
  createBuiltInIssuer,
  generateBuiltInKey,
  type TokenRequest,
} from "./built-in-issuer.ts";
export { tokenLifeSecondsMax } from "./claims.ts";
export { createIdentity, type Identity, type IdentityOptions, type Principal } from "./identify.ts";
export { type IssuerProfile, type SignatureAlgorithm, signatureAlgorithms } from "./issuers.ts";
export type { FetchJwks, JwksLimits } from "./jwks-fetch.ts";
export { type IdentityRefusal, identityRefusals } from "./refusal.ts";
export type { Digest } from "./verified-tokens.ts";
