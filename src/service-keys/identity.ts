/** An identity that knows merchants' own systems by their keys. Not the agents' door: no key opens that one. */
import type { Identity } from "../identity/index.ts";
import { ok, refuse } from "../kernel/index.ts";
import type { Queryable } from "../storage/index.ts";
import { readKey, serviceIssuer } from "./key.ts";
import { useServiceKey } from "./postgres.ts";

export function withServiceKeys(identity: Identity, database: Queryable): Identity {
  return {
    keyAges: identity.keyAges,
    async identify(shown) {
      const text = typeof shown === "string" ? /^bearer (psk_[^ ]*)$/i.exec(shown)?.[1] : undefined;
      if (text === undefined) return identity.identify(shown);
      const key = readKey(text);
      const used = key && (await useServiceKey(database, key));
      if (!key || !used) return refuse("token_invalid");
      if (used === "expired") return refuse("token_expired");
      if (used === "cut_off") return refuse("token_revoked");
      const { contract, scopes, expiresAt } = used;
      return ok({ issuer: serviceIssuer, subject: key.id, tokenId: key.id, keyId: key.id, expiresAt, service: { contract, scopes } });
    },
  };
}
