/**
 * One log as it lies in the database, in the hands of somebody who may write there whatever they like, and who puts everything back afterwards.
 */
import { emptyRange, extendRange, hashesToBytes, rangeRoot } from "../../src/audit/tree.ts";
import type { Database } from "../../src/storage/index.ts";

export const evidence = ["log", "raw", "pending", "seq", "subtree", "checkpoint"] as const;
export const derived = ["search", "search_subject"] as const;

export interface StoredLog {
  readonly owner: Database;
  readonly log: string;
}

/** Columns of the schema `audit` as the catalogue has them, as `raw.bytes`. */
export async function auditColumns(owner: Database): Promise<string[]> {
  const rows = await owner.query("select table_name || '.' || column_name from information_schema.columns where table_schema = 'audit'");
  return rows.map(([name]) => String(name)).sort();
}

export async function disarmTriggers(owner: Database): Promise<void> {
  for (const table of ["raw", "seq", "subtree", "checkpoint"]) await owner.script(`alter table audit.${table} disable trigger append_only`);
}

/** Changes rows, lets `look` look, and puts back exactly what was changed: what came in meanwhile stays. */
export async function whileTampered<Seen>(owner: Database, tamper: () => Promise<unknown>, look: () => Promise<Seen>): Promise<Seen> {
  const copy = (name: string) => owner.script(evidence.map((table) => `create table ${name}_${table} as table audit.${table};`).join(""));
  await copy("before");
  await tamper();
  await copy("after");
  try {
    return await look();
  } finally {
    for (const table of evidence) {
      await owner.script(`
        delete from audit.${table} stored using (table after_${table} except table before_${table}) changed where stored::text = changed::text;
        insert into audit.${table} (table before_${table} except table after_${table});
        drop table before_${table}, after_${table};`);
    }
  }
}

/** Size, root and range as the rows in `seq` now give them: what a forger who knows the format would also put right. */
export async function restoreLogRow({ owner, log }: StoredLog): Promise<void> {
  const rows = await owner.query("select leaf_hash from audit.seq where log = $1 order by index", [log]);
  const range = extendRange(
    emptyRange,
    rows.flatMap(([hash]) => (hash instanceof Uint8Array ? [hash] : [])),
  );
  await owner.query("update audit.log set size = $2, root = $3, range = $4 where log = $1", [
    log,
    range.size,
    rangeRoot(range),
    hashesToBytes(range.hashes),
  ]);
}

/** Takes entries `from` ≤ index < `to` away as if they had never been: bytes, places, and the later ones move down. */
export async function removeEntries({ owner, log }: StoredLog, from: number, to: number): Promise<void> {
  await owner.query(
    "delete from audit.raw where log = $1 and entry_id in (select entry_id from audit.seq where log = $1 and index >= $2 and index < $3)",
    [log, from, to],
  );
  await owner.query("delete from audit.seq where log = $1 and index >= $2 and index < $3", [log, from, to]);
  await moveUp({ owner, log }, to, from - to);
}

/** Back to a size that a checkpoint was once signed for, in the derived tables too: the gateway halts over what it finds left there. */
export async function cutTail(stored: StoredLog, size: number): Promise<void> {
  const { owner, log } = stored;
  await removeEntries(stored, size, await sizeOf(stored));
  await owner.query("delete from audit.checkpoint where log = $1 and size > $2", [log, size]);
  await owner.query("delete from audit.search where log = $1 and index >= $2", [log, size]);
  await owner.query("delete from audit.search_subject where log = $1 and index >= $2", [log, size]);
  await restoreLogRow(stored);
}

/** Entries from `start` on move by `by` places. */
export async function moveUp({ owner, log }: StoredLog, start: number, by: number): Promise<void> {
  await owner.query("update audit.seq set index = -1 - index where log = $1 and index >= $2", [log, start]);
  await owner.query("update audit.seq set index = -1 - index + $2 where log = $1 and index < 0", [log, by]);
}

/** Puts a copy of the entry at `model` under a new id in at `index`, with its head and path; what it says is changed. */
export async function insertForgery({ owner, log }: StoredLog, model: number, index: number): Promise<void> {
  await moveUp({ owner, log }, index, 1);
  const id = "019aaaaa-aaaa-7aaa-aaaa-aaaaaaaaaaaa";
  await owner.query(
    `insert into audit.raw (log, entry_id, bytes, head, position, path)
     select r.log, $3, convert_to(replace(convert_from(r.bytes, 'UTF8'), r.entry_id, $3), 'UTF8'), r.head, r.position, r.path
     from audit.raw r join audit.seq s using (log, entry_id) where log = $1 and index = $2`,
    [log, model < index ? model : model + 1, id],
  );
  await owner.query(
    "insert into audit.seq (log, index, entry_id, leaf_hash) select log, $3, entry_id, sha256('\\x00'::bytea || bytes) from audit.raw where log = $1 and entry_id = $2",
    [log, id, index],
  );
}

export async function sizeOf({ owner, log }: StoredLog): Promise<number> {
  const [row] = await owner.query("select size from audit.log where log = $1", [log]);
  return Number(row?.[0]);
}

/** The newest checkpoint of a log, as anybody may keep it. */
export async function newestCheckpoint({ owner, log }: StoredLog): Promise<string> {
  const [row] = await owner.query("select note from audit.checkpoint where log = $1 order by size desc limit 1", [log]);
  return String(row?.[0]);
}
