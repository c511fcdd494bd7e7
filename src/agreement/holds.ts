/**
 * Legal holds: one owner places one at once, two release it.
 * place: enter → who or what is meant, as this contract names it → log → written under the contract's row lock, so that it is before the purge's point
 * of no return, or refused. release: enter → log → a second owner is asked; the approval releases.
 */
import { uuidv7 } from "uuidv7";
import { type Approval, digestOf, type Effect, requestApproval, saidOf } from "../approvals/index.ts";
import type { EntryDraft } from "../audit/index.ts";
import {
  type Bundles,
  type Contract,
  type Hold,
  type HoldScope,
  insertHold,
  isStanding,
  lockContract,
  releaseHold,
  selectHolds,
  standingHolds,
} from "../contracts/index.ts";
import { type ContractId, ok, type Refusal, type Result, refuse } from "../kernel/index.ts";
import { enterContract, logAct, type OfficeDoor, turnDown, type Visit } from "../offices/index.ts";
import { subjectNamed } from "../records/index.ts";

/** At one contract, standing at once. */
const holdsMax = 100;
const dayMs = 86_400_000;
const yearsMax = 100;

export interface HoldDesk extends OfficeDoor {
  readonly bundles: Bundles;
}

export interface HoldAsk extends Pick<Hold, "basis" | "note" | "authority" | "expiresAt"> {
  readonly scope:
    | "contract"
    | { readonly subject: { readonly type: string; readonly id: string } }
    | { readonly field: { readonly type: string; readonly path: string } };
}

export interface Placed {
  readonly hold: Hold;
  /** Something of what it names is stored now. A hold may come before what it keeps; more often a name was mistyped. */
  readonly found: boolean;
}

export async function placeHold(desk: HoldDesk, visit: Visit, id: ContractId, ask: HoldAsk): Promise<Result<Placed, Refusal>> {
  const entered = await enterContract(desk, visit, id);
  if (!entered.ok) return entered;
  const { contract, who } = entered.value;
  const refused = refusalOfState(contract) ?? refusalOfExpiry(ask.expiresAt, contract.readAt);
  const meant = refused ? refuse(refused) : await scopeOf(desk, contract, ask.scope);
  if (!meant.ok) return turnDown(desk, visit, entered.value, { event: "hold.placed", refusal: meant.refusal });
  const { scope, found } = meant.value;
  const { basis, note, authority, expiresAt } = ask;
  const hold = { id: uuidv7(), contract: id, scope, basis, note, authority, placedBy: who, expiresAt };
  await logAct(desk, visit, entered.value, {
    event: "hold.placed",
    outcome: { effect: "allow", code: "placed" },
    ...whatOf(scope),
    facts: { ...factsOf(hold), basis, ...(expiresAt !== null && { expires_at: new Date(expiresAt).toISOString() }) },
  });
  const written = await desk.database.transaction<Result<Hold, Refusal>>(async (tx) => {
    const locked = await lockContract(tx, id, "update");
    const late = locked ? refusalOfState(locked) : ({ code: "wrong_state" } as const);
    if (late) return refuse(late);
    if ((await standingHolds(tx, id)).length >= holdsMax) return refuse({ code: "busy" });
    await insertHold(tx, hold);
    const kept = (await selectHolds(tx, id)).find((one) => one.id === hold.id);
    if (!kept) throw new Error("a hold that was just written is not there");
    return ok(kept);
  });
  if (!written.ok) return turnDown(desk, visit, entered.value, { event: "hold.placed", refusal: written.refusal });
  return ok({ hold: written.value, found });
}

export async function listHolds(desk: HoldDesk, visit: Visit, id: ContractId): Promise<Result<Hold[], Refusal>> {
  const entered = await enterContract(desk, visit, id);
  if (!entered.ok) return entered;
  await logAct(desk, visit, entered.value, { event: "holds.listed", outcome: { effect: "allow", code: "ok" } });
  return ok(await selectHolds(desk.database, id));
}

/** Releasing makes deleting possible again: a second owner has to agree. */
export async function requestRelease(desk: HoldDesk, visit: Visit, id: ContractId, name: string): Promise<Result<Approval, Refusal>> {
  const entered = await enterContract(desk, visit, id);
  if (!entered.ok) return entered;
  const { contract, who } = entered.value;
  const hold = (await selectHolds(desk.database, id)).find((one) => one.id === name);
  const refusal = hold ? (isStanding(hold) ? null : ({ code: "wrong_state" } as const)) : ({ code: "not_found" } as const);
  if (refusal || !hold) {
    return turnDown(desk, visit, entered.value, { event: "hold.release_requested", refusal: refusal ?? { code: "not_found" } });
  }
  const digest = releaseDigest(hold);
  await logAct(desk, visit, entered.value, {
    event: "hold.release_requested",
    outcome: { effect: "allow", code: "requested" },
    facts: { ...factsOf(hold), digest },
  });
  return desk.database.transaction(async (tx) => {
    // Of twenty who ask at once one request is made.
    await lockContract(tx, id, "update");
    const ask = { contract: id, action: "release_hold", digest, by: who, now: contract.readAt } as const;
    return ok(await requestApproval(tx, { ...ask, said: saidOf(desk, visit, entered.value) }));
  });
}

/** The second owner's approval. */
export function releaseEffect(): Effect {
  return {
    event: "hold.released",
    async facts(reader, { contract, digest }) {
      const hold = (await selectHolds(reader, contract)).find((one) => releaseDigest(one) === digest);
      return hold ? factsOf(hold) : {};
    },
    async apply(tx, { contract, digest }) {
      await lockContract(tx, contract, "update");
      const hold = (await standingHolds(tx, contract)).find((one) => releaseDigest(one) === digest);
      if (!hold) return refuse({ code: "wrong_state" });
      await releaseHold(tx, contract, hold.id);
      return ok(undefined);
    },
    after: ({ contract }) => Promise.resolve({ contract }),
  };
}

function releaseDigest({ contract, id }: Pick<Hold, "contract" | "id">): string {
  return digestOf({ act: "release_hold", contract, hold: id });
}

/** A draft holds nothing yet; past the point of no return nothing is left to hold. */
function refusalOfState({ state, irrevocable }: Contract): Refusal | null {
  if (state === "draft" || state === "purged") return { code: "wrong_state" };
  return irrevocable ? { code: "wrong_state", errors: [{ pointer: "contract", code: "keys_destroyed" }] } : null;
}

function refusalOfExpiry(expiresAt: number | null, now: number): Refusal | null {
  if (expiresAt === null) return null;
  const code = expiresAt <= now ? "passed" : expiresAt > now + yearsMax * 366 * dayMs ? "too_far" : null;
  return code ? { code: "unacceptable", errors: [{ pointer: "/expires_at", code }] } : null;
}

/** What is meant, as this contract's bundle and keys name it: a person is a locator from here on. */
async function scopeOf(
  desk: HoldDesk,
  contract: Contract,
  asked: HoldAsk["scope"],
): Promise<Result<{ readonly scope: HoldScope; readonly found: boolean }, Refusal>> {
  if (asked === "contract") return ok({ scope: { kind: "contract" }, found: true });
  if ("subject" in asked) {
    const named = await subjectNamed(desk, contract, asked.subject);
    if (typeof named === "string") return refuse({ code: "unacceptable", errors: [{ pointer: "/scope", code: named }] });
    return ok({ scope: { kind: "subject", type: asked.subject.type, subject: named.subject }, found: named.found });
  }
  const { type, path } = asked.field;
  const { resources } = await desk.bundles.bundleOf(desk.database, contract.id, contract.bundleDigest);
  const resource = Object.hasOwn(resources, type) ? resources[type] : undefined;
  const code = resource ? (Object.hasOwn(resource.fields, path) ? null : "unknown_field") : "unknown_type";
  if (code) return refuse({ code: "unacceptable", errors: [{ pointer: "/scope", code }] });
  return ok({ scope: { kind: "field", type, path }, found: true });
}

function factsOf({ contract, id, scope }: Pick<Hold, "contract" | "id" | "scope">): NonNullable<EntryDraft["facts"]> {
  return { contract, hold: id, scope: scope.kind === "field" ? `field ${scope.type}.${scope.path}` : scope.kind };
}

/** A person in the log as everywhere in it: a locator and a keyed pseudonym, by which an officer finds it. */
function whatOf(scope: HoldScope): Pick<EntryDraft, "resource"> {
  if (scope.kind !== "subject") return {};
  return { resource: { type: scope.type, records: [{ locator: scope.subject, subject: scope.subject }], fields: {} } };
}
