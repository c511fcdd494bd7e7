/**
 * Whether what is about to be pruned is what was signed: what is deleted cannot be looked at any more, and the hashes that stay are believed for good.
 * newest checkpoint, signed → the stored roots lead to its root → each tile that goes: its entries give its leaves, its leaves its root
 */
import { equalBytes, type VerifySignature } from "../crypto/index.ts";
import type { Queryable } from "../storage/index.ts";
import { openCheckpoint } from "./checkpoint.ts";
import { readRoot } from "./log-tiles.ts";
import { noteKey } from "./note.ts";
import { selectPlaced, selectPublished } from "./postgres-tiles.ts";
import { readLeftEdge } from "./pruning.ts";
import { leafTilesOf } from "./stored-tiles.ts";
import { tileWidth } from "./tiles.ts";
import { emptyRange, extendRange, leafHash, rangeRoot } from "./tree.ts";

export interface Doomed {
  readonly log: string;
  readonly origin: string;
  /** Multiples of 256: what goes is `from` ≤ place < `to`. */
  readonly from: number;
  readonly to: number;
  /** The log's raw public key. */
  readonly logKey: Uint8Array;
  readonly verifySignature: VerifySignature;
}

export async function isUndamaged(database: Queryable, { log, origin, from, to, logKey, verifySignature }: Doomed): Promise<boolean> {
  const published = await selectPublished(database, log);
  const opened = published && (await openCheckpoint(published.note, [noteKey(origin, logKey)], verifySignature));
  if (!opened?.ok || opened.value.size < to) return false;
  if (!equalBytes(await readRoot(database, log, opened.value.size), opened.value.root)) return false;
  const roots = await readLeftEdge(database, log, to);
  for (let index = from / tileWidth; index * tileWidth < to; index++) {
    const places = { from: index * tileWidth, to: (index + 1) * tileWidth, withEntries: true };
    const tiles = leafTilesOf(await selectPlaced(database, log, places), [{ level: 0, index, width: tileWidth }]);
    for await (const { hashes, entries } of tiles) {
      const isWhole = hashes.every((hash, i) => equalBytes(hash, leafHash(entries[i] ?? new Uint8Array(0))));
      if (!isWhole || !equalBytes(rangeRoot(extendRange(emptyRange, hashes)), roots[index] ?? new Uint8Array(0))) return false;
    }
  }
  return true;
}
