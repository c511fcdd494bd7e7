/** An identity that takes each proof of possession once (RFC 9449 §11.1), in whatever process it is shown. */
import { isProven, type Presented, type PresentedWithProof, refuse } from "../kernel/index.ts";
import type { Identity, Principal } from "./identify.ts";
import type { Identified } from "./refusal.ts";

/** Remembers a proof while it could be fresh. `false` = it was remembered already. Throws if that is uncertain. */
export type SpendProof = (name: string) => Promise<boolean>;

/** A proof is spent at the request's first question; its later ones have the same answer. */
export function withSpentProofs(identity: Identity, spend: SpendProof): Identity {
  const answers = new WeakMap<PresentedWithProof, Promise<Identified<Principal>>>();
  const first = async (shown: Presented): Promise<Identified<Principal>> => {
    const who = await identity.identify(shown);
    return who.ok && who.value.proof !== undefined && !(await spend(who.value.proof)) ? refuse("proof_invalid") : who;
  };
  return {
    keyAges: identity.keyAges,
    identify(shown) {
      if (!isProven(shown)) return identity.identify(shown);
      const answer = answers.get(shown) ?? first(shown);
      answers.set(shown, answer);
      return answer;
    },
  };
}
