/**
 * An owner writes a contract:  enter → parse → merchant is theirs? → compile → log → draft
 * A draft may be replaced until it is activated. Nothing is coerced: a file with a problem changes nothing.
 */

import { gatewayLog } from "../audit/index.ts";
import { type NewContract, putDraft } from "../contracts/index.ts";
import { type ContractId, ok, type Refusal, type Result, refuse } from "../kernel/index.ts";
import { enterHouse, type OfficeDoor, type Visit } from "../offices/index.ts";
import {
  bundleDigest,
  bundleText,
  compile,
  describeProblem,
  type Problem,
  parseContract,
  parsePolicy,
  termInstants,
} from "../policy/index.ts";

export interface Files {
  /** YAML texts and the names that problems are reported under. */
  readonly contract: { readonly name: string; readonly text: string };
  readonly policy: { readonly name: string; readonly text: string };
}

export interface Applied {
  readonly contract: ContractId;
  readonly digest: string;
  readonly startsAt: string;
  readonly endsAt: string;
  readonly purgeDueAt: string;
}

export async function applyContract(door: OfficeDoor, visit: Visit, files: Files): Promise<Result<Applied, Refusal>> {
  const entered = await enterHouse(door, visit, "merchant_owner");
  if (!entered.ok) return entered;
  const { actor, log, merchants } = entered.value;
  const drafted = draftFrom(files);
  const refusal = drafted.ok ? checkOwner(drafted.value, merchants) : drafted.refusal;
  const facts = drafted.ok ? { contract: drafted.value.id, digest: drafted.value.bundleDigest } : {};
  const outcome = refusal ? ({ effect: "deny", code: refusal.code } as const) : ({ effect: "allow", code: "draft" } as const);
  await door.audit.append(log, { event: "contract.applied", actor, request: visit.request, outcome, facts });
  if (!drafted.ok || refusal) return refuse(refusal ?? { code: "unacceptable" });
  const written = await door.database.transaction((tx) => putDraft(tx, drafted.value));
  if (!written) return refuse({ code: "wrong_state" });
  const { id, bundleDigest: digest, startsAt, endsAt, purgeDueAt } = drafted.value;
  return ok({ contract: id, digest, startsAt, endsAt, purgeDueAt });
}

function draftFrom({ contract, policy }: Files): Result<NewContract, Refusal> {
  const agreed = parseContract(contract.text, contract.name);
  const written = parsePolicy(policy.text, policy.name);
  if (!agreed.ok || !written.ok) {
    return problems([...(agreed.ok ? [] : agreed.refusal), ...(written.ok ? [] : written.refusal)]);
  }
  const compiled = compile(written.value, agreed.value);
  if (!compiled.ok) return problems(compiled.refusal);
  const { id, merchant, vendor, term } = compiled.value.contract;
  if (id === gatewayLog) return refuse({ code: "unacceptable", errors: [{ pointer: contract.name, code: "reserved_id" }] });
  const text = bundleText(compiled.value);
  return ok({ id: id as ContractId, merchant, vendor, ...termInstants(term), bundleDigest: bundleDigest(text), compiled: text });
}

function problems(found: readonly Problem[]): Result<never, Refusal> {
  const errors = found.map((problem) => ({
    pointer: `${problem.file}:${problem.line}:${problem.column}`,
    code: problem.code,
    message: describeProblem(problem),
  }));
  return refuse({ code: "unacceptable", errors });
}

function checkOwner(draft: NewContract, merchants: readonly string[]): Refusal | null {
  return merchants.includes(draft.merchant)
    ? null
    : { code: "not_permitted", errors: [{ pointer: "/contract/parties/merchant", code: "not_yours" }] };
}
