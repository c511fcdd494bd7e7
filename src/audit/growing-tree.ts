/** A tree that grows by whole tiles and keeps what its roots need: a compact range, and the root of each full tile. */

import { tileWidth } from "./tiles.ts";
import { type CompactRange, emptyRange, extendRange, joinRanges, rangeRoot } from "./tree.ts";

export interface GrowingTree {
  /** No further than to the tile's end. */
  add(leaves: readonly Uint8Array[]): void;
  range(): CompactRange;
  root(): Uint8Array;
  /** Of full tiles: what tiles of level 1 hold. */
  tileRoots(): readonly Uint8Array[];
  copy(): GrowingTree;
}

interface Growth {
  /** Over the roots of full tiles. */
  readonly full: CompactRange;
  /** Over the leaves behind them. */
  readonly part: CompactRange;
  readonly tileRoots: readonly Uint8Array[];
}

/** The tree over whole tiles of which nothing but the roots is known. */
export function treeOfTiles(roots: readonly Uint8Array[]): GrowingTree {
  return createGrowingTree({ full: extendRange(emptyRange, roots), part: emptyRange, tileRoots: roots });
}

export function createGrowingTree(growth: Growth = { full: emptyRange, part: emptyRange, tileRoots: [] }): GrowingTree {
  let { full, part } = growth;
  const tileRoots = [...growth.tileRoots];
  const range = () => joinRanges({ size: full.size * tileWidth, hashes: full.hashes }, part);
  return {
    add(leaves) {
      part = extendRange(part, leaves);
      if (part.size < tileWidth) return;
      const root = rangeRoot(part);
      tileRoots.push(root);
      full = extendRange(full, [root]);
      part = emptyRange;
    },
    range,
    root: () => rangeRoot(range()),
    tileRoots: () => tileRoots,
    copy: () => createGrowingTree({ full, part, tileRoots }),
  };
}
