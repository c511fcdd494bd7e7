/**
 * Whether a text that an issuer signed is an access token, and no other of its tokens (RFC 9068 §2.1, §5; RFC 8725 §3.11).
 * By default its header says so. Keycloak, Entra and Okta say `JWT` or nothing there: an issuer's profile may allow that, and then the claims
 * must show what an ID token has not, and nothing that an ID token has.
 */
import type { JsonObject } from "../kernel/index.ts";
import type { TokenForm } from "./token-form.ts";

/** What the header's `typ` must be: `at+jwt`, or, where the profile says `jwt`, also `JWT` and nothing. */
export type TokenType = "at+jwt" | "jwt";

/** RFC 9068 §4: both spellings, in any case. */
const accessTokenTypes: readonly string[] = ["at+jwt", "application/at+jwt"];
/** OpenID Connect Core §2, §3.3.2.11: an ID token's. */
const idTokenClaims = ["nonce", "at_hash", "c_hash", "s_hash"] as const;

export function isAccessToken({ header: { typ }, payload }: TokenForm, allowed: TokenType): boolean {
  const named = typ?.toLowerCase();
  if (named !== undefined && accessTokenTypes.includes(named)) return true;
  if (allowed !== "jwt" || (named !== undefined && named !== "jwt")) return false;
  return !idTokenClaims.some((name) => Object.hasOwn(payload, name)) && showsAccess(payload);
}

/** A scope; or, as Keycloak says, a bearer token; or a client that the token is not for: an ID token is for the client that it names. */
function showsAccess({ scp, scope, typ, azp, aud }: JsonObject): boolean {
  if (isScope(scope) || isScope(scp)) return true;
  if (typeof typ === "string" && typ.toLowerCase() === "bearer") return true;
  const audiences = Array.isArray(aud) ? aud : [aud];
  return typeof azp === "string" && azp !== "" && !audiences.includes(azp);
}

function isScope(value: JsonObject[string] | undefined): boolean {
  const scopes = Array.isArray(value) ? value : [value];
  return scopes.length > 0 && scopes.every((scope) => typeof scope === "string" && scope.trim() !== "");
}
