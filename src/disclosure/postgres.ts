/**
 * The vault: one statement returns the clock, the contract's standing, the seat, the sealed records and their wrapped keys.
 * It always answers at least one row a question, so that a missing contract costs what a present one costs.
 * Questions of one contract that come while others are under way share a statement, but for searches: most of a small statement's cost is the journey.
 */
import { type ContractState, isSeatStandingText } from "../contracts/index.ts";
import type { ContractId, Locator } from "../kernel/index.ts";
import type { HeldSeat, Paper } from "../policy/index.ts";
import { isRevokedText } from "../revocations/index.ts";
import { type Cell, databaseNowText, inBatches, type Queryable, type Row } from "../storage/index.ts";
import { connectorVersionText } from "../upstream/index.ts";
import { hitsMax, type Load, type Loaded, type LoadedRecord, type Question } from "./load.ts";

const batchLimits = { batchMax: 16, underWayMax: 4 };

interface LocatorQuestion extends Question {
  readonly find: { readonly locator: Locator };
}

export function createVaultLoad(database: Queryable): Load {
  const read = gathered<LocatorQuestion>((contract, questions) => readByLocator(database, contract, questions));
  const stand = gathered<Question>((contract, questions) => readStandings(database, contract, questions));
  return async (question) => {
    const { contract, issuer, subject, token, key, type, find } = question;
    if (find && "locator" in find) return read({ ...question, find });
    if (!find || "connector" in find) return stand(question);
    return readRows(await database.query(byIndexText, [contract, issuer, subject, token, key, type, find.field, find.indexValue]));
  };
}

/** What is asked of one contract goes together; nothing is kept of a contract of which nothing is asked. */
function gathered<Asked extends Question>(
  ask: (contract: ContractId, questions: readonly Asked[]) => Promise<Loaded[]>,
): (question: Asked) => Promise<Loaded> {
  const gatherings = new Map<ContractId, (question: Asked) => Promise<Loaded>>();
  return (question) => {
    const { contract } = question;
    const known = gatherings.get(contract);
    if (known) return known(question);
    const made = inBatches<Asked, Loaded>(
      (questions) => ask(contract, questions),
      batchLimits,
      () => gatherings.delete(contract),
    );
    gatherings.set(contract, made);
    return made(question);
  };
}

/** Of who asks, and of the connector that they ask by. */
async function readStandings(database: Queryable, contract: ContractId, questions: readonly Question[]): Promise<Loaded[]> {
  const asked = questions.map(({ issuer, subject, token, key, find }, n) => ({
    ...{ n, issuer, subject, token, key },
    connector: find && "connector" in find ? find.connector : null,
  }));
  const [row = []] = await database.query(standingsText, [contract, JSON.stringify(asked)]);
  const standing = readStanding(row);
  const answers: Loaded[] = [];
  for (const [n, revoked, seat, connector] of JSON.parse(String(row[standingColumns.length])) as FoundStanding[])
    answers[n] = { ...standing, revoked, seat: readSeat(seat), records: [], ...(connector !== null && { connector }) };
  return answers;
}

/** The question's number, whether its asker is revoked, their seat, and which row the connector is. */
type FoundStanding = [n: number, revoked: boolean, seat: SeatRow, connector: string | null];

/** One row answers them all: what was found as one JSON text, and each column of ciphertexts end to end, because a cell costs more than its bytes. */
async function readByLocator(database: Queryable, contract: ContractId, questions: readonly LocatorQuestion[]): Promise<Loaded[]> {
  const asked = questions.map(({ issuer, subject, token, key, type, find }, n) => ({
    n,
    issuer,
    subject,
    token,
    key,
    type,
    locator: find.locator,
  }));
  const [row = []] = await database.query(byLocatorText, [contract, JSON.stringify(asked)]);
  const standing = readStanding(row);
  const [found, ...columns] = row.slice(standingColumns.length);
  const cutters = columns.map(cutterOf);
  const answers: Loaded[] = [];
  for (const [n, revoked, seat, locator, subject, version, epoch, ...lengths] of JSON.parse(String(found)) as Found[]) {
    const [wrapped = null, ...levels] = cutters.map((cut, i) => cut(lengths[i] ?? null));
    const record = locator === null ? [] : [readRecord([locator, subject, version, epoch, wrapped, ...levels])];
    answers[n] = { ...standing, revoked, seat: readSeat(seat), records: record };
  }
  return answers;
}

/** The question's number, whether its asker is revoked, their seat, the record's name and version, its key's epoch, and the lengths of its key and its levels. */
type Found = [
  n: number,
  revoked: boolean,
  seat: SeatRow,
  locator: string | null,
  subject: string | null,
  version: number | null,
  epoch: number | null,
  ...lengths: (number | null)[],
];

/** Cuts the next `length` bytes off; `null` stays `null`. */
function cutterOf(cell: Cell): (length: number | null) => Uint8Array | null {
  const bytes = cell instanceof Uint8Array ? cell : new Uint8Array();
  let at = 0;
  return (length) => {
    if (length === null) return null;
    at += length;
    return bytes.subarray(at - length, at);
  };
}

const standingColumns = [
  databaseNowText,
  "c.state",
  "(extract(epoch from c.starts_at) * 1000)::float8",
  "(extract(epoch from c.ends_at) * 1000)::float8",
  "c.suspended_at is not null",
  "c.merchant",
  "c.vendor",
  "c.bundle_digest",
  "coalesce((select max(e.epoch) from postern.key_epoch e where e.contract_id = $1), 0)",
];
const standing = standingColumns.join(", ");
const contractAsked = "(select 1) one left join postern.contract c on c.contract_id = $1";
const ciphertexts = ["k.wrapped", "r.level0", "r.level1", "r.level2", "r.level3"];
const recordColumns = ["r.locator", "r.subject", "r.version", "k.epoch"];
// Names and keys carry no statistics, so the planner takes them for common values and would rather read whole tables.
// `limit 1` of a unique key changes no row and leaves it only the index.
const seatOf = (issuer: string, subject: string) => `left join lateral (select * from postern.seat s
    where s.contract_id = $1 and s.issuer = ${issuer} and s.subject = ${subject} and ${isSeatStandingText("s", "c.vendor")} limit 1) s on true`;
/** JSON: dates in it are ISO 8601, whatever the database's own style. */
const seat = "json_build_array(s.role, s.approved_role, s.agreement_on, s.agreement_until, s.training_on, s.training_until, s.shifts)";
const revoked = (issuer: string, subject: string, token: string, key: string) =>
  isRevokedText({ issuer, subject, token, key, vendor: "c.vendor" });
/** Of a statement with one question. */
const asker = ["$2::text", "$3::text", "$4::text", "$5::text"] as const;
const recordNamed = (type: string, locator: string) => `left join lateral (select * from postern.record r
    where r.contract_id = $1 and r.type = ${type} and r.locator = ${locator} limit 1) r on true
  left join lateral (select * from postern.subject_key k where k.contract_id = $1 and k.subject = r.subject limit 1) k on true`;

const revokedAsker = revoked("q.issuer", "q.subject", "q.token", "q.key");
const standingsText = `select ${standing}, f.found from ${contractAsked} cross join lateral (
  select json_agg(json_build_array(q.n, ${revokedAsker}, ${seat}, ${connectorVersionText("x")}))::text as found
  from jsonb_to_recordset($2::text::jsonb) as q(n int, issuer text, subject text, token text, key text, connector text)
  ${seatOf("q.issuer", "q.subject")}
  left join lateral (select x.xmin, x.registered_at from postern.connector x
    where x.contract_id = $1 and x.name = q.connector limit 1) x on true) f`;
const byLocatorText = `select ${standing}, f.* from ${contractAsked} cross join lateral (
  select json_agg(json_build_array(q.n, ${revokedAsker}, ${seat}, ${recordColumns.join(", ")}, ${ciphertexts.map((column) => `length(${column})`).join(", ")}))::text,
    ${ciphertexts.map((column) => `string_agg(${column}, ''::bytea)`).join(", ")}
  from jsonb_to_recordset($2::text::jsonb) as q(n int, issuer text, subject text, token text, key text, type text, locator text)
  ${seatOf("q.issuer", "q.subject")}
  ${recordNamed("q.type", "q.locator")}) f`;
const byIndexText = `select ${standing}, ${revoked(...asker)}, ${seat}::text, ${[...recordColumns, ...ciphertexts].join(", ")} from ${contractAsked} ${seatOf("$2", "$3")}
  left join lateral (select b.locator from postern.blind_index b
    where b.contract_id = $1 and b.type = $6 and b.field = $7 and b.value = $8 order by b.locator limit ${hitsMax + 1}) hit on true
  ${recordNamed("$6", "hit.locator")}`;

function readRows(rows: readonly Row[]): Loaded {
  const [first = []] = rows;
  const [revoked, seat] = first.slice(standingColumns.length);
  const records = rows.map((row) => row.slice(standingColumns.length + 2)).filter(([locator]) => typeof locator === "string");
  return {
    ...readStanding(first),
    revoked: revoked !== false,
    seat: readSeat(JSON.parse(String(seat)) as SeatRow),
    records: records.map(readRecord),
  };
}

/** As `seat` has it. */
type SeatRow = [
  role: string | null,
  approvedRole: string | null,
  agreementOn: string | null,
  agreementUntil: string | null,
  trainingOn: string | null,
  trainingUntil: string | null,
  shifts: string | null,
];

function readSeat([role, approvedRole, agreementOn, agreementUntil, trainingOn, trainingUntil, shifts]: SeatRow): HeldSeat | null {
  if (role === null) return null;
  const [agreement, training] = [readPaper(agreementOn, agreementUntil), readPaper(trainingOn, trainingUntil)];
  return { role, approvedRole, agreement, training, shifts };
}

function readPaper(on: string | null, until: string | null): Paper | null {
  return on === null ? null : { on, until };
}

function readStanding([now, state, startsAt, endsAt, suspended, merchant, vendor, bundleDigest, epoch]: Row): Pick<
  Loaded,
  "now" | "contract"
> {
  if (typeof now !== "number") throw new Error("the vault answered no row");
  if (state === null) return { now, contract: null };
  return {
    now,
    contract: {
      state: String(state) as ContractState,
      startsAt: Number(startsAt),
      endsAt: Number(endsAt),
      suspended: suspended === true,
      merchant: String(merchant),
      vendor: String(vendor),
      bundleDigest: String(bundleDigest),
      epoch: Number(epoch),
    },
  };
}

function readRecord([locator, subject, version, epoch, wrapped, ...levels]: readonly (Cell | undefined)[]): LoadedRecord {
  return {
    locator: String(locator) as Locator,
    subject: String(subject),
    version: Number(version),
    levels: levels.map((level) => (level instanceof Uint8Array ? level : null)),
    subjectKey: wrapped instanceof Uint8Array ? { epoch: Number(epoch), wrapped } : null,
  };
}
