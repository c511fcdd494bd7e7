/** The table of records, and its blind index as it follows them. Every statement takes the contract's id. */
import { and, eq, sql } from "drizzle-orm";
import { concat } from "../crypto/index.ts";
import type { ContractId, Locator } from "../kernel/index.ts";
import { databaseNowMs, orm, type Queryable } from "../storage/index.ts";
import { type IndexEntry, insertIndexRows } from "./postgres-index.ts";
import { record } from "./schema.ts";

export interface SealedRecord {
  readonly locator: Locator;
  readonly subject: string;
  readonly version: number;
  /** By level; `null` = the record has no field of it. */
  readonly levels: readonly (Uint8Array | null)[];
}

/** The versions of those of `locators` that exist, whose rows are then held. A look into the primary key for each, whatever the planner believes. */
export async function selectVersions(
  tx: Queryable,
  contract: ContractId,
  type: string,
  locators: readonly Locator[],
): Promise<Map<string, number>> {
  const rows = await tx.query(
    `select r.locator, r.version, now() from jsonb_array_elements_text($3::text::jsonb) as asked(locator)
     cross join lateral (select s.locator, s.version from postern.record s
       where s.contract_id = $1 and s.type = $2 and s.locator = asked.locator limit 1 for update) r`,
    [contract, type, JSON.stringify(locators)],
  );
  return new Map(rows.map(([locator, version]) => [String(locator), Number(version)]));
}

/** From which shop and for which purpose records were handed over; `null` = nobody said. */
export interface RecordOrigin {
  readonly shop: string | null;
  readonly purpose: string | null;
}

export interface RecordBatch {
  readonly records: readonly SealedRecord[];
  readonly entries: readonly IndexEntry[];
  readonly origin: RecordOrigin;
}

/** The ciphertexts travel end to end in one parameter, and where each begins in another: a parameter for each costs more than its bytes. */
const upsertText = `insert into postern.record (contract_id, type, locator, subject, version, shop, purpose, level0, level1, level2, level3)
  select $1, $2, r.locator, r.subject, r.version, $3, $4, substr($5::bytea, r.at0, r.bytes0), substr($5::bytea, r.at1, r.bytes1),
    substr($5::bytea, r.at2, r.bytes2), substr($5::bytea, r.at3, r.bytes3)
  from jsonb_to_recordset($6::text::jsonb) as r(locator text, subject text, version int,
    at0 int, bytes0 int, at1 int, bytes1 int, at2 int, bytes2 int, at3 int, bytes3 int)
  on conflict (contract_id, type, locator) do update set subject = excluded.subject, version = excluded.version, level0 = excluded.level0,
    level1 = excluded.level1, level2 = excluded.level2, level3 = excluded.level3, written_at = excluded.written_at, shop = excluded.shop,
    purpose = excluded.purpose`;

/** By the rows' places, found by name one record after the other: the planner, which has no statistics of names, otherwise reads the whole index. */
const unindexText = `delete from postern.blind_index where contract_id = $1 and ctid = any(array(
  select b.ctid from jsonb_array_elements_text($3::text::jsonb) as asked(locator)
  cross join lateral (select ctid from postern.blind_index s
    where s.contract_id = $1 and s.type = $2 and s.locator = asked.locator and s.locator > '' offset 0) b))`;

/** Writes whole rows and replaces their index entries. */
export async function upsertRecords(
  tx: Queryable,
  contract: ContractId,
  type: string,
  { records, entries, origin }: RecordBatch,
): Promise<void> {
  if (records.length === 0) return;
  const { rows, bytes } = laidEndToEnd(records);
  await tx.query(upsertText, [contract, type, origin.shop, origin.purpose, bytes, JSON.stringify(rows)]);
  const locators = records.map((row) => row.locator);
  await tx.query(unindexText, [contract, type, JSON.stringify(locators)]);
  await insertIndexRows(tx, contract, entries);
}

/** Places are counted from 1, as SQL does. A level that a record does not have has none, and becomes null there. */
function laidEndToEnd(records: readonly SealedRecord[]): { rows: Readonly<Record<string, string | number>>[]; bytes: Uint8Array } {
  const parts: Uint8Array[] = [];
  let length = 0;
  const rows = records.map(({ locator, subject, version, levels }) => {
    const row: Record<string, string | number> = { locator, subject, version };
    levels.forEach((level, i) => {
      if (level === null) return;
      row[`at${i}`] = length + 1;
      row[`bytes${i}`] = level.length;
      length += level.length;
      parts.push(level);
    });
    return row;
  });
  return { rows, bytes: concat(...parts) };
}

export interface SubjectRecord extends SealedRecord {
  readonly type: string;
}

/** Everything that is held of one person. */
export async function selectRecordsOf(database: Queryable, contract: ContractId, subject: string): Promise<SubjectRecord[]> {
  const rows = await orm(database)
    .select({
      ...{ type: record.type, locator: record.locator, subject: record.subject, version: record.version },
      ...{ level0: record.level0, level1: record.level1, level2: record.level2, level3: record.level3, readAt: databaseNowMs },
    })
    .from(record)
    .where(and(eq(record.contractId, contract), ofSubject(subject)))
    .orderBy(record.type, record.locator);
  return rows.map(({ type, locator, subject: whose, version, level0, level1, level2, level3 }) => ({
    ...{ type, locator: locator as Locator, subject: whose, version },
    levels: [level0, level1, level2, level3],
  }));
}

/** Where a record, or a person, stands: no ciphertext is read. */
export async function selectLocators(
  database: Queryable,
  contract: ContractId,
  of: { readonly type: string; readonly locator: string } | { readonly subject: string },
): Promise<{ type: string; locator: string; subject: string }[]> {
  const found = "subject" in of ? ofSubject(of.subject) : and(eq(record.type, of.type), eq(record.locator, of.locator));
  const rows = await orm(database)
    .select({ type: record.type, locator: record.locator, subject: record.subject, readAt: databaseNowMs })
    .from(record)
    .where(and(eq(record.contractId, contract), found));
  return rows.map(({ type, locator, subject }) => ({ type, locator, subject }));
}

function ofSubject(subject: string) {
  return sql`${record.subject} = ${subject} and ${record.subject} > ''`;
}

export async function countRecords(database: Queryable, contract: ContractId): Promise<{ type: string; records: number }[]> {
  const rows = await orm(database)
    .select({ type: record.type, records: sql<string>`count(*)`, readAt: databaseNowMs })
    .from(record)
    .where(eq(record.contractId, contract))
    .groupBy(record.type)
    .orderBy(record.type);
  return rows.map(({ type, records }) => ({ type, records: Number(records) }));
}

export interface SubjectRows {
  readonly records: number;
  readonly indexRows: number;
}

/** What is held of one data subject. */
export async function countSubject(database: Queryable, contract: ContractId, subject: string): Promise<SubjectRows> {
  const [row] = await database.query(
    `select count(distinct (r.type, r.locator))::float8, count(b.locator)::float8, now()
     from postern.record r left join postern.blind_index b on b.contract_id = $1 and b.type = r.type and b.locator = r.locator and b.locator > ''
     where r.contract_id = $1 and r.subject = $2 and r.subject > ''`,
    [contract, subject],
  );
  return { records: Number(row?.[0]), indexRows: Number(row?.[1]) };
}

/** Deletes one data subject's records and what they are found by. */
export async function deleteSubject(tx: Queryable, contract: ContractId, subject: string): Promise<SubjectRows> {
  const index = await tx.query(
    `delete from postern.blind_index b using postern.record r
     where b.contract_id = $1 and r.contract_id = $1 and r.subject = $2 and r.subject > '' and b.type = r.type and b.locator = r.locator
       and b.locator > '' returning 1`,
    [contract, subject],
  );
  const records = await tx.query("delete from postern.record where contract_id = $1 and subject = $2 and subject > '' returning 1", [
    contract,
    subject,
  ]);
  return { records: records.length, indexRows: index.length };
}
