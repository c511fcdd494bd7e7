/**
 * A second person decides, or the first takes the request back:
 * enter → find → whose is it to decide? → may they? → take it, so that one of many decides → log → decide and carry out in one transaction → what follows
 * What an approval sets off belongs to whoever asked for it; it comes in as an effect.
 */
import type { EntryDraft, EventName } from "../audit/index.ts";
import { type Contract, selectContractsOf } from "../contracts/index.ts";
import { type ContractId, ok, type Refusal, type Result, refuse } from "../kernel/index.ts";
import { type Entered, enterContract, enterHouse, type House, logAct, type OfficeDoor, turnDown, type Visit } from "../offices/index.ts";
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
  /** Drops what the contract demands of whoever approves: that is not decided without them. */
  dropsDemand?(database: Queryable, found: Approval): Promise<boolean>;
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
  /** Another organisation than the one that asked is to approve it; else another owner. `null` = nobody any more. */
  readonly isOthers: boolean | null;
}

/** Every request of every contract of the caller's merchants; of a vendor's admin, what waits for them. */
export async function listApprovals(desk: ApprovalDesk, visit: Visit): Promise<Result<ListedApproval[], Refusal>> {
  const entered = await enterHouse(desk, visit);
  if (!entered.ok) return entered;
  const { actor, log } = entered.value;
  await desk.audit.append(log, { event: "approvals.listed", actor, request: visit.request, outcome: { effect: "allow", code: "ok" } });
  const listed: ListedApproval[] = [];
  for (const { approval, contract } of await approvalsOf(desk, entered.value)) {
    const isOthers = standingOf(approval) === "requested" ? await isOthersToDecide(desk, contract, approval) : null;
    if (actor.role === "vendor_admin" && isOthers !== true) continue;
    listed.push({ approval, isOthers, ...(await openReasons(desk.database, desk, approval)) });
  }
  return ok(listed);
}

/** Decides a request by its id alone; one of another merchant is not there. What is not a vendor's to decide is closed to its admin, there or not. */
export async function decideById(desk: ApprovalDesk, visit: Visit, id: string, verdict: Verdict): Promise<Result<Decided, Refusal>> {
  const entered = await enterHouse(desk, visit);
  if (!entered.ok) return entered;
  const { actor, log } = entered.value;
  const isVendors = actor.role === "vendor_admin";
  const found = (await approvalsOf(desk, entered.value)).find(({ approval }) => approval.id === id);
  if (found && (!isVendors || (await isOthersToDecide(desk, found.contract, found.approval))))
    return decideInContract(desk, visit, found.contract.id, id, verdict);
  const { code } = refusalOfNothing(isVendors);
  await desk.audit.append(log, { event: "request.refused", actor, request: visit.request, outcome: { effect: "deny", code } });
  return refuse({ code });
}

function refusalOfNothing(isVendors: boolean) {
  return { code: isVendors ? "not_permitted" : "not_found" } as const;
}

interface Found {
  readonly approval: Approval;
  readonly contract: Contract;
}

/** At every contract of the caller's merchants, or at those that have their vendor approve something. */
async function approvalsOf({ database }: ApprovalDesk, { merchants, asking }: House): Promise<Found[]> {
  const lists = await Promise.all(merchants.map((merchant) => selectContractsOf(database, merchant)));
  const contracts = new Map([...lists.flat(), ...asking].map((contract) => [contract.id, contract]));
  return (await selectApprovals(database, [...contracts.keys()])).flatMap((approval) => {
    const contract = contracts.get(approval.contract);
    return contract ? [{ approval, contract }] : [];
  });
}

/** As the contract in force says; of a request that it say less, as it says before. Activation, breaking a glass and granting roles are the merchant's own. */
async function isOthersToDecide(
  { bundles, database, effects }: ApprovalDesk,
  { id, bundleDigest }: Pick<Contract, "id" | "bundleDigest">,
  found: Approval,
): Promise<boolean> {
  if (found.action === "activate" || found.action === "break_glass" || found.action === "grant_roles") return false;
  const { approvals = {} } = (await bundles.bundleOf(database, id, bundleDigest)).contract;
  return approvals[found.action] !== undefined || ((await effects[found.action].dropsDemand?.(database, found)) ?? false);
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
  const allowed = found
    ? await mayDecideHere(desk, entered.value, found, verdict)
    : refuse(refusalOfNothing(entered.value.actor.role === "vendor_admin"));
  if (!allowed.ok) return turnDown(desk, visit, entered.value, { event: "request.refused", refusal: allowed.refusal });
  const silent = verdict === "rejected" ? refusalOfSilence(visit) : null;
  if (silent) return turnDown(desk, visit, entered.value, { event: "request.refused", refusal: silent });
  const open = allowed.value;
  if (!(await takeDecision(desk.database, open, decisionLeaseMs)))
    return turnDown(desk, visit, entered.value, { event: "request.refused", refusal: await refusalOfTaken(desk, open) });
  try {
    return await decideTaken(desk, visit, entered.value, { found: open, verdict });
  } finally {
    await letGo(desk.database, open);
  }
}

async function mayDecideHere(
  desk: ApprovalDesk,
  { who, contract }: Entered,
  found: Approval,
  verdict: Verdict,
): Promise<Result<Approval, Refusal>> {
  return mayDecide(found, who, verdict, {
    asked: desk.offices.organisationAt(contract, found.requestedBy),
    decides: desk.offices.organisationAt(contract, who),
    isOthers: await isOthersToDecide(desk, contract, found),
  });
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
