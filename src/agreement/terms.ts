/**
 * The end of a contract is moved: by both parties (amend: earlier or later, or how it is purged), or by the merchant alone (terminate: earlier).
 * enter → what would hold then → log → what exactly is asked for is kept under its digest → a second owner is asked; the approval puts it in force.
 * Decision 0023: the vendor's word is the digest of a statement it signed, which is approved with the rest. Where the contract has the vendor's admin approve,
 * that is its word as well (0042).
 */
import * as z from "zod";
import {
  type Approval,
  digestOf,
  type Effect,
  type Person,
  requestApproval,
  type Said,
  saidOf,
  selectApprovals,
} from "../approvals/index.ts";
import type { EntryDraft } from "../audit/index.ts";
import { type Contract, lockContract, moveBundle, moveEnd, putBundle, putProposal, selectProposal } from "../contracts/index.ts";
import { type ContractId, canonicalJson, ok, type Refusal, type Result, refuse } from "../kernel/index.ts";
import { enterContract, logAct, turnDown, type Visit } from "../offices/index.ts";
import { type Bundle, bundleDigest, bundleText, termInstants } from "../policy/index.ts";
import type { Database, Queryable } from "../storage/index.ts";
import type { PolicyDesk } from "./change-policy.ts";

/** At a time, of one contract. */
const openProposalsMax = 10;
const hourMs = 3_600_000;

export const terminationReasons = ["breach", "convenience", "insolvency", "mutual", "regulator_order"] as const;

/** What two owners agree to, as it is kept and digested. `ends_at` null: at once, by the clock of the moment in which the second one approves. */
const proposalSchema = z.strictObject({
  act: z.enum(["amend", "terminate"]),
  contract: z.string(),
  before: z.string(),
  after: z.string(),
  ends_at: z.iso.datetime().nullable(),
  purge_after_hours: z.int().min(24),
  reason: z.enum(terminationReasons).optional(),
  vendor: z.strictObject({ reference: z.string(), statement: z.string() }).optional(),
});
type Proposal = z.infer<typeof proposalSchema>;

export interface Amendment {
  /** Civil, in the contract's zone: the first day without access. */
  readonly end?: string | undefined;
  readonly purgeAfterHours?: number | undefined;
  readonly coolingHours?: number | undefined;
  readonly backupHorizonHours?: number | undefined;
  /** Where the vendor's signed statement is kept, and its SHA-256. */
  readonly vendor: { readonly reference: string; readonly statement: string };
}

export interface Termination {
  /** Civil, in the contract's zone; `now` = as soon as a second owner approves. */
  readonly at: string;
  readonly reason: (typeof terminationReasons)[number];
  readonly confirm: string;
}

export interface Proposed {
  readonly approval: Approval;
  readonly endsAt: string | null;
}

export async function requestAmendment(
  desk: PolicyDesk,
  visit: Visit,
  id: ContractId,
  amendment: Amendment,
): Promise<Result<Proposed, Refusal>> {
  return request(desk, visit, id, { act: "amend", of: (standing, contract) => amend(standing, contract, amendment) });
}

export async function requestTermination(
  desk: PolicyDesk,
  visit: Visit,
  id: ContractId,
  termination: Termination,
): Promise<Result<Proposed, Refusal>> {
  return request(desk, visit, id, { act: "terminate", of: (standing, contract) => terminate(standing, contract, termination) });
}

interface Wanted {
  readonly next: Bundle;
  readonly endsAt: string | null;
  readonly more: Pick<Proposal, "reason" | "vendor">;
}

async function request(
  desk: PolicyDesk,
  visit: Visit,
  id: ContractId,
  { act, of }: { readonly act: Proposal["act"]; of(standing: Bundle, contract: Contract): Result<Wanted, Refusal> },
): Promise<Result<Proposed, Refusal>> {
  const entered = await enterContract(desk, visit, id);
  if (!entered.ok) return entered;
  const { contract, who } = entered.value;
  const event = requested[act];
  if (!canMove(contract)) return turnDown(desk, visit, entered.value, { event, refusal: { code: "wrong_state" } });
  const wanted = of(await desk.bundles.bundleOf(desk.database, id, contract.bundleDigest), contract);
  if (!wanted.ok) return turnDown(desk, visit, entered.value, { event, refusal: wanted.refusal });
  const { next, endsAt, more } = wanted.value;
  const compiled = bundleText(next);
  const purgeAfterHours = next.contract.term.purgeAfterHours;
  const [before, after] = [contract.bundleDigest, bundleDigest(compiled)];
  const proposal: Proposal = { act, contract: id, before, after, ends_at: endsAt, purge_after_hours: purgeAfterHours, ...more };
  const digest = digestOf(proposal);
  const outcome = { effect: "allow", code: "requested" } as const;
  await logAct(desk, visit, entered.value, { event, outcome, facts: { ...factsOf(proposal), digest } });
  const asked = await desk.database.transaction((tx) =>
    ask(tx, { proposal, digest, compiled, who, said: saidOf(desk, visit, entered.value) }),
  );
  if (!asked.ok) return turnDown(desk, visit, entered.value, { event, refusal: asked.refusal });
  return ok({ approval: asked.value, endsAt });
}

const requested = {
  amend: "contract.amendment_requested",
  terminate: "contract.termination_requested",
} as const satisfies Record<Proposal["act"], EntryDraft["event"]>;

/** Under the contract's row lock: of twenty who ask at once one request is made. */
async function ask(
  tx: Queryable,
  { proposal, digest, compiled, who, said }: { proposal: Proposal; digest: string; compiled: string; who: Person; said: Said },
): Promise<Result<Approval, Refusal>> {
  const id = proposal.contract as ContractId;
  const contract = await lockContract(tx, id, "update");
  if (!contract || !canMove(contract) || contract.bundleDigest !== proposal.before) return refuse({ code: "wrong_state" });
  const open = (await selectApprovals(tx, [id])).filter(
    ({ action, state, expiresAt, readAt }) => (action === "amend" || action === "terminate") && state === "requested" && expiresAt > readAt,
  );
  if (open.length >= openProposalsMax && !open.some((one) => one.digest === digest)) return refuse({ code: "busy" });
  await putProposal(tx, id, { digest, terms: canonicalJson(proposal) });
  if (proposal.after !== proposal.before) await putBundle(tx, id, { digest: proposal.after, compiled });
  return ok(await requestApproval(tx, { contract: id, action: proposal.act, digest, by: who, now: contract.readAt, said }));
}

/** What is over is over: a draft is replaced, and nobody comes back behind the end. */
function canMove({ state, endsAt, readAt }: Contract): boolean {
  return state === "active" && endsAt > readAt;
}

function amend(standing: Bundle, { readAt }: Contract, amendment: Amendment): Result<Wanted, Refusal> {
  const { term, purge } = standing.contract;
  const { end = term.end, purgeAfterHours = term.purgeAfterHours, vendor } = amendment;
  const { coolingHours = purge.coolingHours, backupHorizonHours = purge.backupHorizonHours } = amendment;
  const next = {
    ...standing,
    contract: { ...standing.contract, term: { ...term, end, purgeAfterHours }, purge: { ...purge, coolingHours, backupHorizonHours } },
  };
  if (bundleText(next) === bundleText(standing)) return refuseAt("/end", "unchanged");
  const { startsAt, endsAt } = termInstants(next.contract.term);
  if (Date.parse(endsAt) <= Math.max(readAt, Date.parse(startsAt))) return refuseAt("/end", "passed");
  return ok({ next, endsAt, more: { vendor } });
}

function terminate(standing: Bundle, contract: Contract, { at, reason, confirm }: Termination): Result<Wanted, Refusal> {
  if (confirm !== contract.id) return refuseAt("/confirm", "not_the_contract");
  if (at === "now") return ok({ next: standing, endsAt: null, more: { reason } });
  const next = { ...standing, contract: { ...standing.contract, term: { ...standing.contract.term, end: at } } };
  const { startsAt, endsAt } = termInstants(next.contract.term);
  const instant = Date.parse(endsAt);
  if (instant <= Math.max(contract.readAt, Date.parse(startsAt))) return refuseAt("/at", "passed");
  if (instant >= contract.endsAt) return refuseAt("/at", "not_earlier");
  return ok({ next, endsAt, more: { reason } });
}

function refuseAt(pointer: string, code: string): Result<never, Refusal> {
  return refuse({ code: "unacceptable", errors: [{ pointer, code }] });
}

/** The second owner's approval: bundle and dates in the deciding transaction. The grace before the purge is kept, whatever the end. */
export function termsEffect({ database }: { readonly database: Database }, act: Proposal["act"]): Effect {
  return {
    event: act === "amend" ? "contract.amended" : "contract.terminated",
    async facts(reader, { contract, digest }) {
      const proposal = await readProposal(reader, contract, digest);
      return proposal ? factsOf(proposal) : {};
    },
    async apply(tx, { contract: id, digest }) {
      const contract = await lockContract(tx, id, "update");
      const proposal = await readProposal(tx, id, digest);
      if (!contract || !proposal || !canMove(contract) || contract.bundleDigest !== proposal.before) return refuse({ code: "wrong_state" });
      // A contract that has not begun ends as it begins.
      const endsAt = proposal.ends_at === null ? Math.max(contract.readAt, contract.startsAt + 1) : Date.parse(proposal.ends_at);
      if (endsAt < contract.readAt) return refuse({ code: "wrong_state", errors: [{ pointer: "end", code: "passed" }] });
      if (proposal.after !== proposal.before) await moveBundle(tx, id, proposal.before, proposal.after);
      const purgeDueAt = endsAt + proposal.purge_after_hours * hourMs;
      await moveEnd(tx, id, new Date(endsAt).toISOString(), new Date(purgeDueAt).toISOString());
      return ok(undefined);
    },
    async after({ contract, digest }) {
      const proposal = await readProposal(database, contract, digest);
      return { contract, ends_at: proposal?.ends_at ?? null };
    },
  };
}

/** `null` = nobody asked for it. Throws where what is kept is not what its digest says: two owners agreed to the digest. */
async function readProposal(database: Queryable, id: ContractId, digest: string): Promise<Proposal | null> {
  const terms = await selectProposal(database, id, digest);
  if (terms === null) return null;
  const proposal = proposalSchema.parse(JSON.parse(terms));
  if (digestOf(proposal) !== digest) throw new Error(`a proposal of contract ${id} is not the one of its digest`);
  return proposal;
}

/** Where the vendor's statement is kept are an owner's words: in the proposal, not in the log. */
function factsOf({ contract, before, after, ends_at, purge_after_hours, reason, vendor }: Proposal): NonNullable<EntryDraft["facts"]> {
  return {
    ...{ contract, before, after, ends_at: ends_at ?? "now", purge_after_hours },
    ...(reason && { reason }),
    ...(vendor && { vendor_statement: vendor.statement }),
  };
}
