/**
 * One owner asks to break a glass, another one does it:
 * request: enter → why → is it a glass, a seat, a person? → log → the request and what it is for, in one transaction. The approval opens it.
 */
import { type Approval, digestOf, type Effect, type Person, refusalOfSilence, requestApproval, saidOf } from "../approvals/index.ts";
import type { EntryDraft } from "../audit/index.ts";
import { type Contract, hasSeat, lockContract, standingAt } from "../contracts/index.ts";
import { type ContractId, ok, type Refusal, type Result, refuse } from "../kernel/index.ts";
import { enterContract, logAct, type OfficeDoor, turnDown, type Visit } from "../offices/index.ts";
import { subjectNamed } from "../records/index.ts";
import { type Glass, stageOf, waitMs } from "./glass.ts";
import { insertGlass, openGlass, selectGlasses } from "./postgres.ts";

export interface GlassAsk {
  readonly seat: Person;
  readonly purpose: string;
  /** Whose records, by the merchant's own id. */
  readonly person: { readonly type: string; readonly id: string };
  /** Default: what the contract allows at most. */
  readonly minutes: number | undefined;
}

type Meant = Pick<Glass, "seat" | "purpose" | "type" | "subject" | "minutes">;

export interface AskedGlass {
  readonly approval: Approval;
  readonly minutes: number;
  /** Something of the person is stored here. Their records may be in the merchant's own system alone; more often the id was mistyped. */
  readonly found: boolean;
}

export async function requestGlass(desk: OfficeDoor, visit: Visit, id: ContractId, ask: GlassAsk): Promise<Result<AskedGlass, Refusal>> {
  const entered = await enterContract(desk, visit, id);
  if (!entered.ok) return entered;
  const { contract, who } = entered.value;
  const refused = refusalOfSilence(visit) ?? refusalOfState(contract) ?? refusalOfUnreviewed(await selectGlasses(desk.database, id));
  const meant = refused ? refuse(refused) : await whatIsMeant(desk, contract, ask);
  if (!meant.ok) return turnDown(desk, visit, entered.value, { event: "break_glass.requested", refusal: meant.refusal });
  const { found, ...glass } = meant.value;
  const digest = digestOfGlass(contract, glass);
  await logAct(desk, visit, entered.value, {
    event: "break_glass.requested",
    outcome: { effect: "allow", code: "requested" },
    resource: { type: glass.type, records: [{ locator: glass.subject, subject: glass.subject }], fields: {} },
    facts: { contract: id, purpose: glass.purpose, minutes: glass.minutes, digest },
  });
  return desk.database.transaction(async (tx) => {
    // Of twenty who ask at once one request is made.
    await lockContract(tx, id, "update");
    const request = { contract: id, action: "break_glass", digest, by: who, now: contract.readAt, waitMs } as const;
    const approval = await requestApproval(tx, { ...request, said: saidOf(desk, visit, entered.value) });
    await insertGlass(tx, { ...glass, contract: id, id: approval.id });
    return ok({ approval, minutes: glass.minutes, found });
  });
}

/** The second owner's approval: from here its minutes run. */
export function breakGlassEffect(): Effect {
  return {
    event: "break_glass.opened",
    async facts(reader, found) {
      const glass = await glassOf(reader, found);
      return glass ? factsOf(glass) : {};
    },
    async apply(tx, approved) {
      const contract = await lockContract(tx, approved.contract, "update");
      const glass = contract && (await glassOf(tx, approved));
      if (!glass) return refuse({ code: "wrong_state" });
      // Another policy is in force than the one that the first owner read.
      if (digestOfGlass(contract, glass) !== approved.digest) return refuse({ code: "wrong_state" });
      const refusal = refusalOfState(contract) ?? refusalOfUnreviewed(await selectGlasses(tx, contract.id));
      if (refusal) return refuse(refusal);
      await openGlass(tx, glass);
      return ok(undefined);
    },
    after: ({ contract }) => Promise.resolve({ contract }),
  };
}

async function glassOf(reader: Parameters<typeof selectGlasses>[0], { contract, id }: Approval): Promise<Glass | undefined> {
  return (await selectGlasses(reader, contract)).find((glass) => glass.id === id);
}

function factsOf({ purpose, minutes }: Glass): NonNullable<EntryDraft["facts"]> {
  return { purpose, minutes };
}

function digestOfGlass(
  { id, bundleDigest }: Pick<Contract, "id" | "bundleDigest">,
  { seat, purpose, type, subject, minutes }: Meant,
): string {
  return digestOf({ act: "break_glass", contract: id, policy: bundleDigest, seat: { ...seat }, purpose, type, subject, minutes });
}

function refusalOfState(contract: Contract): Refusal | null {
  const standing = standingAt(contract, contract.readAt);
  return standing === "active" || standing === "winding_down" ? null : { code: "wrong_state" };
}

function refusalOfUnreviewed(glasses: readonly Glass[]): Refusal | null {
  const missing = glasses.filter((glass) => stageOf(glass) === "review_missing");
  if (missing.length === 0) return null;
  return {
    code: "review_missing",
    errors: missing.slice(0, 10).map(({ id }) => ({ pointer: `/break_glass/${id}`, code: "review_missing" })),
  };
}

async function whatIsMeant(
  desk: OfficeDoor,
  contract: Contract,
  { seat, purpose, person, minutes }: GlassAsk,
): Promise<Result<Meant & { readonly found: boolean }, Refusal>> {
  const { purposes } = (await desk.bundles.bundleOf(desk.database, contract.id, contract.bundleDigest)).contract;
  const most = Object.hasOwn(purposes, purpose) ? purposes[purpose]?.breakGlassMinutes : undefined;
  if (most === undefined) return unacceptable("/purpose", Object.hasOwn(purposes, purpose) ? "not_behind_glass" : "unknown");
  if (minutes !== undefined && minutes > most) return unacceptable("/minutes", "too_long");
  if (!(await hasSeat(desk.database, contract.id, seat.issuer, seat.subject))) return unacceptable("/seat", "no_seat");
  const named = await subjectNamed(desk, contract, person);
  if (typeof named === "string") return unacceptable("/person/type", named);
  return ok({ ...named, seat, purpose, type: person.type, minutes: minutes ?? most });
}

function unacceptable(pointer: string, code: string): Result<never, Refusal> {
  return refuse({ code: "unacceptable", errors: [{ pointer, code }] });
}
