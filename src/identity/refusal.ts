/**
 * Why nobody was identified. One table: a code without its status does not compile.
 */
import type { Result } from "../kernel/index.ts";

export const identityRefusals = {
  /** No Authorization header. */
  token_missing: { status: 401 },
  /** Not a Bearer or DPoP header, or not the compact form, header or claims of an access token. */
  token_malformed: { status: 401 },
  /** Signed by its issuer, but its time is over, or has not come yet. */
  token_expired: { status: 401 },
  /** Readable, but not acceptable: audience, life, algorithm, unknown key, signature. */
  token_invalid: { status: 401 },
  /** It holds, but it, who holds it, or who signed it is refused everywhere. */
  token_revoked: { status: 401 },
  /** The token is bound to a key, or its issuer's must be, and that its sender has the key was not shown: no proof, a bad one, or one shown before. */
  proof_invalid: { status: 401 },
  /** `iss` is, to the letter, none of the configured ones. */
  token_unknown_issuer: { status: 401 },
  /** The issuer's keys could not be had, so nothing can be said about the token. A refusal and no fault: the dependency is named and the next request may succeed. */
  issuer_unavailable: { status: 503 },
} as const satisfies Record<string, { readonly status: 401 | 503 }>;

export type IdentityRefusal = keyof typeof identityRefusals;

export type Identified<Value> = Result<Value, IdentityRefusal>;
