/**
 * One log as it lies in the database, in the hands of somebody who may write there whatever they like, and who puts everything back afterwards.
 */
import { readEntry } from "../../src/audit/index.ts";
import { decodeEntries, encodeEntries } from "../../src/audit/tiles.ts";
import { emptyRange, extendRange, hashesFromBytes, hashesToBytes, leafHash, rangeRoot } from "../../src/audit/tree.ts";
import { fromUtf8, utf8 } from "../../src/crypto/index.ts";
import type { Database } from "../../src/storage/index.ts";

export const evidence = ["log", "flush", "pending", "seq", "subtree", "checkpoint"] as const;
export const derived = ["search", "search_fields", "search_subject", "upkeep", "pruning"] as const;
/** Signatures of witnesses: whoever changes one takes it away; what it stood under stays signed. */
export const cosigned = ["cosignature"] as const;

export interface StoredLog {
  readonly owner: Database;
  readonly log: string;
}

/** Columns of the schema `audit` as the catalogue has them, as `flush.entries`. */
export async function auditColumns(owner: Database): Promise<string[]> {
  const rows = await owner.query("select table_name || '.' || column_name from information_schema.columns where table_schema = 'audit'");
  return rows.map(([name]) => String(name)).sort();
}

export async function disarmTriggers(owner: Database): Promise<void> {
  for (const table of ["flush", "seq", "subtree", "checkpoint", "cosignature"])
    await owner.script(`alter table audit.${table} disable trigger user`);
}

/** All logs as they are now, to go back to: `create database … template` would do the same, and cut every connection. Triggers are disarmed. */
export async function rememberLogs(owner: Database, day: string): Promise<() => Promise<void>> {
  const tables = [...evidence, ...derived, ...cosigned];
  const script = (line: (table: string) => string) => owner.script(tables.map(line).join(""));
  await script((table) => `create table public.${day}_${table} as table audit.${table};`);
  return () => script((table) => `delete from audit.${table}; insert into audit.${table} table public.${day}_${table};`);
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
  const rows = await owner.query("select leaf_hashes from audit.seq where log = $1 order by index", [log]);
  const range = extendRange(
    emptyRange,
    rows.flatMap(([hashes]) => (hashes instanceof Uint8Array ? (hashesFromBytes(hashes) ?? []) : [])),
  );
  await owner.query("update audit.log set size = $2, root = $3, range = $4 where log = $1", [
    log,
    range.size,
    rangeRoot(range),
    hashesToBytes(range.hashes),
  ]);
}

export interface FlushAt {
  /** Its first place. */
  readonly start: number;
  readonly id: string;
  readonly entries: readonly Uint8Array[];
}

/** The flush that holds place `index`; of a place behind the last, the last one. */
export async function flushAt({ owner, log }: StoredLog, index: number): Promise<FlushAt> {
  const [row] = await owner.query(
    `select index::int, flush_id, entries from audit.seq join audit.flush using (log, flush_id)
     where log = $1 and index <= $2 order by index desc limit 1`,
    [log, index],
  );
  if (!(row?.[2] instanceof Uint8Array)) throw new Error(`the log has no flush at place ${index}`);
  return { start: Number(row[0]), id: String(row[1]), entries: decodeEntries(row[2]) ?? [] };
}

/** The first flush from `index` on that has so many entries. */
export async function flushOfSize({ owner, log }: StoredLog, sizeMin: number, index = 0): Promise<FlushAt> {
  const [row] = await owner.query(
    "select index::int from audit.seq where log = $1 and index >= $2 and octet_length(leaf_hashes) >= 32 * $3::int order by index limit 1",
    [log, index, sizeMin],
  );
  if (!row) throw new Error(`the log has no flush of ${sizeMin} entries from place ${index} on`);
  return flushAt({ owner, log }, Number(row[0]));
}

/** Changes the entries of the flush at `index`, their leaf hashes and the flush's name; later flushes move. One without entries is gone. */
export async function editFlush(
  stored: StoredLog,
  index: number,
  change: (entries: readonly Uint8Array[], at: number) => readonly Uint8Array[],
): Promise<void> {
  const { owner, log } = stored;
  const { start, id, entries: before } = await flushAt(stored, index);
  const after = change(before, index - start);
  await owner.query("delete from audit.seq where log = $1 and index = $2", [log, start]);
  await moveFlushes(stored, start + before.length, after.length - before.length);
  const [first] = after;
  if (first === undefined) {
    await owner.query("delete from audit.flush where log = $1 and flush_id = $2", [log, id]);
    return;
  }
  const name = readEntry(first)?.id ?? id;
  await owner.query("update audit.flush set flush_id = $3, entries = $4 where log = $1 and flush_id = $2", [
    log,
    id,
    name,
    encodeEntries(after),
  ]);
  await owner.query("insert into audit.seq (log, index, flush_id, leaf_hashes) values ($1, $2, $3, $4)", [
    log,
    start,
    name,
    hashesToBytes(after.map(leafHash)),
  ]);
}

/** Takes entries `from` ≤ index < `to` away as if they had never been: bytes, places, and the later ones move down. */
export async function removeEntries(stored: StoredLog, from: number, to: number): Promise<void> {
  const rest = (await heldSize(stored)) - (to - from);
  for (let size = await heldSize(stored); size > Math.max(rest, from); size = await heldSize(stored)) {
    const left = size - rest;
    await editFlush(stored, from, (entries, at) => entries.toSpliced(at, left));
  }
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

/** Flushes from place `from` on move by `by` places. */
async function moveFlushes({ owner, log }: StoredLog, from: number, by: number): Promise<void> {
  await owner.query("update audit.seq set index = -1 - index where log = $1 and index >= $2", [log, from]);
  await owner.query("update audit.seq set index = -1 - index + $2 where log = $1 and index < 0", [log, by]);
}

const forgedId = "019aaaaa-aaaa-7aaa-aaaa-aaaaaaaaaaaa";

/** A copy of the entry at `model` under a new id. */
export async function forgeryOf(stored: StoredLog, model: number): Promise<Uint8Array> {
  const { start, entries } = await flushAt(stored, model);
  const text = fromUtf8(entries[model - start] ?? new Uint8Array(0));
  return utf8(text.replace(/"id":"[0-9a-f]{8}-[0-9a-f-]{27}"/, `"id":"${forgedId}"`));
}

/** Puts a forgery in at `start`, the first place of a flush or the one behind the last, as a flush of its own under its model's head. */
export async function insertForgedFlush(stored: StoredLog, model: number, start: number): Promise<void> {
  const { owner, log } = stored;
  const forgery = await forgeryOf(stored, model);
  const { id } = await flushAt(stored, model);
  await moveFlushes(stored, start, 1);
  await owner.query(
    "insert into audit.flush (log, flush_id, head, entries) select log, $3, head, $4 from audit.flush where log = $1 and flush_id = $2",
    [log, id, forgedId, encodeEntries([forgery])],
  );
  await owner.query("insert into audit.seq (log, index, flush_id, leaf_hashes) values ($1, $2, $3, $4)", [
    log,
    start,
    forgedId,
    leafHash(forgery),
  ]);
}

/** Places that the flushes have, whatever the log's row says. */
async function heldSize({ owner, log }: StoredLog): Promise<number> {
  const [row] = await owner.query("select coalesce(sum(octet_length(leaf_hashes)) / 32, 0)::int from audit.seq where log = $1", [log]);
  return Number(row?.[0]);
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

/** Empties the log's tables of evidence, but for its own row and what waits. */
export function wipe({ owner, log }: StoredLog): Promise<void> {
  return owner.script(
    ["flush", "seq", "subtree", "checkpoint"].map((table) => `delete from audit.${table} where log = '${log}';`).join(""),
  );
}
