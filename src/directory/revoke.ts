/**
 * Access taken away at once, by one person. A seat, from one agent at one contract: by an owner, or an admin of the vendor, who can give it back, but not what
 * an owner took.
 * Everywhere, from a person, a token, a signing key, a whole issuer or a vendor: by an operator, who can lift it again.
 * enter → log → written. Every request reads it with what it loads, so it holds from the next one on, in every process.
 */
import { uuidv7 } from "uuidv7";
import { actorPseudonym, type EntryDraft } from "../audit/index.ts";
import { restoreSeat, revokeSeat } from "../contracts/index.ts";
import { type ContractId, ok, type Refusal, type Result, refuse } from "../kernel/index.ts";
import { enterContract, enterOperations, logAct, type OfficeDoor, type Operating, type Visit } from "../offices/index.ts";
import {
  putRevocation,
  type Revocation,
  type Revoked,
  removeRevocation,
  selectRevocation,
  selectRevocations,
} from "../revocations/index.ts";

export const revocationReasons = ["left", "incident", "leaked", "shared", "investigation", "other"] as const;
export type RevocationReason = (typeof revocationReasons)[number];

/** Longer than any token lives, by the issuer's clock and ours. */
const tokenSecondsMax = 7_200;
const listedMax = 1_000;

export interface SeatHolder {
  readonly issuer: string;
  readonly subject: string;
}

/** `reason`: why it is taken away; `null` = it is given back. */
export async function changeSeat(
  door: OfficeDoor,
  visit: Visit,
  id: ContractId,
  holder: SeatHolder,
  reason: RevocationReason | null,
): Promise<Result<void, Refusal>> {
  const entered = await enterContract(door, visit, id);
  if (!entered.ok) return entered;
  const { actor, log } = entered.value;
  const by = actor.role === "vendor_admin" ? "vendor_admin" : "merchant_owner";
  const agent = actorPseudonym(log.pseudonymKey, { role: "agent", ...holder });
  const note = (outcome: EntryDraft["outcome"]) =>
    logAct(door, visit, entered.value, {
      event: reason === null ? "seat.restored" : "seat.revoked",
      outcome,
      facts: { contract: id, agent, ...(reason !== null && { reason }) },
    });
  await note({ effect: "allow", code: reason === null ? "restored" : "revoked" });
  const done = reason === null ? await restoreSeat(door.database, id, holder, by) : await revokeSeat(door.database, id, holder, by);
  if (done === "done") return ok(undefined);
  const refusal = done === "kept" ? notTheVendors : noSeat;
  await note({ effect: "deny", code: refusal.code });
  return refuse(refusal);
}

const noSeat = { code: "unacceptable", errors: [{ pointer: "/subject", code: "no_seat" }] } as const satisfies Refusal;
const notTheVendors = { code: "not_permitted", errors: [{ pointer: "/subject", code: "taken_by_merchant" }] } as const satisfies Refusal;

export async function revoke(
  door: OfficeDoor,
  visit: Visit,
  what: Revoked,
  reason: RevocationReason,
): Promise<Result<Revocation, Refusal>> {
  const entered = await enterOperations(door, visit);
  if (!entered.ok) return entered;
  const refusal = isOwn(entered.value, what) ? ({ code: "unacceptable", errors: [{ pointer: "", code: "own_access" }] } as const) : null;
  const id = uuidv7();
  await note(door, visit, entered.value, {
    event: "access.revoked",
    outcome: refusal ? { effect: "deny", code: refusal.code } : { effect: "allow", code: "revoked" },
    facts: { ...factsOf(entered.value, what), reason, revocation: id },
  });
  if (refusal) return refuse(refusal);
  const standing = await putRevocation(door.database, { ...what, id, reason, lifeSeconds: what.kind === "token" ? tokenSecondsMax : null });
  return standing ? ok(standing) : refuse({ code: "busy" });
}

export async function lift(door: OfficeDoor, visit: Visit, id: string): Promise<Result<Revocation, Refusal>> {
  const entered = await enterOperations(door, visit);
  if (!entered.ok) return entered;
  const standing = await selectRevocation(door.database, id);
  // The entry is durable before the lifting is: whoever is let in again finds it in the log.
  await note(door, visit, entered.value, {
    event: "access.restored",
    outcome: standing ? { effect: "allow", code: "restored" } : { effect: "deny", code: "not_found" },
    facts: standing ? { ...factsOf(entered.value, standing), revocation: id } : {},
  });
  if (!standing) return refuse({ code: "not_found" });
  await removeRevocation(door.database, id);
  return ok(standing);
}

export async function listRevocations(door: OfficeDoor, visit: Visit): Promise<Result<Revocation[], Refusal>> {
  const entered = await enterOperations(door, visit);
  if (!entered.ok) return entered;
  await note(door, visit, entered.value, { event: "revocations.listed", outcome: { effect: "allow", code: "ok" } });
  return ok(await selectRevocations(door.database, listedMax));
}

/** An operator who locks themself out could not lift it. */
function isOwn({ actor, who }: Operating, { kind, issuer, name }: Revoked): boolean {
  if (actor.role === "system" || issuer !== who.issuer) return false;
  return kind === "issuer" || (kind === "person" && name === who.subject) || (kind === "key" && name === who.keyId);
}

/** Who is meant stands under a keyed name, as everywhere in the log. */
function factsOf({ log }: Operating, { kind, issuer, name }: Revoked): Record<string, string> {
  if (kind === "vendor") return { kind, vendor: name };
  if (kind === "person") return { kind, issuer, person: actorPseudonym(log.pseudonymKey, { role: "agent", issuer, subject: name }) };
  return { kind, issuer };
}

async function note(
  door: OfficeDoor,
  { request }: Visit,
  { actor, log }: Operating,
  draft: Pick<EntryDraft, "event" | "outcome" | "facts">,
): Promise<void> {
  await door.audit.append(log, { ...draft, actor, request });
}
