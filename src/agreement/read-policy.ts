/** The policy in force, as an owner or an officer reads it, and what is to take its place. */
import type { Approval } from "../approvals/index.ts";
import { selectBundleDigests } from "../contracts/index.ts";
import { type ContractId, ok, type Refusal, type Result, refuse } from "../kernel/index.ts";
import { enterContract, type Visit } from "../offices/index.ts";
import { type Bundle, type Difference, diffBundles } from "../policy/index.ts";
import { findStep, type PolicyDesk, selectOpenChanges } from "./change-policy.ts";

export interface Pending {
  readonly approval: Approval;
  readonly after: string;
  readonly differences: readonly Difference[];
}

export interface ReadPolicy {
  readonly contract: ContractId;
  readonly inForce: string;
  /** Of `bundle`. */
  readonly digest: string;
  readonly bundle: Bundle;
  /** Requests that could still be approved. */
  readonly pending: readonly Pending[];
}

/** `digest` absent: of the bundle in force; else of any that was, or was asked to be. */
export async function readPolicy(desk: PolicyDesk, visit: Visit, id: ContractId, digest?: string): Promise<Result<ReadPolicy, Refusal>> {
  const entered = await enterContract(desk, visit, id);
  if (!entered.ok) return entered;
  const { actor, contract, log } = entered.value;
  const wanted = digest ?? contract.bundleDigest;
  const isKept = (await selectBundleDigests(desk.database, id)).includes(wanted);
  const outcome = isKept ? ({ effect: "allow", code: "ok" } as const) : ({ effect: "deny", code: "not_found" } as const);
  const facts = { contract: id, digest: wanted };
  await desk.audit.append(log, { event: "policy.read", actor, request: visit.request, outcome, facts });
  if (!isKept) return refuse({ code: "not_found" });
  const bundleOf = (of: string) => desk.bundles.bundleOf(desk.database, id, of);
  const standing = await bundleOf(contract.bundleDigest);
  const pending: Pending[] = [];
  for (const approval of await selectOpenChanges(desk.database, id)) {
    const step = await findStep(desk.database, contract, approval);
    if (step) pending.push({ approval, after: step.after, differences: diffBundles(standing, await bundleOf(step.after)) });
  }
  return ok({ contract: id, inForce: contract.bundleDigest, digest: wanted, bundle: await bundleOf(wanted), pending });
}
