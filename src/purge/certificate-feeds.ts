/**
 * What a certificate says of acts that others record: return before deletion, the vendor's statements, legal holds, key services. Each answers what is
 * known, and where nothing is, says so: an item is never left out because nobody has anything to say of it.
 */
import type { Entry } from "../audit/index.ts";
import type { Contract } from "../contracts/index.ts";
import type { Attestation, Certificate } from "./certificate-document.ts";
import type { Facts } from "./postgres.ts";

/** What went back before anything was destroyed, and whether anybody said that it arrived. */
export function returnOf({ returned }: Facts): Certificate["returned"] {
  const { outcome, digest = null, acknowledged = null } = returned ?? {};
  const states = { acknowledged: "acknowledged", not_acknowledged: "not acknowledged", keys_unavailable: "not possible" } as const;
  return { state: outcome ? states[outcome] : "not asked", digest, acknowledged_at: acknowledged, assurance: "system-verified" };
}

/** One for each of the vendor's own systems; the vendor as a whole where none is named. */
export function attestationsOf({ vendor }: Pick<Contract, "vendor">, attested: Facts["attested"]): Attestation[] {
  return (attested ?? [{ system: vendor, attestation: null }]).map(({ system, attestation: filed }) =>
    filed
      ? {
          system,
          state: "received",
          statement: filed.digest,
          evidence: filed.evidence,
          received_at: filed.recorded,
          assurance: "attested by the vendor",
        }
      : { system, state: "not received", statement: null, evidence: null, received_at: null, assurance: "unknown" },
  );
}

/** Out of the log's own entries: the holds' rows die with the contract. `at`: when nothing could be held any more. Pure: the verifier reads them again. */
export function holdsOf(entries: readonly Entry[], at: string): Certificate["holds"] {
  const named = (event: string) => entries.filter((entry) => entry.event === event && entry.outcome.effect === "allow");
  const released = new Set(named("hold.released").map(({ facts }) => facts?.hold));
  return named("hold.placed").map(({ facts = {} }) => {
    const until = facts.expires_at === undefined ? null : String(facts.expires_at);
    const expired = until !== null && Date.parse(until) <= Date.parse(at);
    const state = released.has(facts.hold) ? "released" : expired ? "expired" : "not released";
    return { hold: String(facts.hold), scope: String(facts.scope), basis: String(facts.basis), state, until };
  });
}

/** The root key wraps share A and is not the contract's alone: no key of a key service dies with a contract. */
export function keyServicesOf(): Certificate["key_services"] {
  return [];
}

/** Of a contract whose merchant holds a third share: what became of it when the other two were gone is the merchant's word. */
export function shareCOf({ shareC = [], times }: Facts): Certificate["shares"][number] {
  const isRetired = shareC.length > 0;
  const at = (isRetired && times.share_a) || null;
  return { share: "C", place: "the merchant", state: isRetired ? "retired" : "retirement asked", at, assurance: "unknown" };
}
