/**
 * The rows of a CSV of seats, each with what is wrong with it; what the file is taken for is decided here, whether it may be written in `seats.ts`.
 * `pointer`: `row:N`, the line of the file, the header's being 1.
 */
import { parse } from "csv-parse/sync";
import * as z from "zod";
import { faultOfSubject, likenessOf, type Seat, startsFormula, visible } from "../contracts/index.ts";
import { fromUtf8 } from "../crypto/index.ts";
import { ok, type Refusal, type Result, refuse } from "../kernel/index.ts";
import { isCivilDate, type Paper, parseShifts } from "../policy/index.ts";

const columns = ["issuer", "subject", "role", "name"];
/** May follow in any order; what a file has no column for stays as it is. A last day is of a paper, so its column is never alone. */
const furtherColumns = ["agreement_on", "agreement_until", "training_on", "training_until", "shifts"];
const seatsMax = 5_000;
const errorsMax = 100;
const newline = 0x0a;

const day = z.string().refine((text) => text === "" || isCivilDate(text));
const rowSchema = z.strictObject({
  issuer: z.string().regex(/^[A-Za-z0-9][A-Za-z0-9._~-]{0,127}$/),
  subject: z.string().min(1).max(255).regex(visible),
  role: z.string().min(1).max(128),
  name: z.string().min(1).max(128).regex(visible),
  agreement_on: day.optional(),
  agreement_until: day.optional(),
  training_on: day.optional(),
  training_until: day.optional(),
  shifts: z
    .string()
    .max(256)
    .refine((text) => text === "" || parseShifts(text) !== null)
    .optional(),
});
const recordsSchema = z.array(z.object({ record: z.array(z.string()), info: z.object({ lines: z.int() }) }));
type CsvRecord = z.infer<typeof recordsSchema>[number];

export interface SeatRow {
  readonly seat: Seat;
  readonly pointer: string;
}

export interface Known {
  readonly roles: ReadonlySet<string>;
  /** Of these, whether the contract lets a seat have it. */
  readonly mayHold: (role: string) => boolean;
  readonly issuers: ReadonlySet<string>;
  /** Owners and officers of the merchant and admins of the vendor do not sit among the vendor's agents: one principal has one role per contract. */
  readonly holdsOffice: (seat: Seat) => boolean;
  /** Who has a seat, or had one that was taken away. */
  readonly seated: readonly Pick<Seat, "issuer" | "subject">[];
}

interface RowError {
  readonly pointer: string;
  readonly code: string;
}

export function readSeatRows(csv: Uint8Array, known: Known): Result<readonly SeatRow[], Refusal> {
  const text = readLines(csv);
  if (!text.ok) return text;
  const records = readRecords(text.value);
  if (!records.ok) return records;
  const [header, ...body] = records.value;
  const names = header?.record ?? [];
  if (!isHeader(names))
    return reject("row:1", "header", `the first row is ${columns.join(",")}, and perhaps more of ${furtherColumns.join(",")}`);
  const over = body[seatsMax];
  if (over) return reject(pointerOf(over), "too_many", `at most ${seatsMax} seats at once`);
  const read = body.map((record) => readRow(record, names, known));
  const rows = read.flatMap((row) => (row.ok ? [row.value] : []));
  return settle([...read.flatMap((row) => (row.ok ? [] : [row.refusal])), ...repeated(rows), ...twinsOf(known.seated, rows)], rows);
}

/** Rows whose subject looks like another's who is seated: with that name somebody would be taken for them. */
export function twinsOf(seated: Known["seated"], rows: readonly SeatRow[]): RowError[] {
  const subjects = new Map(seated.map((seat) => [likenessAt(seat), seat.subject]));
  return rows.flatMap(({ seat, pointer }) => {
    const like = subjects.get(likenessAt(seat));
    return like === undefined || like === seat.subject ? [] : [{ pointer, code: "twin" }];
  });
}

export function refuseRows(errors: readonly RowError[]): Result<never, Refusal> {
  return refuse({ code: "unacceptable", errors: errors.slice(0, errorsMax) });
}

function settle(errors: readonly RowError[], rows: readonly SeatRow[]): Result<readonly SeatRow[], Refusal> {
  if (errors.length === 0) return ok(rows);
  return refuseRows(errors.toSorted((a, b) => lineOf(a) - lineOf(b)));
}

function lineOf({ pointer }: RowError): number {
  return Number(pointer.slice("row:".length));
}

function isHeader(names: readonly string[]): boolean {
  const further = names.slice(columns.length);
  return (
    names.slice(0, columns.length).join(",") === columns.join(",") &&
    new Set(further).size === further.length &&
    further.every((name) => furtherColumns.includes(name) && names.includes(name.replace(/_until$/, "_on")))
  );
}

function readRow(csvRecord: CsvRecord, names: readonly string[], known: Known): Result<SeatRow, RowError> {
  const pointer = pointerOf(csvRecord);
  const { record } = csvRecord;
  if (record.length !== names.length) return refuse({ pointer, code: "bad_row" });
  const row = rowSchema.safeParse(Object.fromEntries(names.map((column, at) => [column, record[at]])));
  if (!row.success) return refuse({ pointer, code: `bad_${String(row.error.issues[0]?.path[0] ?? "row")}` });
  const { issuer, subject, role, name, agreement_on, agreement_until, training_on, training_until, shifts } = row.data;
  const agreement = readPaper(agreement_on, agreement_until);
  const training = readPaper(training_on, training_until);
  if (agreement === "wrong" || training === "wrong")
    return refuse({ pointer, code: agreement === "wrong" ? "bad_agreement_until" : "bad_training_until" });
  const seat = {
    ...{ issuer, subject, role, name },
    ...(agreement !== undefined && { agreement }),
    ...(training !== undefined && { training }),
    ...(shifts !== undefined && { shifts: shifts || null }),
  };
  const code = faultOf(seat, known);
  return code === null ? ok({ seat, pointer }) : refuse({ pointer, code });
}

/** An empty day is none: `null`. Of a column that the file has not: `undefined`. A last day without, or before, the first is wrong. */
function readPaper(on: string | undefined, until: string | undefined): Paper | null | undefined | "wrong" {
  if (on === undefined) return undefined;
  if (until !== undefined && until !== "" && (on === "" || until < on)) return "wrong";
  return on === "" ? null : { on, until: until || null };
}

function faultOf(seat: Seat, { roles, mayHold, issuers, holdsOffice }: Known): string | null {
  if (!issuers.has(seat.issuer)) return "unknown_issuer";
  if (!roles.has(seat.role)) return "unknown_role";
  if (!mayHold(seat.role)) return "role_not_allowed";
  if (holdsOffice(seat)) return "holds_office";
  return faultOfSubject(seat.subject) ?? (startsFormula(seat.name) ? "formula" : null);
}

/** Somebody twice, or two who look alike. */
function repeated(rows: readonly SeatRow[]): RowError[] {
  const seen = new Set<string>();
  return rows.flatMap(({ seat, pointer }) => {
    const person = likenessAt(seat);
    if (seen.has(person)) return [{ pointer, code: "duplicate" }];
    seen.add(person);
    return [];
  });
}

function likenessAt({ issuer, subject }: Pick<Seat, "issuer" | "subject">): string {
  return `${issuer}\u0000${likenessOf(subject)}`;
}

/** A spreadsheet of ours may be saved in GBK: then each row that is no UTF-8 is named. No byte of a GBK letter is a line's end. */
function readLines(csv: Uint8Array): Result<string, Refusal> {
  const text = decode(csv);
  if (text !== null) return ok(text);
  const errors: RowError[] = [];
  let start = 0;
  for (let row = 1; start < csv.length && errors.length < errorsMax; row++) {
    const found = csv.indexOf(newline, start);
    const end = found === -1 ? csv.length : found;
    if (decode(csv.subarray(start, end)) === null) errors.push({ pointer: `row:${row}`, code: "not_utf8" });
    start = end + 1;
  }
  return refuseRows(errors);
}

function decode(bytes: Uint8Array): string | null {
  try {
    return fromUtf8(bytes);
  } catch {
    return null;
  }
}

function readRecords(text: string): Result<CsvRecord[], Refusal> {
  try {
    const options = { bom: true, info: true, record_delimiter: ["\r\n", "\n"], relax_column_count: true, skip_empty_lines: true };
    return ok(recordsSchema.parse(parse(text, options)));
  } catch (error) {
    if (error instanceof z.ZodError) throw error;
    const line = error instanceof Error && "lines" in error ? Number(error.lines) : 1;
    return reject(`row:${line}`, "csv", "not a row of CSV");
  }
}

function pointerOf({ info }: CsvRecord): string {
  return `row:${info.lines}`;
}

function reject(pointer: string, code: string, message: string): Result<never, Refusal> {
  return refuse({ code: "unacceptable", errors: [{ pointer, code, message }] });
}
