/** Reading the log's tables by place and by size: what tiles, proofs and receipts are made of. */
import { utf8 } from "../crypto/index.ts";
import type { Queryable } from "../storage/index.ts";
import { entriesOfFlush } from "./flush.ts";
import { readEntry } from "./sequencer.ts";
import type { PlacedFlush } from "./stored-tiles.ts";

/** A checkpoint as it is handed out, with every signature line that it has by now. */
export interface PublishedCheckpoint {
  readonly size: number;
  readonly note: string;
}

/** The one place that checkpoints are handed out from: the newest, or the one of exactly `size`. `null` = none was signed. */
export async function selectPublished(database: Queryable, name: string, size?: number): Promise<PublishedCheckpoint | null> {
  const [row] = await database.query(publishedText, [name, size ?? Number.MAX_SAFE_INTEGER]);
  const published = row ? { size: Number(row[0]), note: String(row[1]) } : null;
  return size === undefined || published?.size === size ? published : null;
}

/**
 * One under which the entry of this index stands, for a receipt: of those that witnesses cosigned soon after it the one with the most cosignatures, as
 * its reader may ask for many; where there is none, the newest. `null` = none covers it.
 */
export async function selectPublishedOver(database: Queryable, name: string, index: number): Promise<PublishedCheckpoint | null> {
  const [row] = await database.query(cosignedText, [name, index]);
  const published = await selectPublished(database, name, row ? Number(row[0]) : undefined);
  return published !== null && published.size > index ? published : null;
}

export interface Places {
  /** Inclusive. */
  readonly from: number;
  /** Exclusive. */
  readonly to: number;
}

/** The flushes that have places among these; the first may begin before them. `withEntries` false: `entries` is null. */
export async function selectPlaced(
  database: Queryable,
  name: string,
  { from, to, withEntries }: Places & { readonly withEntries: boolean },
): Promise<PlacedFlush[]> {
  const rows = await database.query(withEntries ? placedEntriesText : placedText, [name, from, to]);
  return rows.map(([index, leafHashes, entries]) => ({
    index: Number(index),
    leafHashes: leafHashes instanceof Uint8Array ? leafHashes : new Uint8Array(0),
    entries: entries instanceof Uint8Array ? entries : null,
  }));
}

/** Stored roots of full 256-wide subtrees, by index among such. */
export async function selectSubtreesAt(
  database: Queryable,
  name: string,
  { from, to }: Places,
): Promise<{ readonly index: number; readonly root: Uint8Array }[]> {
  const rows = await database.query(subtreesText, [name, from, to]);
  return rows.map(([index, root]) => ({ index: Number(index), root: root instanceof Uint8Array ? root : new Uint8Array(0) }));
}

/** An accepted entry in its flush. */
export interface AcceptedEntry {
  /** The flush's id. */
  readonly flush: string;
  readonly head: string;
  /** Of the whole flush. */
  readonly entries: readonly Uint8Array[];
  /** Where in it. */
  readonly position: number;
  /** Leaf index of the flush's first entry; `null` = not numbered yet. */
  readonly index: number | null;
}

/** `id`: a UUIDv7, lower case. `null` = nothing was accepted under it. */
export async function selectAccepted(database: Queryable, name: string, id: string): Promise<AcceptedEntry | null> {
  const [row] = await database.query(acceptedText, [name, id, utf8(`"id":"${id}"`)]);
  const [flush, head, stored, index] = row ?? [];
  if (!(stored instanceof Uint8Array)) return null;
  const entries = entriesOfFlush(stored);
  // The bytes that were searched for may also be a request's id.
  const position = entries.findIndex((bytes) => readEntry(bytes)?.id === id);
  return position < 0
    ? null
    : { flush: String(flush), head: String(head), entries, position, index: index === null ? null : Number(index) };
}

const publishedText = `select size, note || coalesce((
    select string_agg(line, '' order by witness) from audit.cosignature c where c.log = k.log and c.size = k.size), ''), now()
  from audit.checkpoint k where log = $1 and size <= $2 order by size desc limit 1`;
const cosignedText = `select size, now() from (select size from audit.cosignature where log = $1 and size > $2 order by size limit 64) soon
  group by size order by count(*) desc, size limit 1`;
// Each flush is looked up by its key: over columns without statistics the planner would rather read whole tables.
const placedText = `select index, leaf_hashes, null, now() from audit.seq where log = $1 and index < $3
  and index >= coalesce((select index from audit.seq where log = $1 and index <= $2 order by index desc limit 1), 0) order by index`;
const placedEntriesText = `select s.index, s.leaf_hashes, f.entries, now()
  from (
    select index, flush_id, leaf_hashes from audit.seq where log = $1 and index < $3
      and index >= coalesce((select index from audit.seq where log = $1 and index <= $2 order by index desc limit 1), 0)
  ) s
  left join lateral (select entries from audit.flush where log = $1 and flush_id = s.flush_id limit 1) f on true
  order by s.index`;
const subtreesText = "select index, root, now() from audit.subtree where log = $1 and index >= $2 and index < $3 order by index";
/**
 * A flush bears its first entry's id, so an entry's flush is at its id or before. Between the two lie at most the flushes that other writers began
 * while this one queued, a handful; 512 is what a caller who made an id up can make us read.
 */
const acceptedText = `select f.flush_id, f.head, f.entries, s.index, now()
  from (select flush_id, head, entries from audit.flush where log = $1 and flush_id <= $2 order by flush_id desc limit 512) f
  left join lateral (select index from audit.seq where log = $1 and flush_id = f.flush_id limit 1) s on true
  where position($3::bytea in f.entries) > 0
  order by f.flush_id desc limit 1`;
