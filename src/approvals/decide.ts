/**
 * A second person decides, or the first takes the request back:
 * enter → find → may they? → take it, so that one of many decides → log → decide and carry out in one transaction → what follows
 * What an approval sets off belongs to whoever asked for it; it comes in as an effect.
 */
import type { EntryDraft, EventName } from "../audit/index.ts";
import { selectContractsOf } from "../contracts/index.ts";
import { type ContractId, ok, type Refusal, type Result, refuse } from "../kernel/index.ts";
import { type Entered, enterContract, enterHouse, logAct, type OfficeDoor, turnDown, type Visit } from "../offices/index.ts";
import { type Queryable, refusableTransaction } from "../storage/index.ts";
import { type Approval, type ApprovalAction, standingOf, type Verdict } from "./approval.ts";
import { closed, decideApproval, mayDecide, openReasons, type Reasons } from "./approvals.ts";
import { letGo, selectApproval, selectApprovals, takeDecision } from "./postgres.ts";
import { refusalOfSilence, saidOf } from "./reasons.ts";

/** How long a decision may take. After a crash nobody decides for so long. */
const decisionLeaseMs = 30_000;

export interface Effect {
  /** What the approval is called in the log. */
  readonly event: EventName;
  /** What else the log is to say of it: digests, counts. */
  facts?(database: Queryable, found: Approval): Promise<NonNullable<EntryDraft["facts"]>>;
  /** Runs in the deciding transaction. A refusal leaves the request open. */
  apply(tx: Queryable, approved: Approval): Promise<Result<void, Refusal>>;
  /** Runs after the commit, and again at the keeper's next tick if a crash came between; its result goes to the approver. */
  after(approved: Approval): Promise<Readonly<Record<string, unknown>>>;
}

export interface ApprovalDesk extends OfficeDoor {
  readonly effects: Readonly<Record<ApprovalAction, Effect>>;
}

export interface Decided {
  readonly approval: Approval;
  /** What followed: for an activation, the contract's trust file. */
  readonly result: Readonly<Record<string, unknown>>;
}

export interface ListedApproval extends Reasons {
  readonly approval: Approval;
}

/** Every request of every contract of the caller's merchants. */
export async function listApprovals(desk: ApprovalDesk, visit: Visit): Promise<Result<ListedApproval[], Refusal>> {
  const entered = await enterHouse(desk, visit);
  if (!entered.ok) return entered;
  const { actor, log, merchants } = entered.value;
  const contracts = await contractsOf(desk, merchants);
  await desk.audit.append(log, { event: "approvals.listed", actor, request: visit.request, outcome: { effect: "allow", code: "ok" } });
  const listed: ListedApproval[] = [];
  for (const approval of await selectApprovals(desk.database, contracts))
    listed.push({ approval, ...(await openReasons(desk.database, desk, approval)) });
  return ok(listed);
}

/** Decides a request by its id alone; one of another merchant is not there. */
export async function decideById(desk: ApprovalDesk, visit: Visit, id: string, verdict: Verdict): Promise<Result<Decided, Refusal>> {
  const entered = await enterHouse(desk, visit);
  if (!entered.ok) return entered;
  const { actor, log, merchants } = entered.value;
  const found = (await selectApprovals(desk.database, await contractsOf(desk, merchants))).find((candidate) => candidate.id === id);
  if (found) return decideInContract(desk, visit, found.contract, id, verdict);
  const outcome = { effect: "deny", code: "not_found" } as const;
  await desk.audit.append(log, { event: "request.refused", actor, request: visit.request, outcome });
  return refuse({ code: "not_found" });
}

export async function decideInContract(
  desk: ApprovalDesk,
  visit: Visit,
  contract: ContractId,
  id: string,
  verdict: Verdict,
): Promise<Result<Decided, Refusal>> {
  const entered = await enterContract(desk, visit, contract);
  if (!entered.ok) return entered;
  const found = await selectApproval(desk.database, contract, id);
  const allowed = found ? mayDecide(found, entered.value.who, verdict) : refuse({ code: "not_found" } as const);
  if (!allowed.ok || !found) {
    const refusal = allowed.ok ? ({ code: "not_found" } as const) : allowed.refusal;
    return turnDown(desk, visit, entered.value, { event: "request.refused", refusal });
  }
  const silent = verdict === "rejected" ? refusalOfSilence(visit) : null;
  if (silent) return turnDown(desk, visit, entered.value, { event: "request.refused", refusal: silent });
  if (!(await takeDecision(desk.database, found, decisionLeaseMs)))
    return turnDown(desk, visit, entered.value, { event: "request.refused", refusal: await refusalOfTaken(desk, found) });
  try {
    return await decideTaken(desk, visit, entered.value, { found, verdict });
  } finally {
    await letGo(desk.database, found);
  }
}

/** Another one decides it now, or has just done so. */
async function refusalOfTaken({ database }: ApprovalDesk, { contract, id }: Approval): Promise<Refusal> {
  const found = await selectApproval(database, contract, id);
  const standing = found && standingOf(found);
  return standing === null || standing === "requested" ? { code: "busy" } : closed(standing);
}

async function decideTaken(
  desk: ApprovalDesk,
  visit: Visit,
  entered: Entered,
  { found, verdict }: { readonly found: Approval; readonly verdict: Verdict },
): Promise<Result<Decided, Refusal>> {
  const { contract, id } = found;
  // Logged before it is done: a crash between leaves an entry of something that did not happen, never an act without an entry.
  const effect = desk.effects[found.action];
  await logAct(desk, visit, entered, {
    event: verdict === "approved" ? effect.event : `approval.${verdict}`,
    outcome: { effect: "allow", code: verdict },
    facts: { ...(await effect.facts?.(desk.database, found)), contract, approval: id, action: found.action, digest: found.digest },
  });
  const decision = { contract, id, by: entered.who, verdict, said: saidOf(desk, visit, entered) };
  const decided = await refusableTransaction(desk.database, (tx) => decideApproval(tx, decision, (approved) => effect.apply(tx, approved)));
  if (!decided.ok) return turnDown(desk, visit, entered, { event: "request.refused", refusal: decided.refusal });
  return ok({ approval: decided.value, result: verdict === "approved" ? await effect.after(decided.value) : {} });
}

async function contractsOf({ database }: ApprovalDesk, merchants: readonly string[]): Promise<ContractId[]> {
  const lists = await Promise.all(merchants.map((merchant) => selectContractsOf(database, merchant)));
  return lists.flat().map((contract) => contract.id);
}
