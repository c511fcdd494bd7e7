/**
 * What somebody with the database does to a log's rows, from a flipped bit to everything that an attacker who knows the format would put right.
 */
import { readEntry } from "../../src/audit/index.ts";
import { decodeEntries, encodeEntries } from "../../src/audit/tiles.ts";
import { emptyRange, extendRange, hashesFromBytes, hashesToBytes, leafHash, rangeRoot } from "../../src/audit/tree.ts";
import type { FlushRow, LogRows, SeqRow } from "./log-builder.ts";

export function flip(bytes: Uint8Array, at = 0): Uint8Array {
  const changed = Uint8Array.from(bytes);
  changed[at] = (changed[at] ?? 0) ^ 1;
  return changed;
}

/** Another letter of the same kind in the middle of a text. */
export function flipText(text: string, at = Math.floor(text.length / 2)): string {
  return text.slice(0, at) + (text[at] === "B" ? "C" : "B") + text.slice(at + 1);
}

export interface HeldFlush {
  /** Its first place. */
  readonly start: number;
  readonly seq: SeqRow;
  readonly row: FlushRow;
}

/** The flush that holds place `index`; of a place behind the last, the last one. */
export function flushAt(rows: LogRows, index: number): HeldFlush {
  const start = Math.max(...[...rows.seq.keys()].filter((first) => first <= index));
  const seq = rows.seq.get(start);
  const row = seq && rows.flush.get(seq.flushId);
  if (!row) throw new Error(`the test's log has no flush at place ${index}`);
  return { start, seq, row };
}

export function entriesIn({ row }: HeldFlush): Uint8Array[] {
  return decodeEntries(row.entries) ?? [];
}

export function entryAt(rows: LogRows, index: number): Uint8Array {
  const flush = flushAt(rows, index);
  const entry = entriesIn(flush)[index - flush.start];
  if (entry === undefined) throw new Error(`the test's log has no place ${index}`);
  return entry;
}

/** Changes the entries of the flush at `index`, and nothing else. */
export function editBundle(rows: LogRows, index: number, change: (entries: Uint8Array[], at: number) => Uint8Array[]): void {
  const flush = flushAt(rows, index);
  flush.row.entries = encodeEntries(change(entriesIn(flush), index - flush.start));
}

/** Changes them, and puts right what follows from it: the flush's name, leaf hashes, later places, the log's row. A flush without entries is gone. */
export function editFlush(rows: LogRows, index: number, change: (entries: Uint8Array[], at: number) => Uint8Array[]): void {
  const { start, seq, row } = flushAt(rows, index);
  const before = entriesIn({ start, seq, row });
  const after = change([...before], index - start);
  rows.flush.delete(seq.flushId);
  rows.seq.delete(start);
  moveFlushes(rows, start + before.length, after.length - before.length);
  if (after.length > 0) putFlush(rows, start, { head: row.head, entries: encodeEntries(after) }, seq.flushId);
  restoreLogRow(rows);
}

/** Numbers a flush at `start`, under its first entry's id if that can be read. */
function putFlush(rows: LogRows, start: number, row: FlushRow, id: string): void {
  const entries = decodeEntries(row.entries) ?? [];
  const flushId = (entries[0] && readEntry(entries[0])?.id) ?? id;
  rows.flush.set(flushId, row);
  rows.seq.set(start, { flushId, leafHashes: hashesToBytes(entries.map(leafHash)) });
}

/** Flushes from place `from` on move by `by` places. */
function moveFlushes(rows: LogRows, from: number, by: number): void {
  const moved = [...rows.seq].filter(([first]) => first >= from);
  for (const [first] of moved) rows.seq.delete(first);
  for (const [first, seq] of moved) rows.seq.set(first + by, seq);
}

/** Takes the entry at `index` out as if it had never been. */
export function takeOut(rows: LogRows, index: number): void {
  editFlush(rows, index, (entries, at) => entries.toSpliced(at, 1));
}

/** Puts an entry into the flush at `index`, or behind the last. */
export function putIn(rows: LogRows, index: number, entry: Uint8Array): void {
  editFlush(rows, index, (entries, at) => entries.toSpliced(at, 0, entry));
}

/** Takes the flush at `index` out as if it had never been. */
export function takeOutFlush(rows: LogRows, index: number): void {
  editFlush(rows, index, () => []);
}

/** Puts a flush in before the one at `start`; `id` is its name where its first entry gives none. */
export function putInFlush(rows: LogRows, start: number, row: FlushRow, id = "put-in"): void {
  moveFlushes(rows, start, decodeEntries(row.entries)?.length ?? 0);
  putFlush(rows, start, row, id);
  restoreLogRow(rows);
}

/** What an attacker who knows the format would also do: size, root and range as the rows now give them. */
function restoreLogRow(rows: LogRows): void {
  const leaves = [...rows.seq].sort(([a], [b]) => a - b).flatMap(([, { leafHashes }]) => hashesFromBytes(leafHashes) ?? []);
  const range = extendRange(emptyRange, leaves);
  Object.assign(rows.log, { size: range.size, root: rangeRoot(range), range: hashesToBytes(range.hashes) });
}
