/**
 * How a purge comes to be ordered: by two owners before the end, or by the end itself.
 * plan (counts, nothing changes) · request (first owner) · approval (second owner, then cooling) · due (the clock, days after the end)
 */

import { uuidv7 } from "uuidv7";
import { type Approval, digestOf, type Effect, refusalOfSilence, requestApproval, saidOf, selectApprovals } from "../approvals/index.ts";
import { type Bundles, type Contract, lockContract, namedHolds, selectPurgeDue, standingHolds } from "../contracts/index.ts";
import { ensureEntry } from "../jobs/index.ts";
import { type ContractId, canonicalJson, inTurn, ok, type Refusal, type Result, refuse } from "../kernel/index.ts";
import { enterContract, logAct, type OfficeDoor, type Visit } from "../offices/index.ts";
import type { Bundle } from "../policy/index.ts";
import type { Queryable } from "../storage/index.ts";
import type { PurgeParts } from "./parts.ts";
import { stayingStores } from "./plan.ts";
import { approveJob, claimJob, countRows, insertJob, type PurgeJob, releaseJob, selectJob } from "./postgres.ts";

export interface PurgeDesk extends OfficeDoor {
  readonly bundles: Bundles;
}

export interface Plan {
  readonly contract: ContractId;
  /** Rows per table that would be deleted. */
  readonly dies: Readonly<Record<string, number>>;
  readonly stays: readonly { readonly table: string; readonly reason: string }[];
  readonly coolingHours: number;
  readonly backupHorizonHours: number;
  /** Before anything is destroyed; `null` = nothing is. */
  readonly returnTo: ReturnTo | null;
}

export type ReturnTo = NonNullable<PurgeJob["facts"]["returnTo"]>;

/** Counts what a purge would delete; changes nothing. */
export async function planPurge(desk: PurgeDesk, visit: Visit, id: ContractId): Promise<Result<Plan, Refusal>> {
  const entered = await enterContract(desk, visit, id);
  if (!entered.ok) return entered;
  const { contract } = entered.value;
  await logAct(desk, visit, entered.value, { event: "purge.planned", outcome: { effect: "allow", code: "ok" }, facts: { contract: id } });
  const { coolingHours, backupHorizonHours, return: returnTo = null } = await purgeTerms(desk, contract);
  return ok({ contract: id, dies: await countRows(desk.database, id), stays: stayingStores(), coolingHours, backupHorizonHours, returnTo });
}

export interface Requested {
  readonly job: PurgeJob;
  /** `null` = approved already. */
  readonly approval: Approval | null;
}

export interface PurgeRequest {
  /** The contract's id, typed. */
  readonly confirm: string;
  /** To be returned first, whatever the contract says. */
  readonly returnTo?: ReturnTo | undefined;
}

/** Twice or twenty times at once is one job and one answer. */
export async function requestPurge(
  desk: PurgeDesk,
  visit: Visit,
  id: ContractId,
  request: PurgeRequest,
): Promise<Result<Requested, Refusal>> {
  const entered = await enterContract(desk, visit, id);
  if (!entered.ok) return entered;
  const { contract, who } = entered.value;
  const standing = await selectJob(desk.database, id);
  const refusal = refusalOf(contract, standing, request) ?? (await refusalOfHolds(desk.database, id)) ?? refusalOfSilence(visit);
  const { returnTo } = request;
  const job = standing?.id ?? uuidv7();
  const digest = orderDigest(contract, { id: job, facts: standing?.facts ?? { returnTo } });
  await logAct(desk, visit, entered.value, {
    event: "purge.requested",
    outcome: refusal ? { effect: "deny", code: refusal.code } : { effect: "allow", code: standing ? "stands" : "requested" },
    facts: { contract: id, ...(refusal ? {} : { job, digest }) },
  });
  if (refusal) return refuse(refusal);
  return desk.database.transaction(async (tx) => {
    // Of those who ask, approve, hold and fence at once, one after the other.
    await lockContract(tx, id, "update");
    const held = await refusalOfHolds(tx, id);
    if (held) return refuse(held);
    const facts = { times: { requested: isoOf(contract.readAt) }, ...(returnTo && { returnTo }) };
    await insertJob(tx, { contract: id, id: job, basis: "owners", step: "requested", notBefore: contract.readAt, facts });
    const found = await selectJob(tx, id);
    if (!found) throw new Error("a purge job that was just written is not there");
    if (found.step !== "requested") return ok({ job: found, approval: null });
    const ask = { contract: id, action: "purge", digest: orderDigest(contract, found), by: who, now: contract.readAt } as const;
    return ok({ job: found, approval: await requestApproval(tx, { ...ask, said: saidOf(desk, visit, entered.value) }) });
  });
}

function refusalOf(contract: Contract, standing: PurgeJob | null, { confirm, returnTo }: PurgeRequest): Refusal | null {
  if (confirm !== contract.id) return { code: "unacceptable", errors: [{ pointer: "/confirm", code: "not_the_contract" }] };
  // Nobody is to believe that a job returns to a key to which it does not.
  const differs = returnTo && canonicalJson(returnTo) !== canonicalJson(standing?.facts.returnTo ?? null);
  if (standing) return differs ? { code: "unacceptable", errors: [{ pointer: "/return", code: "other_than_asked_for" }] } : null;
  return contract.state === "active" || contract.state === "ended" ? null : { code: "wrong_state" };
}

async function refusalOfHolds(database: Queryable, id: ContractId): Promise<Refusal | null> {
  const holds = await standingHolds(database, id);
  return holds.length > 0 ? { code: "held", errors: namedHolds(holds) } : null;
}

/** What the two owners sign: this contract, under this bundle, by this job, its records returned to this key. */
function orderDigest(
  contract: Pick<Contract, "id" | "bundleDigest">,
  { id, facts }: { readonly id: string; readonly facts: { readonly returnTo?: ReturnTo | undefined } },
): string {
  return digestOf({ act: "purge", contract: contract.id, bundle: contract.bundleDigest, job: id, return: facts.returnTo });
}

/** The second owner's approval: the job may run once its cooling is over. */
export function purgeEffect(desk: Pick<PurgeDesk, "bundles">): Effect {
  return {
    event: "purge.approved",
    async apply(tx, approved) {
      const contract = await lockContract(tx, approved.contract, "share");
      const job = contract && (await selectJob(tx, contract.id));
      if (!contract || !job || orderDigest(contract, job) !== approved.digest) return refuse({ code: "wrong_state" });
      const held = await refusalOfHolds(tx, contract.id);
      if (held) return refuse(held);
      const { coolingHours } = await purgeTerms({ ...desk, database: tx }, contract);
      const notBefore = contract.readAt + coolingHours * 3_600_000;
      const times = { ...job.facts.times, approved: isoOf(contract.readAt) };
      const moved = await approveJob(tx, contract.id, { basis: "owners", notBefore, facts: { ...job.facts, times } });
      return moved ? ok(undefined) : refuse({ code: "approval_closed" });
    },
    after: (approved) => Promise.resolve({ contract: approved.contract }),
  };
}

/** Contracts whose days after the end are over: their job is written by the clock. Safe in any number of processes. */
export async function orderDuePurges(parts: PurgeParts): Promise<void> {
  await inTurn(await selectPurgeDue(parts.database), (contract) => orderDuePurge(parts, contract));
}

/**
 * Crash order: the job stands first, not approved, so that its lease makes one keeper of many write the entry; then the entry; then it may run.
 * It asks for none of the contract's keys: a contract whose share is lost comes to its end all the same.
 */
async function orderDuePurge(parts: PurgeParts, contract: Contract): Promise<void> {
  const { database, logs, leaseMs } = parts;
  const times = { due: isoOf(contract.purgeDueAt), approved: isoOf(contract.readAt) };
  const order = { basis: "term_ended", notBefore: contract.readAt, facts: { times } } as const;
  await insertJob(database, { contract: contract.id, id: uuidv7(), step: "requested", ...order });
  if ((await selectJob(database, contract.id))?.step !== "requested") return;
  const job = await claimJob(database, contract.id, leaseMs);
  if (!job) return;
  if (job.step === "requested") {
    const facts = { job: job.id, contract: contract.id, due_at: times.due };
    await ensureEntry(parts, logs.closing(contract.id), { event: "purge.due", code: "purge", facts });
    await approveJob(database, contract.id, order);
  }
  await releaseJob(database, job);
}

/** The contract's job; `null` = nobody has asked for one. */
export async function findPurge(desk: PurgeDesk, visit: Visit, id: ContractId): Promise<Result<PurgeJob | null, Refusal>> {
  const entered = await enterContract(desk, visit, id);
  if (!entered.ok) return entered;
  const outcome = { effect: "allow", code: "ok" } as const;
  await logAct(desk, visit, entered.value, { event: "purge.read", outcome, facts: { contract: id } });
  return ok(await selectJob(desk.database, id));
}

/** One job, as its owner watches it. */
export async function readPurge(desk: PurgeDesk, visit: Visit, id: ContractId, job: string): Promise<Result<PurgeJob, Refusal>> {
  const entered = await enterContract(desk, visit, id);
  if (!entered.ok) return entered;
  const found = await selectJob(desk.database, id);
  const there = found?.id === job;
  await logAct(desk, visit, entered.value, {
    event: "purge.read",
    outcome: there ? { effect: "allow", code: "ok" } : { effect: "deny", code: "not_found" },
    facts: { contract: id },
  });
  return there ? ok(found) : refuse({ code: "not_found" });
}

export async function purgeTerms(
  { bundles, database }: { bundles: Bundles; database: Queryable },
  contract: Pick<Contract, "id" | "bundleDigest">,
): Promise<Bundle["contract"]["purge"]> {
  return (await bundles.bundleOf(database, contract.id, contract.bundleDigest)).contract.purge;
}

/** The approval that ordered this job: of the purge itself, or, where the term ended, the last one that agreed to its end. */
export async function orderOf(database: Queryable, job: PurgeJob): Promise<Approval | null> {
  const actions = job.basis === "owners" ? ["purge"] : ["activate", "amend", "terminate"];
  const orders = (await selectApprovals(database, [job.contract])).filter(({ action }) => actions.includes(action));
  return latestDecided(orders) ?? orders.findLast(({ state }) => state === "requested" || state === "expired") ?? null;
}

/** Not the latest asked for: of two that wait, either may be approved first. */
function latestDecided(orders: readonly Approval[]): Approval | null {
  const approved = orders.filter(({ state }) => state === "approved");
  return approved.sort((a, b) => (a.decidedAt ?? 0) - (b.decidedAt ?? 0)).at(-1) ?? null;
}

function isoOf(ms: number): string {
  return new Date(ms).toISOString();
}
