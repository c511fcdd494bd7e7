export {
  type BuiltInIssuer,
  type BuiltInKey,
  builtInIssuerId,
  createBuiltInIssuer,
  generateBuiltInKey,
  type TokenRequest,
} from "./built-in-issuer.ts";
export { meetsDemands } from "./claims.ts";
export { createIdentity, type Identity, type IdentityOptions, type Principal, type TokenIdentity } from "./identify.ts";
export { defaultAlgorithms, type IssuerProfile, type SignatureAlgorithm } from "./issuers.ts";
export type { FetchJwks, JwksLimits } from "./jwks-fetch.ts";
export type { LoggedOut } from "./logout-token.ts";
export { type IdentityRefusal, identityRefusals } from "./refusal.ts";
export { type SpendProof, withSpentProofs } from "./spent-proofs.ts";
export type { TokenType } from "./token-type.ts";
export type { Digest } from "./verified-tokens.ts";
