/**
 * A flush as it is stored: what a writer handed in at once, under one signed head, as one row. Its entries lie in it as an entry bundle of tlog-tiles.
 * Nothing here refuses: whatever lies in the database has entries and places, so that all who read it see the same ones.
 */
import { decodeEntries, entryLengthMax } from "./tiles.ts";
import { hashBytes } from "./tree.ts";

/** A row of `flush`. */
export interface StoredFlush {
  /** Of its first entry. */
  readonly id: string;
  readonly head: string;
  /** As `entriesOfFlush` reads them. */
  readonly entries: Uint8Array;
}

/** In one flush. */
export const flushEntriesMax = 256;

/** Views of `stored`, at least one: what no writer of ours would store is one entry, as long as an entry may be. It gets a place, as evidence. */
export function entriesOfFlush(stored: Uint8Array): readonly Uint8Array[] {
  const entries = decodeEntries(stored);
  const isOurs = entries !== null && entries.length > 0 && entries.length <= flushEntriesMax;
  return isOurs ? entries : [stored.subarray(0, entryLengthMax)];
}

/** How many places stored leaf hashes take up; a last one that is cut short counts. */
export function placesOf(leafHashes: Uint8Array): number {
  return Math.ceil(leafHashes.length / hashBytes);
}
