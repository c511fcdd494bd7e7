/** The table of records, and its blind index as it follows them. Every statement takes the contract's id. */
import { and, eq, sql } from "drizzle-orm";
import type { ContractId, Locator } from "../kernel/index.ts";
import { databaseNowMs, orm, type Queryable } from "../storage/index.ts";
import { type IndexEntry, insertIndexRows } from "./postgres-index.ts";
import { blindIndex, record } from "./schema.ts";

export interface SealedRecord {
  readonly locator: Locator;
  readonly subject: string;
  readonly version: number;
  /** By level; `null` = the record has no field of it. */
  readonly levels: readonly (Uint8Array | null)[];
}

/** The versions of those of `locators` that exist. */
export async function selectVersions(
  tx: Queryable,
  contract: ContractId,
  type: string,
  locators: readonly Locator[],
): Promise<Map<string, number>> {
  const rows = await orm(tx)
    .select({ locator: record.locator, version: record.version, readAt: databaseNowMs })
    .from(record)
    .where(sql`${record.contractId} = ${contract} and ${record.type} = ${type} and ${record.locator} in ${listOf(locators)}`)
    .for("update");
  return new Map(rows.map((row) => [row.locator, row.version]));
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

/** Writes whole rows and replaces their index entries. */
export async function upsertRecords(
  tx: Queryable,
  contract: ContractId,
  type: string,
  { records, entries, origin }: RecordBatch,
): Promise<void> {
  if (records.length === 0) return;
  const rows = records.map(({ locator, subject, version, levels: [level0, level1, level2, level3] }) => ({
    ...{ contractId: contract, type, locator, subject, version, ...origin },
    ...{ level0: level0 ?? null, level1: level1 ?? null, level2: level2 ?? null, level3: level3 ?? null },
  }));
  await orm(tx)
    .insert(record)
    .values(rows)
    .onConflictDoUpdate({
      target: [record.contractId, record.type, record.locator],
      set: {
        subject: sql`excluded.subject`,
        version: sql`excluded.version`,
        level0: sql`excluded.level0`,
        level1: sql`excluded.level1`,
        level2: sql`excluded.level2`,
        level3: sql`excluded.level3`,
        writtenAt: sql`excluded.written_at`,
        shop: sql`excluded.shop`,
        purpose: sql`excluded.purpose`,
      },
    });
  const locators = records.map((row) => row.locator);
  await orm(tx)
    .delete(blindIndex)
    .where(sql`${blindIndex.contractId} = ${contract} and ${blindIndex.type} = ${type} and ${blindIndex.locator} in ${listOf(locators)}`);
  await insertIndexRows(tx, contract, entries);
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
    .where(and(eq(record.contractId, contract), eq(record.subject, subject)))
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
  const found = "subject" in of ? eq(record.subject, of.subject) : and(eq(record.type, of.type), eq(record.locator, of.locator));
  const rows = await orm(database)
    .select({ type: record.type, locator: record.locator, subject: record.subject, readAt: databaseNowMs })
    .from(record)
    .where(and(eq(record.contractId, contract), found));
  return rows.map(({ type, locator, subject }) => ({ type, locator, subject }));
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
     from postern.record r left join postern.blind_index b on b.contract_id = $1 and b.type = r.type and b.locator = r.locator
     where r.contract_id = $1 and r.subject = $2`,
    [contract, subject],
  );
  return { records: Number(row?.[0]), indexRows: Number(row?.[1]) };
}

/** Deletes one data subject's records and what they are found by. */
export async function deleteSubject(tx: Queryable, contract: ContractId, subject: string): Promise<SubjectRows> {
  const index = await tx.query(
    `delete from postern.blind_index b using postern.record r
     where b.contract_id = $1 and r.contract_id = $1 and r.subject = $2 and b.type = r.type and b.locator = r.locator returning 1`,
    [contract, subject],
  );
  const records = await tx.query("delete from postern.record where contract_id = $1 and subject = $2 returning 1", [contract, subject]);
  return { records: records.length, indexRows: index.length };
}

function listOf(locators: readonly Locator[]) {
  return sql`(select jsonb_array_elements_text(${JSON.stringify(locators)}::text::jsonb))`;
}
