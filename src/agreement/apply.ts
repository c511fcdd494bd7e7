/**
 * An owner writes a contract:  enter → parse → merchant is theirs? → compile → log → draft
 * A draft may be replaced until it is activated. Nothing is coerced: a file with a problem changes nothing.
 */

import { gatewayLog } from "../audit/index.ts";
import { type NewContract, putDraft } from "../contracts/index.ts";
import { type ContractId, ok, type Refusal, type Result, refuse } from "../kernel/index.ts";
import { enterHouse, type OfficeDoor, type Visit } from "../offices/index.ts";
import { bundleDigest, bundleText, termInstants } from "../policy/index.ts";
import { compileFiles, type Files } from "./files.ts";

export interface Applied {
  readonly contract: ContractId;
  readonly digest: string;
  readonly startsAt: string;
  readonly endsAt: string;
  readonly purgeDueAt: string;
}

export async function applyContract(door: OfficeDoor, visit: Visit, files: Files): Promise<Result<Applied, Refusal>> {
  const entered = await enterHouse(door, visit);
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

function draftFrom(files: Files): Result<NewContract, Refusal> {
  const compiled = compileFiles(files);
  if (!compiled.ok) return compiled;
  const { bundle } = compiled.value;
  const { id, merchant, vendor, term } = bundle.contract;
  if (id === gatewayLog) return refuse({ code: "unacceptable", errors: [{ pointer: files.contract.name, code: "reserved_id" }] });
  const text = bundleText(bundle);
  return ok({ id: id as ContractId, merchant, vendor, ...termInstants(term), bundleDigest: bundleDigest(text), compiled: text });
}

function checkOwner(draft: NewContract, merchants: readonly string[]): Refusal | null {
  return merchants.includes(draft.merchant)
    ? null
    : { code: "not_permitted", errors: [{ pointer: "/contract/parties/merchant", code: "not_yours" }] };
}
