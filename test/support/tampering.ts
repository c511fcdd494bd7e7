/**
 * What somebody with the database does to a log's rows, from a flipped bit to everything that an attacker who knows the format would put right.
 */
import { emptyRange, extendRange, hashesToBytes, rangeRoot } from "../../src/audit/tree.ts";
import type { LogRows, RawRow, SeqRow } from "./log-builder.ts";

export function flip(bytes: Uint8Array, at = 0): Uint8Array {
  const changed = Uint8Array.from(bytes);
  changed[at] = (changed[at] ?? 0) ^ 1;
  return changed;
}

/** Another letter of the same kind in the middle of a text. */
export function flipText(text: string, at = Math.floor(text.length / 2)): string {
  return text.slice(0, at) + (text[at] === "B" ? "C" : "B") + text.slice(at + 1);
}

export function seqRow(rows: LogRows, index: number): SeqRow {
  const row = rows.seq.get(index);
  if (row === undefined) throw new Error(`the test's log has no place ${index}`);
  return row;
}

export function rawRow(rows: LogRows, index: number): RawRow {
  const row = rows.raw.get(seqRow(rows, index).entryId);
  if (row === undefined) throw new Error(`the test's log has no bytes for place ${index}`);
  return row;
}

/** Takes the row at `index` out and moves the later ones down, as if it had never been; `log` follows. */
export function closeGap(rows: LogRows, index: number): void {
  for (let at = index; at + 1 < rows.seq.size; at++) rows.seq.set(at, seqRow(rows, at + 1));
  rows.seq.delete(rows.seq.size - 1);
  restoreLogRow(rows);
}

/** Puts a row in at `index` and moves the later ones up; `log` follows. */
export function insertAt(rows: LogRows, index: number, entryId: string, leaf: Uint8Array): void {
  for (let at = rows.seq.size; at > index; at--) rows.seq.set(at, seqRow(rows, at - 1));
  rows.seq.set(index, { entryId, leafHash: leaf });
  restoreLogRow(rows);
}

/** What an attacker who knows the format would also do: size, root and range as the rows now give them. */
export function restoreLogRow(rows: LogRows): void {
  const leaves = Array.from({ length: rows.seq.size }, (_, i) => seqRow(rows, i).leafHash);
  const range = extendRange(emptyRange, leaves);
  Object.assign(rows.log, { size: range.size, root: rangeRoot(range), range: hashesToBytes(range.hashes) });
}
