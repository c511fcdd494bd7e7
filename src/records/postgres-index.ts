/**
 * The blind index on its way from one key to another: records in the order of their names, their rows under the new key beside those under the old one, and
 * the old rows leaving in the same order.
 */
import { eq, sql } from "drizzle-orm";
import { toBase64 } from "../crypto/index.ts";
import type { ContractId, Locator } from "../kernel/index.ts";
import { databaseNowMs, orm, type Queryable } from "../storage/index.ts";
import { record } from "./schema.ts";

export interface IndexEntry {
  readonly type: string;
  readonly field: string;
  readonly value: Uint8Array;
  readonly locator: Locator;
  /** Of the key that made the value. */
  readonly generation: number;
}

/** A record's name. The empty one stands before all others. */
export interface RecordName {
  readonly type: string;
  readonly locator: string;
}

export interface StoredRecord {
  readonly type: string;
  readonly locator: Locator;
  readonly subject: string;
  readonly version: number;
  readonly levels: readonly (Uint8Array | null)[];
}

/** One statement and two parameters, however many rows. */
export async function insertIndexRows(tx: Queryable, contract: ContractId, entries: readonly IndexEntry[]): Promise<void> {
  if (entries.length === 0) return;
  const rows = entries.map(({ value, ...entry }) => ({ ...entry, value: toBase64(value) }));
  await tx.query(
    `insert into postern.blind_index (contract_id, type, field, value, locator, generation)
     select $1, e.type, e.field, decode(e.value, 'base64'), e.locator, e.generation
     from jsonb_to_recordset($2::text::jsonb) as e(type text, field text, value text, locator text, generation int)
     on conflict do nothing`,
    [contract, JSON.stringify(rows)],
  );
}

/** In the order of their names, from behind `after`. */
export async function selectRecordsAfter(
  database: Queryable,
  contract: ContractId,
  { after, limit }: { readonly after: RecordName; readonly limit: number },
): Promise<StoredRecord[]> {
  const { type, locator, subject, version, level0, level1, level2, level3 } = record;
  const rows = await orm(database)
    .select({ type, locator, subject, version, level0, level1, level2, level3, readAt: databaseNowMs })
    .from(record)
    .where(sql`${eq(record.contractId, contract)} and (${type}, ${locator}) > (${after.type}, ${after.locator})`)
    .orderBy(type, locator)
    .limit(limit);
  return rows.map((row) => ({
    ...{ type: row.type, locator: row.locator as Locator, subject: row.subject, version: row.version },
    levels: [row.level0, row.level1, row.level2, row.level3],
  }));
}

/** Puts `entries`, all of one generation, in the place of those that `records` have of it. Rows of other generations stay. */
export async function replaceIndexRows(
  tx: Queryable,
  contract: ContractId,
  generation: number,
  { records, entries }: { readonly records: readonly RecordName[]; readonly entries: readonly IndexEntry[] },
): Promise<void> {
  const names = records.map(({ type, locator }) => ({ type, locator }));
  await tx.query(
    `delete from postern.blind_index b using jsonb_to_recordset($2::text::jsonb) as n(type text, locator text)
     where b.contract_id = $1 and b.type = n.type and b.locator = n.locator and b.locator > '' and b.generation = $3`,
    [contract, JSON.stringify(names), generation],
  );
  await insertIndexRows(tx, contract, entries);
}

/**
 * Deletes rows of older keys than `generation`, of the next records behind `after`, to the last row of the last of them. `after` null: there are none behind
 * it. By the rows' places: asked for a range of names, the planner, which has no statistics of names, reads all that is left. The caller holds the contract's row.
 */
export async function deleteIndexBefore(
  tx: Queryable,
  contract: ContractId,
  generation: number,
  { after, limit }: { readonly after: RecordName; readonly limit: number },
): Promise<{ after: RecordName | null; deleted: number }> {
  const [row] = await tx.query(
    `with seen as (select b.ctid as place, b.type, b.locator, b.generation from postern.blind_index b
       where b.contract_id = $1 and (b.type, b.locator) > ($2, $3) and b.locator > '' order by b.type, b.locator fetch first ($4::int) rows with ties),
     gone as (delete from postern.blind_index b where b.ctid = any(array(select place from seen where generation < $5)) returning 1)
     select type, locator, (select count(*)::float8 from gone), now() from seen order by type desc, locator desc limit 1`,
    [contract, after.type, after.locator, limit, generation],
  );
  if (!row) return { after: null, deleted: 0 };
  return { after: { type: String(row[0]), locator: String(row[1]) }, deleted: Number(row[2]) };
}
