/**
 * The log as tlog-tiles serves it: one tile, one bundle, one proof at a time, out of the tables. Whether they are true is for whoever asked to check;
 * a stored row that was changed is changed here too.
 * A proof reads the tiles of the places that it is about, and one stored hash for every 256 leaves.
 */
import type { Queryable } from "../storage/index.ts";
import { selectPlaced, selectSubtreesAt } from "./postgres-tiles.ts";
import { hashesAt, type LeafTile, leafTilesOf, rootsOfTiles } from "./stored-tiles.ts";
import { encodeEntries, type Tile, tileWidth } from "./tiles.ts";
import { consistencyProof, type HashTree, hashesToBytes, hashTree, inclusionProof, rootAt } from "./tree.ts";

/** Levels of the tree within one tile. */
const tileHeight = 8;

/** The bytes of a hash tile of any level, as wide as it says. */
export async function readHashTile(database: Queryable, log: string, tile: Tile): Promise<Uint8Array> {
  if (tile.level === 0) return hashesToBytes((await readLeafTile(database, log, tile)).hashes);
  const span = tileWidth ** (tile.level - 1);
  const from = tile.index * tileWidth * span;
  const places = { from, to: from + tile.width * span };
  let hashes = await hashesAt(await selectSubtreesAt(database, log, places), places);
  for (let level = 1; level < tile.level; level++) hashes = rootsOfTiles(hashes);
  return hashesToBytes(hashes);
}

/** The entries of a level-0 tile. */
export async function readEntryBundle(database: Queryable, log: string, tile: Tile): Promise<Uint8Array> {
  return encodeEntries((await readLeafTile(database, log, tile, true)).entries);
}

/** The path of leaf `index` in the tree of the first `size` leaves, from the leaf up. `index` < `size`. */
export async function readInclusion(database: Queryable, log: string, index: number, size: number): Promise<Uint8Array[]> {
  return inclusionProof(await readTree(database, log, size, index), index);
}

/** That the tree of `size` leaves extends the one of `from`. 1 ≤ `from` ≤ `size`. */
export async function readConsistency(database: Queryable, log: string, from: number, size: number): Promise<Uint8Array[]> {
  return consistencyProof(await readTree(database, log, size, from - 1), from);
}

/** The root over the first `size` leaves, from the stored roots of full tiles and the leaves behind them. */
export async function readRoot(database: Queryable, log: string, size: number): Promise<Uint8Array> {
  return rootAt(await readTree(database, log, size, size - 1), size);
}

async function readLeafTile(database: Queryable, log: string, tile: Tile, withEntries = false): Promise<LeafTile> {
  const from = tile.index * tileWidth;
  const flushes = await selectPlaced(database, log, { from, to: from + tile.width, withEntries });
  for await (const leafTile of leafTilesOf(flushes, [tile])) return leafTile;
  throw new RangeError("one tile was asked for");
}

/** As much of a tree as proofs about `place` ask for: the tile that it lies in, the last one, and everything above tiles. The rest is left out. */
async function readTree(database: Queryable, log: string, size: number, place: number): Promise<HashTree> {
  const full = { from: 0, to: Math.floor(size / tileWidth) };
  const above = hashTree(await hashesAt(await selectSubtreesAt(database, log, full), full)).layers;
  const within: Uint8Array[][] = Array.from({ length: tileHeight }, () => []);
  for (const index of new Set([place, size - 1].map((leaf) => Math.floor(leaf / tileWidth)))) {
    const start = index * tileWidth;
    const { hashes } = await readLeafTile(database, log, { level: 0, index, width: Math.min(tileWidth, size - start) });
    const { layers } = hashTree(hashes);
    within.forEach((layer, level) => {
      layers[level]?.forEach((hash, i) => {
        layer[start / 2 ** level + i] = hash;
      });
    });
  }
  return { size, layers: [...within, ...above] };
}
