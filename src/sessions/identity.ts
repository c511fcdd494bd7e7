/** An identity that knows people by their session's cookie as well. Not the agents' door: that takes tokens alone. */
import { fromBase64Url, sha256, toHex } from "../crypto/index.ts";
import type { Identity } from "../identity/index.ts";
import { isSession, ok, refuse } from "../kernel/index.ts";
import type { Queryable } from "../storage/index.ts";
import { type SessionLimits, useSession } from "./postgres.ts";

/** What stands where tokens name the key that signed them. */
const noKey = "session";

export function withSessions(identity: Identity, database: Queryable, limits: SessionLimits): Identity {
  return {
    keyAges: identity.keyAges,
    async identify(shown) {
      if (!isSession(shown)) return identity.identify(shown);
      const id = sessionId(shown.session);
      const used = await useSession(database, id, limits);
      if (used === "over") return refuse("token_expired");
      if (used === null) return refuse("token_invalid");
      const { issuer, subject, endsAt, isSteppedUp } = used;
      return ok({ issuer, subject, tokenId: toHex(id).slice(0, 32), keyId: noKey, expiresAt: endsAt, isSteppedUp });
    },
  };
}

/** `secret`: 43 characters of base64url, as the cookie's grammar has it. */
export function sessionId(secret: string): Uint8Array {
  return sha256(fromBase64Url(secret));
}
