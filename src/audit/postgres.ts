/** Reading the log's tables, and opening and freezing a log. Only the sequencer numbers; only the writer appends. */
import { and, asc, eq, gte, inArray, lt, type SQL, sql } from "drizzle-orm";
import { databaseNowMs, orm, type Queryable } from "../storage/index.ts";
import { checkpoint, log, pending, raw, search, searchSubject, seq, subtree } from "./schema.ts";
import { emptyRange, rangeRoot } from "./tree.ts";

export interface LogRow {
  readonly log: string;
  readonly origin: string;
  readonly state: "open" | "frozen";
  readonly size: number;
  readonly root: Uint8Array;
  readonly range: Uint8Array;
}

/** Of a log with nothing in it. */
export function emptyLogRow(name: string, origin: string): LogRow {
  return { log: name, origin, state: "open", size: 0, root: rangeRoot(emptyRange), range: new Uint8Array() };
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
  readAt: databaseNowMs,
};

/** Logs that were opened but hold no entry yet: a crash came between. */
export async function selectSilentLogs(database: Queryable): Promise<string[]> {
  const rows = await orm(database)
    .select({ log: log.log, readAt: databaseNowMs })
    .from(log)
    .where(sql`not exists (select from ${raw} where ${raw.log} = ${log.log})`)
    .orderBy(log.log);
  return rows.map((row) => row.log);
}

export async function selectOpenLogs(database: Queryable): Promise<string[]> {
  const rows = await orm(database).select({ log: log.log, readAt: databaseNowMs }).from(log).where(eq(log.state, "open")).orderBy(log.log);
  return rows.map((row) => row.log);
}

export interface StoredEntry {
  readonly index: number;
  readonly seqId: string;
  readonly leafHash: Uint8Array;
  /** `null` = the row in raw is gone. */
  readonly raw: {
    readonly id: string;
    readonly bytes: Uint8Array;
    readonly head: string;
    readonly position: number;
    readonly path: Uint8Array;
  } | null;
}

/** The first `limit` entries of `from` ≤ index < `to`, in order. */
export async function selectEntries(
  database: Queryable,
  name: string,
  { from, to, limit }: { readonly from: number; readonly to: number; readonly limit: number },
): Promise<StoredEntry[]> {
  return entriesWhere(database, and(eq(seq.log, name), gte(seq.index, from), lt(seq.index, to))).limit(limit);
}

/** The entries at these indexes, in order. */
export async function selectEntriesAt(database: Queryable, name: string, indexes: readonly number[]): Promise<StoredEntry[]> {
  if (indexes.length === 0) return [];
  return entriesWhere(database, and(eq(seq.log, name), inArray(seq.index, [...indexes])));
}

function entriesWhere(database: Queryable, condition: SQL | undefined) {
  return orm(database)
    .select({
      index: seq.index,
      seqId: seq.entryId,
      leafHash: seq.leafHash,
      raw: { id: raw.entryId, bytes: raw.bytes, head: raw.head, position: raw.position, path: raw.path },
      readAt: databaseNowMs,
    })
    .from(seq)
    .leftJoin(raw, and(eq(raw.log, seq.log), eq(raw.entryId, seq.entryId)))
    .where(condition)
    .orderBy(asc(seq.index));
}

/** The bytes of what was accepted and waits to be numbered. */
export async function selectPending(database: Queryable, name: string): Promise<Uint8Array[]> {
  const rows = await orm(database)
    .select({ bytes: raw.bytes, readAt: databaseNowMs })
    .from(pending)
    .innerJoin(raw, and(eq(raw.log, pending.log), eq(raw.entryId, pending.entryId)))
    .where(eq(pending.log, name));
  return rows.map((row) => row.bytes);
}

/** All leaf hashes of a log, in order. */
export async function selectLeafHashes(database: Queryable, name: string): Promise<Uint8Array[]> {
  const rows = await orm(database)
    .select({ leafHash: seq.leafHash, readAt: databaseNowMs })
    .from(seq)
    .where(eq(seq.log, name))
    .orderBy(asc(seq.index));
  return rows.map((row) => row.leafHash);
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

export async function selectIndexOf(database: Queryable, name: string, entryId: string): Promise<number | null> {
  const [row] = await orm(database)
    .select({ index: seq.index, readAt: databaseNowMs })
    .from(seq)
    .where(and(eq(seq.log, name), eq(seq.entryId, entryId)));
  return row?.index ?? null;
}

/** Accepted, but neither waiting nor in the tree: what an honest database never shows. */
export async function selectOrphans(database: Queryable, name: string): Promise<NonNullable<StoredEntry["raw"]>[]> {
  return orm(database)
    .select({ id: raw.entryId, bytes: raw.bytes, head: raw.head, position: raw.position, path: raw.path, readAt: databaseNowMs })
    .from(raw)
    .where(
      sql`${raw.log} = ${name}
        and not exists (select from ${seq} where ${seq.log} = ${name} and ${seq.entryId} = ${raw.entryId})
        and not exists (select from ${pending} where ${pending.log} = ${name} and ${pending.entryId} = ${raw.entryId})`,
    )
    .orderBy(raw.entryId);
}

export async function selectSubtrees(database: Queryable, name: string): Promise<{ index: number; root: Uint8Array }[]> {
  return orm(database)
    .select({ index: subtree.index, root: subtree.root, readAt: databaseNowMs })
    .from(subtree)
    .where(eq(subtree.log, name))
    .orderBy(asc(subtree.index));
}

export async function selectCheckpoints(database: Queryable, name: string): Promise<{ size: number; note: string }[]> {
  const rows = await orm(database)
    .select({ size: checkpoint.size, note: checkpoint.note, readAt: databaseNowMs })
    .from(checkpoint)
    .where(eq(checkpoint.log, name))
    .orderBy(asc(checkpoint.size));
  return rows.map(({ size, note }) => ({ size, note }));
}

export interface SearchFilter {
  readonly actor?: string | undefined;
  readonly subject?: string | undefined;
  readonly effect?: string | undefined;
  /** ISO 8601. `from` inclusive, `to` exclusive. */
  readonly from?: string | undefined;
  readonly to?: string | undefined;
  /** Only entries before this index. */
  readonly before: number;
  readonly limit: number;
}

/** Indexes of matching entries, newest first. */
export async function searchEntries(database: Queryable, name: string, filter: SearchFilter): Promise<number[]> {
  const { actor, subject, effect, from, to, before, limit } = filter;
  const rows = await orm(database)
    .select({ index: search.index, readAt: databaseNowMs })
    .from(search)
    .where(
      and(
        eq(search.log, name),
        lt(search.index, before),
        actor === undefined ? undefined : eq(search.actor, actor),
        effect === undefined ? undefined : eq(search.effect, effect),
        from === undefined ? undefined : sql`${search.time} >= ${from}::timestamptz`,
        to === undefined ? undefined : sql`${search.time} < ${to}::timestamptz`,
        subject === undefined
          ? undefined
          : sql`exists (select from ${searchSubject} where ${searchSubject.log} = ${name} and ${searchSubject.subject} = ${subject} and ${searchSubject.index} = ${search.index})`,
      ),
    )
    .orderBy(sql`${search.index} desc`)
    .limit(limit);
  return rows.map((row) => row.index);
}
