/** Who sits at a contract, and whether they could work now:  enter → read → judge → log. */
import { type Bundles, type ListedSeat, selectSeats } from "../contracts/index.ts";
import { type ContractId, ok, type Refusal, type Result } from "../kernel/index.ts";
import { enterContract, logAct, type OfficeDoor, type Visit } from "../offices/index.ts";
import { faultOfSeat } from "../policy/index.ts";

const listedMax = 10_000;

export interface SeatListed extends ListedSeat {
  /** The code with which the contract's terms would refuse it now; `null` = they would not. */
  readonly fault: string | null;
}

export interface SeatsListed {
  readonly seats: readonly SeatListed[];
  /** There are more than are listed. */
  readonly more: boolean;
}

export async function listSeats(
  door: OfficeDoor & { readonly bundles: Bundles },
  visit: Visit,
  id: ContractId,
): Promise<Result<SeatsListed, Refusal>> {
  const entered = await enterContract(door, visit, id);
  if (!entered.ok) return entered;
  const { contract } = entered.value;
  const bundle = await door.bundles.bundleOf(door.database, id, contract.bundleDigest);
  const read = await selectSeats(door.database, id, listedMax + 1);
  const seats = read.slice(0, listedMax).map((seat) => ({ ...seat, fault: faultOfSeat(bundle, seat, contract.readAt) }));
  const outcome = { effect: "allow", code: "ok" } as const;
  await logAct(door, visit, entered.value, { event: "seats.listed", outcome, facts: { contract: id, seats: seats.length } });
  return ok({ seats, more: read.length > listedMax });
}
