/**
 * The keyed question:  enter → log → keys → name.  An officer names a person by the merchant's own id and learns the names that entries have for them.
 * The id comes in a body, so that no address holds it, and goes no further. Whether there is such a person is not said: any id has names.
 */
import { subjectPseudonym } from "../audit/index.ts";
import { type ContractId, ok, type Refusal, type Result, refuse } from "../kernel/index.ts";
import { enterContract, type Visit } from "../offices/index.ts";
import { locatorOf } from "../records/index.ts";
import { keysOf, type Oversight } from "./ask.ts";

export interface Named {
  /** To search by while the contract's keys live: finds refused asks, too, which name a record and no person. */
  readonly locator: string;
  /** To search by for as long as the log is kept. */
  readonly subject: string;
}

export async function nameSubject(
  deps: Oversight,
  visit: Visit,
  id: ContractId,
  { type, merchantId }: { readonly type: string; readonly merchantId: string },
): Promise<Result<Named, Refusal>> {
  const entered = await enterContract(deps, visit, id);
  if (!entered.ok) return entered;
  const { actor, contract, log } = entered.value;
  const keys = await keysOf(deps, entered.value);
  const bundle = keys && (await deps.bundles.bundleOf(deps.database, id, contract.bundleDigest));
  const isKnown = bundle !== null && Object.hasOwn(bundle.resources, type);
  const refusal: Refusal | null =
    keys === null ? { code: "wrong_state" } : isKnown ? null : { code: "unacceptable", errors: [{ pointer: "/type", code: "unknown" }] };
  const outcome = refusal ? ({ effect: "deny", code: refusal.code } as const) : ({ effect: "allow", code: "subject_named" } as const);
  await deps.audit.append(log, { event: "audit.listed", actor, request: visit.request, outcome, facts: { contract: id } });
  if (refusal || keys === null) return refuse(refusal ?? { code: "wrong_state" });
  const locator = locatorOf(keys.locator, type, merchantId);
  return ok({ locator, subject: subjectPseudonym(keys.pseudonym, locator) });
}
