/**
 * The policy of a contract in force is changed:
 * enter → compile → same terms? → compare with what is in force → log → in force at once where nothing is wider; else a second owner is asked
 *
 * What the two agree to is a step: from the digest in force to the one that is to be. Once something else is in force, nobody can take it any more.
 * Bundles that were in force stay: entries name them, and records still lie where they said.
 */
import {
  type Approval,
  digestOf,
  type Effect,
  type Person,
  refusalOfSilence,
  requestApproval,
  type Said,
  saidOf,
  selectApprovals,
} from "../approvals/index.ts";
import type { EntryDraft } from "../audit/index.ts";
import {
  type Bundles,
  type Contract,
  lockContract,
  moveBundle,
  putBundle,
  selectBundleDigests,
  selectContract,
} from "../contracts/index.ts";
import { type ContractId, canonicalJson, ok, type Refusal, type Result, refuse } from "../kernel/index.ts";
import { type Entered, enterContract, type OfficeDoor, turnDown, type Visit } from "../offices/index.ts";
import {
  type Bundle,
  bundleDigest,
  bundleText,
  carryLevels,
  type Difference,
  diffBundles,
  dropsDemand,
  isWider,
  refuseFiles,
} from "../policy/index.ts";
import type { Database, Queryable } from "../storage/index.ts";
import { type Compiled, compileFiles, type Files } from "./files.ts";

export interface PolicyDesk extends OfficeDoor {
  readonly bundles: Bundles;
}

export interface Proposal extends Files {
  /** The digest that the caller believes to be in force. */
  readonly replaces?: string;
}

export interface Changed {
  readonly contract: ContractId;
  readonly before: string;
  readonly after: string;
  readonly differences: readonly Difference[];
  /** `null` = it is in force; else it waits for a second owner. */
  readonly approval: Approval | null;
}

interface Step extends Omit<Changed, "approval"> {
  readonly compiled: string;
}

export async function changePolicy(desk: PolicyDesk, visit: Visit, id: ContractId, proposal: Proposal): Promise<Result<Changed, Refusal>> {
  const entered = await enterContract(desk, visit, id);
  if (!entered.ok) return entered;
  const { contract, who } = entered.value;
  const standing = await desk.bundles.bundleOf(desk.database, id, contract.bundleDigest);
  const proposed = stepOf(contract, standing, proposal);
  if (!proposed.ok) return turnChangeDown(desk, visit, entered.value, proposed.refusal);
  const step = proposed.value;
  const widens = isWider(step.differences);
  const silent = widens ? refusalOfSilence(visit) : null;
  if (silent) return turnChangeDown(desk, visit, entered.value, silent);
  await desk.audit.append(entered.value.log, {
    event: widens ? "policy.change_requested" : "policy.changed",
    actor: entered.value.actor,
    request: visit.request,
    outcome: { effect: "allow", code: widens ? "requested" : step.before === step.after ? "unchanged" : "narrowed" },
    facts: factsOf(step),
  });
  const done = await desk.database.transaction((tx) => carryOut(tx, step, { widens, who, said: saidOf(desk, visit, entered.value) }));
  return done.ok ? done : turnChangeDown(desk, visit, entered.value, done.refusal);
}

/** Under the contract's row lock: of two who change it at once, one starts from what is no longer in force. */
async function carryOut(
  tx: Queryable,
  step: Step,
  { widens, who, said }: { widens: boolean; who: Person; said: Said },
): Promise<Result<Changed, Refusal>> {
  const { contract: id, before, after, compiled } = step;
  const contract = await lockContract(tx, id, "update");
  if (!contract || !takesPolicy(contract) || contract.bundleDigest !== before) return refuse({ code: "wrong_state" });
  if (!widens) {
    await putBundle(tx, id, { digest: after, compiled });
    await moveBundle(tx, id, before, after);
    return ok({ ...step, approval: null });
  }
  const ask = {
    contract: id,
    action: "change_policy",
    digest: stepDigest(id, before, after),
    by: who,
    now: contract.readAt,
    said,
  } as const;
  const others = (await selectOpenChanges(tx, id)).filter(({ digest }) => digest !== ask.digest);
  if (others.length >= openChangesMax) return refuse({ code: "busy" });
  await putBundle(tx, id, { digest: after, compiled });
  return ok({ ...step, approval: await requestApproval(tx, ask) });
}

/** At a time. */
const openChangesMax = 10;

/** Changes that wait for a second owner. */
export async function selectOpenChanges(database: Queryable, id: ContractId): Promise<Approval[]> {
  const approvals = await selectApprovals(database, [id]);
  return approvals.filter(
    ({ action, state, expiresAt, readAt }) => action === "change_policy" && state === "requested" && expiresAt > readAt,
  );
}

/** What is proposed, held against what is in force. */
function stepOf(contract: Contract, standing: Bundle, { replaces, ...files }: Proposal): Result<Step, Refusal> {
  const compiled = compileFiles(files);
  if (!compiled.ok) return compiled;
  if (!takesPolicy(contract) || (replaces !== undefined && replaces !== contract.bundleDigest)) return refuse({ code: "wrong_state" });
  const kept = checkTerms(standing, compiled.value);
  if (!kept.ok) return kept;
  const next = carryLevels(standing, compiled.value.bundle);
  const text = bundleText(next);
  const differences = diffBundles(standing, next);
  return ok({ contract: contract.id, before: contract.bundleDigest, after: bundleDigest(text), compiled: text, differences });
}

/** A draft is replaced, not changed; and what is over is over. */
function takesPolicy({ state, endsAt, readAt }: Contract): boolean {
  return state === "active" && endsAt > readAt;
}

const fixedTerms = [
  { path: ["contract"], what: "id", of: ({ id }) => id },
  { path: ["parties", "merchant"], what: "merchant", of: ({ merchant }) => merchant },
  { path: ["parties", "vendor"], what: "vendor", of: ({ vendor }) => vendor },
  { path: ["term"], what: "term", of: ({ term }) => canonicalJson(term) },
  { path: ["purge"], what: "purge terms", of: ({ purge }) => canonicalJson(purge) },
] as const satisfies readonly { readonly path: readonly string[]; readonly what: string; of(contract: Bundle["contract"]): string }[];

/** Who agreed, until when, and how it ends is another agreement's matter. */
function checkTerms({ contract }: Bundle, { agreed, bundle }: Compiled): Result<void, Refusal> {
  const moved = fixedTerms.filter(({ of }) => of(contract) !== of(bundle.contract));
  if (moved.length === 0) return ok(undefined);
  const hint = "what may change here: policy, ceiling, roles, purposes, hours, networks, dpop, subprocessors, retention, seats, approvals";
  const problems = moved.map(({ path, what }) =>
    agreed.source.problem(path, "wrong_value", `the ${what} of a contract in force does not change with its policy`, hint),
  );
  return refuseFiles(problems, "fixed_term");
}

function stepDigest(contract: ContractId, before: string, after: string): string {
  return digestOf({ act: "change_policy", contract, before, after });
}

/** The step from what is in force that the request is about; `null` = it starts from something else. */
export async function findStep(
  database: Queryable,
  { id, bundleDigest: before }: Pick<Contract, "id" | "bundleDigest">,
  { digest }: Pick<Approval, "digest">,
): Promise<{ readonly before: string; readonly after: string } | null> {
  const digests = await selectBundleDigests(database, id);
  const after = digests.find((candidate) => stepDigest(id, before, candidate) === digest);
  return after === undefined ? null : { before, after };
}

function factsOf({ contract, before, after, differences }: Step): NonNullable<EntryDraft["facts"]> {
  const count = (of: Difference["direction"]) => differences.filter(({ direction }) => direction === of).length;
  return { contract, before, after, widened: count("widened"), changed: count("changed"), narrowed: count("narrowed") };
}

function turnChangeDown(desk: PolicyDesk, visit: Visit, entered: Entered, refusal: Refusal): Promise<Result<never, Refusal>> {
  return turnDown(desk, visit, entered, { event: "policy.changed", refusal, facts: { before: entered.contract.bundleDigest } });
}

/** The second owner's approval: from the next request on the new bundle decides. */
export function policyEffect({ database, bundles }: { readonly database: Database; readonly bundles: Bundles }): Effect {
  return {
    event: "policy.changed",
    async dropsDemand(reader, found) {
      const contract = await selectContract(reader, found.contract);
      const step = contract && (await findStep(reader, contract, found));
      if (!step) return false;
      const [before, after] = await Promise.all(
        [step.before, step.after].map((digest) => bundles.bundleOf(reader, found.contract, digest)),
      );
      return dropsDemand(before?.contract.approvals, after?.contract.approvals);
    },
    async facts(reader, found) {
      const contract = await selectContract(reader, found.contract);
      return { ...(contract && (await findStep(reader, contract, found))) };
    },
    async apply(tx, approved) {
      const contract = await lockContract(tx, approved.contract, "update");
      const step = contract && takesPolicy(contract) ? await findStep(tx, contract, approved) : null;
      if (!contract || !step || !(await moveBundle(tx, contract.id, step.before, step.after))) return refuse({ code: "wrong_state" });
      return ok(undefined);
    },
    async after({ contract }) {
      return { contract, digest: (await selectContract(database, contract))?.bundleDigest ?? null };
    },
  };
}
