/** An identity that knows what was revoked: for every door but the agent's, whose load says it with the data. */
import type { Identity } from "../identity/index.ts";
import { refuse } from "../kernel/index.ts";
import type { Queryable } from "../storage/index.ts";
import { isRevoked } from "./postgres.ts";

export function withRevocations(identity: Identity, database: Queryable): Identity {
  return {
    keyAges: identity.keyAges,
    async identify(shown) {
      const who = await identity.identify(shown);
      return who.ok && (await isRevoked(database, who.value)) ? refuse("token_revoked") : who;
    },
  };
}
