/**
 * How a part of a contract's data comes to be deleted while the contract goes on, by two owners: what was not imported for so many days, or came from
 * one shop, or was handed over for one purpose; of one type or of all.
 * plan (counts, nothing changes) · request (first owner) · approval (second owner, then the contract's cooling) · the run is erasure/lapse.ts
 */
import { uuidv7 } from "uuidv7";
import { type Approval, digestOf, type Effect, refusalOfSilence, requestApproval, saidOf } from "../approvals/index.ts";
import { type Bundles, lockContract, namedHolds, selectClock, sparedBy, standingHolds } from "../contracts/index.ts";
import { type ContractId, ok, type Refusal, type Result, refuse } from "../kernel/index.ts";
import { selectKeyEpochs } from "../keys/index.ts";
import { type Entered, enterContract, logAct, type Visit } from "../offices/index.ts";
import { type AgeRules, countOlder } from "../records/index.ts";
import type { Database, Queryable } from "../storage/index.ts";
import { daysBefore, describeRules } from "./age.ts";
import type { ErasureDesk } from "./order.ts";
import { approveLapse, dropAsked, insertLapse, type Lapse, selectLapse, selectOrdered } from "./postgres-lapse.ts";
import { type Closing, closingOf } from "./receipt.ts";

export interface Part {
  /** `undefined` = whatever was written by the end of the day, in UTC. */
  readonly days?: number | undefined;
  /** As the import that wrote it last said. */
  readonly shop?: string | undefined;
  readonly purpose?: string | undefined;
  /** `undefined` = every type. */
  readonly type?: string | undefined;
}

export interface PartPlan {
  readonly rules: AgeRules;
  /** By type; what a hold spares is not counted. */
  readonly records: Readonly<Record<string, number>>;
  readonly held: boolean;
}

export async function planPart(desk: ErasureDesk, visit: Visit, id: ContractId, part: Part): Promise<Result<PartPlan, Refusal>> {
  const entered = await enterContract(desk, visit, id);
  if (!entered.ok) return entered;
  const rules = await rulesOf(desk, entered.value, part);
  const outcome = rules.ok ? ({ effect: "allow", code: "ok" } as const) : ({ effect: "deny", code: rules.refusal.code } as const);
  await logAct(desk, visit, entered.value, { event: "partial_purge.planned", outcome, facts: { contract: id } });
  if (!rules.ok) return rules;
  const spared = sparedBy(await standingHolds(desk.database, id));
  return ok({ rules: rules.value, held: spared.all, records: spared.all ? {} : await countOlder(desk.database, id, rules.value, spared) });
}

export interface PartRequested {
  readonly job: Lapse;
  /** `null` = approved already. */
  readonly approval: Approval | null;
}

/** The same twice is one job and one answer; another takes the place of one that waits for its second owner. */
export async function requestPart(
  desk: ErasureDesk,
  visit: Visit,
  id: ContractId,
  { confirm, ...part }: Part & { readonly confirm: string },
): Promise<Result<PartRequested, Refusal>> {
  const entered = await enterContract(desk, visit, id);
  if (!entered.ok) return entered;
  const unconfirmed: Refusal = { code: "unacceptable", errors: [{ pointer: "/confirm", code: "not_the_contract" }] };
  const asked: Result<AgeRules, Refusal> = confirm === id ? await rulesOf(desk, entered.value, part) : refuse(unconfirmed);
  const refusal = asked.ok ? ((await heldWhole(desk.database, id)) ?? refusalOfSilence(visit)) : asked.refusal;
  const outcome = refusal ? ({ effect: "deny", code: refusal.code } as const) : ({ effect: "allow", code: "requested" } as const);
  const facts = { contract: id, ...(asked.ok ? { older: describeRules(asked.value) } : {}) };
  await logAct(desk, visit, entered.value, { event: "partial_purge.requested", outcome, facts });
  if (!asked.ok) return asked;
  if (refusal) return refuse(refusal);
  return desk.database.transaction(async (tx) => {
    const contract = await lockContract(tx, id, "update");
    const held = await heldWhole(tx, id);
    if (!contract || held) return refuse(held ?? { code: "wrong_state" });
    const standing = await selectOrdered(tx, id);
    if (standing && standing.step !== "asked") return ok({ job: standing, approval: null });
    const isSame = standing !== null && describeRules(standing.rules).join() === describeRules(asked.value).join();
    if (standing && !isSame) await dropAsked(tx, standing);
    if (!isSame) await insertLapse(tx, { contract: id, id: uuidv7(), basis: "owners", step: "asked", rules: asked.value });
    const job = await selectOrdered(tx, id);
    if (!job) throw new Error("an order that was just written is not there");
    const ask = { contract: id, action: "partial_purge", digest: partDigest(job), by: entered.value.who, now: contract.readAt } as const;
    return ok({ job, approval: await requestApproval(tx, { ...ask, said: saidOf(desk, visit, entered.value) }) });
  });
}

/** The second owner's approval: the job may run once the contract's cooling is over. */
export function partialPurgeEffect({ database, bundles }: { readonly database: Database; readonly bundles: Bundles }): Effect {
  return {
    event: "partial_purge.approved",
    async apply(tx, { contract: id, digest }) {
      const contract = await lockContract(tx, id, "update");
      const job = contract && (await selectOrdered(tx, id));
      if (!contract || !job || partDigest(job) !== digest || !isOpen(contract.state)) return refuse({ code: "wrong_state" });
      const held = await heldWhole(tx, id);
      if (held) return refuse(held);
      const { coolingHours } = (await bundles.bundleOf(tx, id, contract.bundleDigest)).contract.purge;
      return (await approveLapse(tx, job, contract.readAt + coolingHours * 3_600_000))
        ? ok(undefined)
        : refuse({ code: "approval_closed" });
    },
    after: async ({ contract }) => ({ contract, job: (await selectOrdered(database, contract))?.id ?? null }),
  };
}

/** The job as it stands today, and what became of copies of those whose key went. */
export async function readPart(
  desk: ErasureDesk,
  visit: Visit,
  id: ContractId,
  job: string,
): Promise<Result<{ readonly job: Lapse; readonly closing: Closing }, Refusal>> {
  const entered = await enterContract(desk, visit, id);
  if (!entered.ok) return entered;
  const found = await selectLapse(desk.database, id, job);
  const outcome = found ? ({ effect: "allow", code: "ok" } as const) : ({ effect: "deny", code: "not_found" } as const);
  await logAct(desk, visit, entered.value, { event: "partial_purge.read", outcome, facts: { contract: id } });
  if (!found) return refuse({ code: "not_found" });
  const closing = closingOf({ epoch: found.epoch, erasedAt: found.deletedAt }, await selectKeyEpochs(desk.database, id));
  return ok({ job: found, closing });
}

/** The midnight that comes is no days before the last one, but one behind it: the same order twice in a day is one. */
const endOfDay = -1;

/** By the day that a believed clock last showed: a doubted one says no age at all. */
async function rulesOf(
  { database, bundles }: ErasureDesk,
  { contract }: Entered,
  { days = endOfDay, type, shop, purpose }: Part,
): Promise<Result<AgeRules, Refusal>> {
  const clock = await selectClock(database);
  if (!isOpen(contract.state) || clock?.doubt) return refuse({ code: "wrong_state" });
  const types = Object.keys((await bundles.bundleOf(database, contract.id, contract.bundleDigest)).resources);
  if (type !== undefined && !types.includes(type)) return refuse({ code: "unacceptable", errors: [{ pointer: "/type", code: "unknown" }] });
  const rule = {
    before: daysBefore(clock?.beatAt ?? contract.readAt, days),
    ...(shop !== undefined && { shop }),
    ...(purpose !== undefined && { purpose }),
  };
  return ok(Object.fromEntries((type === undefined ? types : [type]).map((name) => [name, rule])));
}

async function heldWhole(database: Queryable, id: ContractId): Promise<Refusal | null> {
  const holds = await standingHolds(database, id);
  return sparedBy(holds).all ? { code: "held", errors: namedHolds(holds) } : null;
}

function isOpen(state: string): boolean {
  return state === "active" || state === "ended";
}

/** What the two owners sign: this job, over exactly these types and instants. */
function partDigest({ contract, id, rules }: Pick<Lapse, "contract" | "id" | "rules">): string {
  return digestOf({ act: "partial_purge", contract, job: id, rules: describeRules(rules) });
}
