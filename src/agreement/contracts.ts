/** What an owner sees of their contracts. */
import { type Contract, lastDaysAt, selectContractsOf, standingAt, windsDownAt } from "../contracts/index.ts";
import { type ContractId, ok, type Refusal, type Result } from "../kernel/index.ts";
import { enterContract, enterHouse, type OfficeDoor, type Visit } from "../offices/index.ts";
import { countRecords } from "../records/index.ts";

export interface Shown extends Contract {
  readonly records: Readonly<Record<string, number>>;
}

export async function listContracts(door: OfficeDoor, visit: Visit): Promise<Result<Contract[], Refusal>> {
  const entered = await enterHouse(door, visit);
  if (!entered.ok) return entered;
  const { actor, log, merchants } = entered.value;
  await door.audit.append(log, { event: "contracts.listed", actor, request: visit.request, outcome: { effect: "allow", code: "ok" } });
  const lists = await Promise.all(merchants.map((merchant) => selectContractsOf(door.database, merchant)));
  return ok(lists.flat());
}

export async function showContract(door: OfficeDoor, visit: Visit, id: ContractId): Promise<Result<Shown, Refusal>> {
  const entered = await enterContract(door, visit, id);
  if (!entered.ok) return entered;
  const { actor, log, contract } = entered.value;
  await door.audit.append(log, { event: "contract.read", actor, request: visit.request, outcome: { effect: "allow", code: "ok" } });
  const counts = await countRecords(door.database, id);
  return ok({ ...contract, records: Object.fromEntries(counts.map(({ type, records }) => [type, records])) });
}

export function describeContract(contract: Contract) {
  const { id, merchant, vendor, startsAt, endsAt, purgeDueAt, suspendedAt, held, bundleDigest, readAt } = contract;
  return {
    contract: id,
    merchant,
    vendor,
    standing: standingAt(contract, readAt),
    starts_at: new Date(startsAt).toISOString(),
    winds_down_at: new Date(windsDownAt(contract)).toISOString(),
    last_days_at: new Date(lastDaysAt(contract)).toISOString(),
    ends_at: new Date(endsAt).toISOString(),
    purge_due_at: new Date(purgeDueAt).toISOString(),
    suspended_at: suspendedAt === null ? null : new Date(suspendedAt).toISOString(),
    held,
    digest: bundleDigest,
  };
}
