/**
 * From stored rows to tiles, for the export and over HTTP alike. It lays out what the database has and judges nothing: level-0 tiles are the stored
 * leaf hashes, level 1 the stored subtree roots, and a row that is missing leaves 32 zero bytes, or an empty entry, in its place.
 */
import { entriesOfFlush, placesOf } from "./flush.ts";
import { type Tile, tileWidth } from "./tiles.ts";
import { hashBytes, subtreeRoots } from "./tree.ts";

/** One flush that has its places in the tree. */
export interface PlacedFlush {
  /** Of its first entry. */
  readonly index: number;
  readonly leafHashes: Uint8Array;
  /** `null` = not there, or not asked for. */
  readonly entries: Uint8Array | null;
}

/** A level-0 tile, and the entries that its hashes are of. */
export interface LeafTile {
  readonly tile: Tile;
  readonly hashes: readonly Uint8Array[];
  readonly entries: readonly Uint8Array[];
}

/** `flushes` ascend by index, and so do `tiles`, which are of level 0. Holds one tile and two flushes at a time. */
export async function* leafTilesOf(
  flushes: AsyncIterable<PlacedFlush> | Iterable<PlacedFlush>,
  tiles: readonly Tile[],
): AsyncGenerator<LeafTile> {
  const leaves = leavesOf(flushes)[Symbol.asyncIterator]();
  let next = await leaves.next();
  for (const tile of tiles) {
    const hashes = zeroHashes(tile.width);
    const entries: Uint8Array[] = Array.from({ length: tile.width }, () => new Uint8Array(0));
    const start = tile.index * tileWidth;
    for (; !next.done && next.value.index < start + tile.width; next = await leaves.next()) {
      const { index, hash, bytes } = next.value;
      if (index < start) continue;
      hashes[index - start] = hashOrZero(hash);
      entries[index - start] = bytes;
    }
    yield { tile, hashes, entries };
  }
}

interface Leaf {
  readonly index: number;
  readonly hash: Uint8Array;
  readonly bytes: Uint8Array;
}

/** Ascending, each place once: where one flush reaches into the next, the next one has the place. */
async function* leavesOf(flushes: AsyncIterable<PlacedFlush> | Iterable<PlacedFlush>): AsyncIterable<Leaf> {
  let before: PlacedFlush | null = null;
  for await (const flush of flushes) {
    if (before !== null) yield* leavesBefore(before, flush.index);
    before = flush;
  }
  if (before !== null) yield* leavesBefore(before, Number.POSITIVE_INFINITY);
}

function* leavesBefore({ index, leafHashes, entries }: PlacedFlush, end: number): Iterable<Leaf> {
  const bytes = entries === null ? [] : entriesOfFlush(entries);
  for (let i = 0; i < placesOf(leafHashes) && index + i < end; i++) {
    yield { index: index + i, hash: leafHashes.subarray(i * hashBytes, (i + 1) * hashBytes), bytes: bytes[i] ?? new Uint8Array(0) };
  }
}

/** The hashes of places `from` to `to`, from the rows that there are. */
export async function hashesAt(
  rows:
    | AsyncIterable<{ readonly index: number; readonly root: Uint8Array }>
    | Iterable<{ readonly index: number; readonly root: Uint8Array }>,
  { from, to }: { readonly from: number; readonly to: number },
): Promise<Uint8Array[]> {
  const hashes = zeroHashes(to - from);
  for await (const { index, root } of rows) if (index >= from && index < to) hashes[index - from] = hashOrZero(root);
  return hashes;
}

/** One level up: a hash for each full tile of these hashes. */
export function rootsOfTiles(hashes: readonly Uint8Array[]): Uint8Array[] {
  return subtreeRoots(hashes, tileWidth);
}

export function zeroHashes(length: number): Uint8Array[] {
  return Array.from({ length }, () => new Uint8Array(hashBytes));
}

/** A stored hash of another length cannot stand in a tile; it is as wrong as none. */
export function hashOrZero(hash: Uint8Array): Uint8Array {
  return hash.length === hashBytes ? hash : new Uint8Array(hashBytes);
}
