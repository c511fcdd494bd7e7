/**
 * Seats by the hundred from a CSV (issuer,subject,role,name):  enter → parse → check every row → log → write, all or nothing.
 */
import type { EntryDraft, LogHandle } from "../audit/index.ts";
import { type Bundles, type Contract, isInLastDays, putSeats, selectContract, selectSeated, shareContract } from "../contracts/index.ts";
import { type ContractId, ok, type Refusal, type Result, refuse } from "../kernel/index.ts";
import { enterContract, logOfContract, type OfficeDoor, type Visit } from "../offices/index.ts";
import { mayHold } from "../policy/index.ts";
import { refusableTransaction } from "../storage/index.ts";
import { readSeatRows, refuseRows, type SeatRow, twinsOf } from "./seat-rows.ts";

export interface SeatsDesk extends OfficeDoor {
  readonly bundles: Bundles;
  /** Ids of the token issuers that a vendor's seats may name: its own, where the operator's file says which these are. */
  readonly issuersOf: (vendor: string) => readonly string[];
}

export async function importSeats(
  door: SeatsDesk,
  visit: Visit,
  id: ContractId,
  csv: Uint8Array,
): Promise<Result<{ seats: number }, Refusal>> {
  const entered = await enterContract(door, visit, id);
  if (!entered.ok) return entered;
  const { actor, contract, log } = entered.value;
  const bundle = await door.bundles.bundleOf(door.database, id, contract.bundleDigest);
  const refusal = refusalOfState(contract);
  const rows: Result<readonly SeatRow[], Refusal> = refusal
    ? refuse(refusal)
    : readSeatRows(csv, {
        roles: new Set(Object.keys(bundle.roles)),
        mayHold: (role) => mayHold(bundle, role),
        issuers: new Set(door.issuersOf(contract.vendor)),
        holdsOffice: (seat) => door.offices.officeAt(contract, seat) !== null,
        seated: await selectSeated(door.database, id),
      });
  const note = (into: LogHandle, refused: Refusal | null, facts: EntryDraft["facts"] = {}) => {
    const outcome = refused ? ({ effect: "deny", code: refused.code } as const) : ({ effect: "allow", code: "imported" } as const);
    return door.audit.append(into, { event: "seats.imported", actor, request: visit.request, outcome, facts: { contract: id, ...facts } });
  };
  if (!rows.ok) {
    await note(log, rows.refusal);
    return rows;
  }
  const seats = rows.value.length;
  await note(log, null, { seats });
  const written = await refusableTransaction<{ seats: number }>(door.database, async (tx) => {
    // The purge's fence waits for this transaction, and after it no seat is written.
    const standing = await shareContract(tx, id);
    const late = standing ? refusalOfState(standing) : ({ code: "wrong_state" } as const);
    if (late) return refuse(late);
    const isWritten = await putSeats(
      tx,
      id,
      rows.value.map(({ seat }) => seat),
    );
    // Another import, of whoever looks the same, was quicker.
    return isWritten ? ok({ seats }) : refuseRows(twinsOf(await selectSeated(tx, id), rows.value));
  });
  // Overtaken, perhaps by the purge: then the contract's log is the purge's alone.
  if (!written.ok) await note(await logOfContract(door, (await selectContract(door.database, id)) ?? contract), written.refusal);
  return written;
}

function refusalOfState(contract: Contract): Refusal | null {
  if (contract.state !== "draft" && contract.state !== "active") return { code: "wrong_state" };
  return isInLastDays(contract, contract.readAt) ? { code: "winding_down" } : null;
}
