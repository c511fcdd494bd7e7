/**
 * Seats by the hundred from a CSV (issuer,subject,role,name):  enter → parse → check every row → log → write, all or nothing.
 */
import { parse } from "csv-parse/sync";
import * as z from "zod";
import type { EntryDraft, LogHandle } from "../audit/index.ts";
import { type Bundles, type Contract, isInLastDays, putSeats, type Seat, selectContract, shareContract } from "../contracts/index.ts";
import { type ContractId, ok, type Refusal, type Result, refuse } from "../kernel/index.ts";
import { enterContract, logOfContract, type OfficeDoor, type Visit } from "../offices/index.ts";

const columns = ["issuer", "subject", "role", "name"] as const;
const seatsMax = 5_000;

const visible = /^[^\p{Cc}\p{Cf}\p{Co}\p{Cs}]+$/u;
const rowSchema = z.strictObject({
  issuer: z.string().regex(/^[A-Za-z0-9][A-Za-z0-9._~-]{0,127}$/),
  subject: z.string().min(1).max(255).regex(visible),
  role: z.string().min(1).max(128),
  name: z.string().min(1).max(128).regex(visible),
});

export interface SeatsDesk extends OfficeDoor {
  readonly bundles: Bundles;
  /** Ids of the token issuers that a vendor's seats may name: its own, where the operator's file says which these are. */
  readonly issuersOf: (vendor: string) => readonly string[];
}

export async function importSeats(door: SeatsDesk, visit: Visit, id: ContractId, csv: string): Promise<Result<{ seats: number }, Refusal>> {
  const entered = await enterContract(door, visit, id);
  if (!entered.ok) return entered;
  const { actor, contract, log } = entered.value;
  const bundle = await door.bundles.bundleOf(door.database, id, contract.bundleDigest);
  const refusal = refusalOfState(contract);
  const seats: Result<readonly Seat[], Refusal> = refusal
    ? refuse(refusal)
    : readSeats(csv, {
        roles: new Set(Object.keys(bundle.roles)),
        issuers: new Set(door.issuersOf(contract.vendor)),
        holdsOffice: (seat) => door.offices.officeAt(contract.merchant, seat) !== null,
      });
  const note = (into: LogHandle, refused: Refusal | null, facts: EntryDraft["facts"] = {}) => {
    const outcome = refused ? ({ effect: "deny", code: refused.code } as const) : ({ effect: "allow", code: "imported" } as const);
    return door.audit.append(into, { event: "seats.imported", actor, request: visit.request, outcome, facts: { contract: id, ...facts } });
  };
  if (!seats.ok) {
    await note(log, seats.refusal);
    return seats;
  }
  await note(log, null, { seats: seats.value.length });
  const written = await door.database.transaction<Result<{ seats: number }, Refusal>>(async (tx) => {
    // The purge's fence waits for this transaction, and after it no seat is written.
    const standing = await shareContract(tx, id);
    const late = standing ? refusalOfState(standing) : ({ code: "wrong_state" } as const);
    if (late) return refuse(late);
    await putSeats(tx, id, seats.value);
    return ok({ seats: seats.value.length });
  });
  // Overtaken, perhaps by the purge: then the contract's log is the purge's alone.
  if (!written.ok) await note(await logOfContract(door, (await selectContract(door.database, id)) ?? contract), written.refusal);
  return written;
}

function refusalOfState(contract: Contract): Refusal | null {
  if (contract.state !== "draft" && contract.state !== "active") return { code: "wrong_state" };
  return isInLastDays(contract, contract.readAt) ? { code: "winding_down" } : null;
}

interface Known {
  readonly roles: ReadonlySet<string>;
  readonly issuers: ReadonlySet<string>;
  /** Owners and officers of the merchant do not sit among the vendor's agents: one principal has one role per contract. */
  readonly holdsOffice: (seat: Seat) => boolean;
}

/** `pointer`: `row:N`, the header being row 1. */
function readSeats(csv: string, known: Known): Result<readonly Seat[], Refusal> {
  const table = readTable(csv);
  if (!table.ok) return table;
  const [header, ...rows] = table.value;
  if (header?.join(",") !== columns.join(",")) return reject("row:1", "header", `the first row is ${columns.join(",")}`);
  if (rows.length > seatsMax) return reject(`row:${seatsMax + 2}`, "too_many", `at most ${seatsMax} seats at once`);
  const errors: { pointer: string; code: string }[] = [];
  const seats: Seat[] = [];
  const seen = new Set<string>();
  rows.forEach((cells, i) => {
    const row = rowSchema.safeParse(Object.fromEntries(columns.map((column, at) => [column, cells[at]])));
    const code = row.success ? faultOf(row.data, known, seen) : `bad_${String(row.error.issues[0]?.path[0] ?? "row")}`;
    if (code !== null || !row.success) errors.push({ pointer: `row:${i + 2}`, code: code ?? "bad_row" });
    else seats.push(row.data);
  });
  return errors.length > 0 ? refuse({ code: "unacceptable", errors: errors.slice(0, 100) }) : ok(seats);
}

function faultOf(seat: Seat, { roles, issuers, holdsOffice }: Known, seen: Set<string>): string | null {
  if (!issuers.has(seat.issuer)) return "unknown_issuer";
  if (!roles.has(seat.role)) return "unknown_role";
  if (holdsOffice(seat)) return "holds_office";
  const person = `${seat.issuer}\u0000${seat.subject.normalize("NFKC").toLowerCase()}`;
  if (seen.has(person)) return "duplicate";
  seen.add(person);
  return null;
}

function readTable(csv: string): Result<string[][], Refusal> {
  try {
    return ok(parse(csv, { bom: true, relax_column_count: false, skip_empty_lines: true }));
  } catch (error) {
    const line = error instanceof Error && "lines" in error ? Number(error.lines) : 1;
    return reject(`row:${line}`, "csv", "not a CSV row of four columns");
  }
}

function reject(pointer: string, code: string, message: string): Result<never, Refusal> {
  return refuse({ code: "unacceptable", errors: [{ pointer, code, message }] });
}
