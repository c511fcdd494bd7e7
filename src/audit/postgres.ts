/** Reading the log's tables, and opening and freezing a log. Only the sequencer numbers; only the writer appends. */
import { and, asc, desc, eq, gte, lte, sql } from "drizzle-orm";
import { type Cell, databaseNowMs, orm, type Queryable } from "../storage/index.ts";
import { entriesOfFlush, type StoredFlush } from "./flush.ts";
import { checkpoint, cosignature, flush, log, pending, search, seq, subtree } from "./schema.ts";
import { emptyRange, rangeRoot } from "./tree.ts";

export interface LogRow {
  readonly log: string;
  readonly origin: string;
  readonly state: "open" | "frozen";
  readonly size: number;
  readonly root: Uint8Array;
  readonly range: Uint8Array;
  /** Entries below it were deleted at the end of their retention. A multiple of 256. */
  readonly minIndex: number;
}

/** Of a log with nothing in it. */
export function emptyLogRow(name: string, origin: string): LogRow {
  return { log: name, origin, state: "open", size: 0, root: rangeRoot(emptyRange), range: new Uint8Array(), minIndex: 0 };
}

/** Opens a log; leaves one alone that stands. */
export async function openLog(tx: Queryable, name: string, origin: string): Promise<void> {
  await orm(tx).insert(log).values(emptyLogRow(name, origin)).onConflictDoNothing();
}

export async function selectLog(database: Queryable, name: string): Promise<LogRow | null> {
  const [row] = await orm(database).select(logColumns).from(log).where(eq(log.log, name));
  return row ?? null;
}

const logColumns = {
  log: log.log,
  origin: log.origin,
  state: log.state,
  size: log.size,
  root: log.root,
  range: log.range,
  minIndex: log.minIndex,
  readAt: databaseNowMs,
};

/** Logs that were opened but never held an entry: a crash came between. */
export async function selectSilentLogs(database: Queryable): Promise<string[]> {
  const rows = await orm(database)
    .select({ log: log.log, readAt: databaseNowMs })
    .from(log)
    .where(sql`${log.size} = 0 and not exists (select from ${flush} where ${flush.log} = ${log.log})`)
    .orderBy(log.log);
  return rows.map((row) => row.log);
}

export async function selectOpenLogs(database: Queryable): Promise<string[]> {
  const rows = await orm(database).select({ log: log.log, readAt: databaseNowMs }).from(log).where(eq(log.state, "open")).orderBy(log.log);
  return rows.map((row) => row.log);
}

/** A flush that has its places in the tree. */
export interface NumberedFlush {
  /** Of its first entry. */
  readonly index: number;
  readonly seqId: string;
  readonly leafHashes: Uint8Array;
  /** `null` = the row in flush is gone. */
  readonly stored: StoredFlush | null;
}

/** The first `limit` flushes of `from` ≤ index < `to`, in order. */
export async function selectFlushes(
  database: Queryable,
  name: string,
  { from, to, limit }: { readonly from: number; readonly to: number; readonly limit: number },
): Promise<NumberedFlush[]> {
  const rows = await database.query(flushesText, [name, from, to, limit]);
  return rows.map(([index, seqId, leafHashes, id, head, entries]) => ({
    index: Number(index),
    seqId: String(seqId),
    leafHashes: bytesOf(leafHashes),
    stored: entries instanceof Uint8Array ? { id: String(id), head: String(head), entries } : null,
  }));
}

/** The bytes of the entries at these places, each place once, in order; `null` where none are. */
export async function selectEntriesAt(
  database: Queryable,
  name: string,
  indexes: readonly number[],
): Promise<{ readonly index: number; readonly bytes: Uint8Array | null }[]> {
  if (indexes.length === 0) return [];
  const places = [...new Set(indexes)].sort((a, b) => a - b);
  const rows = await database.query(coveringText, [name, JSON.stringify(places)]);
  const flushes = rows.map(([first, entries]) => ({ first: Number(first), entries: storedEntries(entries) }));
  return places.map((index) => {
    const flush = flushes.findLast(({ first }) => first <= index);
    return { index, bytes: flush?.entries[index - flush.first] ?? null };
  });
}

/** The bytes of what was accepted and waits to be numbered. */
export async function selectPending(database: Queryable, name: string): Promise<Uint8Array[]> {
  const rows = await database.query(pendingText, [name]);
  return rows.flatMap(([entries]) => storedEntries(entries));
}

/** Indexes of the entries that say `event`, in order. */
export async function selectIndexesOfEvent(database: Queryable, name: string, event: string): Promise<number[]> {
  const rows = await orm(database)
    .select({ index: search.index, readAt: databaseNowMs })
    .from(search)
    .where(and(eq(search.log, name), eq(search.event, event)))
    .orderBy(asc(search.index));
  return rows.map((row) => row.index);
}

/** Whether the flush has its places in the tree. */
export async function isNumbered(database: Queryable, name: string, flushId: string): Promise<boolean> {
  const rows = await orm(database)
    .select({ readAt: databaseNowMs })
    .from(seq)
    .where(and(eq(seq.log, name), eq(seq.flushId, flushId)));
  return rows.length > 0;
}

/** Accepted, but neither waiting nor in the tree: what an honest database never shows. The first `limit` behind the id `after`. */
export async function selectOrphans(
  database: Queryable,
  name: string,
  { after, limit }: { readonly after: string; readonly limit: number },
): Promise<StoredFlush[]> {
  return orm(database)
    .select({ id: flush.flushId, head: flush.head, entries: flush.entries, readAt: databaseNowMs })
    .from(flush)
    .where(
      sql`${flush.log} = ${name} and ${flush.flushId} > ${after}
        and not exists (select from ${seq} where ${seq.log} = ${name} and ${seq.flushId} = ${flush.flushId})
        and not exists (select from ${pending} where ${pending.log} = ${name} and ${pending.flushId} = ${flush.flushId})`,
    )
    .orderBy(flush.flushId)
    .limit(limit);
}

export async function selectSubtrees(database: Queryable, name: string): Promise<{ index: number; root: Uint8Array }[]> {
  return orm(database)
    .select({ index: subtree.index, root: subtree.root, readAt: databaseNowMs })
    .from(subtree)
    .where(eq(subtree.log, name))
    .orderBy(asc(subtree.index));
}

/** A checkpoint as the log signed it, with the signatures that witnesses put under it. */
export interface StoredCheckpoint {
  readonly size: number;
  readonly note: string;
}

const all = Number.MAX_SAFE_INTEGER;

/** The first `limit` of `from` ≤ size ≤ `to`, ascending. */
export async function selectCheckpoints(
  database: Queryable,
  name: string,
  { from = 0, to = all, limit = all }: { readonly from?: number; readonly to?: number; readonly limit?: number } = {},
): Promise<StoredCheckpoint[]> {
  const rows = await orm(database)
    .select(checkpointColumns)
    .from(checkpoint)
    .where(and(eq(checkpoint.log, name), gte(checkpoint.size, from), lte(checkpoint.size, to)))
    .orderBy(asc(checkpoint.size))
    .limit(limit);
  return rows.map(({ size, note }) => ({ size, note }));
}

/** `null` = nothing of this log is published yet. */
export async function selectNewestCheckpoint(database: Queryable, name: string): Promise<{ size: number; note: string } | null> {
  const [row] = await orm(database)
    .select(checkpointColumns)
    .from(checkpoint)
    .where(eq(checkpoint.log, name))
    .orderBy(desc(checkpoint.size))
    .limit(1);
  return row ? { size: row.size, note: row.note } : null;
}

/** A checkpoint as the world sees it: the log's signature, and under it those of the witnesses. */
const checkpointColumns = {
  size: checkpoint.size,
  note: sql<string>`${checkpoint.note} || coalesce((select string_agg(${cosignature.line}, '' order by ${cosignature.witness})
    from ${cosignature} where ${cosignature.log} = ${checkpoint.log} and ${cosignature.size} = ${checkpoint.size}), '')`,
  readAt: databaseNowMs,
};

/** The note of the first checkpoint that covers `size` entries; `null` = not signed yet. */
export async function selectCheckpointFrom(database: Queryable, name: string, size: number): Promise<string | null> {
  const [row] = await orm(database)
    .select(checkpointColumns)
    .from(checkpoint)
    .where(and(eq(checkpoint.log, name), gte(checkpoint.size, size)))
    .orderBy(asc(checkpoint.size))
    .limit(1);
  return row?.note ?? null;
}

function bytesOf(cell: Cell | undefined): Uint8Array {
  return cell instanceof Uint8Array ? cell : new Uint8Array();
}

function storedEntries(cell: Cell | undefined): readonly Uint8Array[] {
  return cell instanceof Uint8Array ? entriesOfFlush(cell) : [];
}

// Each flush is looked up by its key: over columns without statistics the planner would rather read whole tables.
const flushesText = `select s.index, s.flush_id, s.leaf_hashes, f.flush_id, f.head, f.entries, now()
  from (select index, flush_id, leaf_hashes from audit.seq where log = $1 and index >= $2 and index < $3 order by index limit $4) s
  left join lateral (select flush_id, head, entries from audit.flush where log = $1 and flush_id = s.flush_id limit 1) f on true
  order by s.index`;
const coveringText = `select s.index, f.entries, now()
  from (
    select distinct covering.index, covering.flush_id from jsonb_array_elements_text($2::text::jsonb) as places(place)
    cross join lateral (select index, flush_id from audit.seq where log = $1 and index <= place::bigint order by index desc limit 1) covering
  ) s
  left join lateral (select entries from audit.flush where log = $1 and flush_id = s.flush_id limit 1) f on true
  order by s.index`;
const pendingText = `select f.entries, now() from audit.pending p
  left join lateral (select entries from audit.flush where log = $1 and flush_id = p.flush_id limit 1) f on true
  where p.log = $1 order by p.flush_id`;
