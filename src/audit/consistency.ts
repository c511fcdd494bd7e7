/**
 * A consistency proof (RFC 6962 §2.1.2) from what an old range and the leaves since then give: no tree of the whole log is built for it.
 * Left of the old size the proof holds complete subtrees, which are the range's own hashes; right of it everything follows from the new leaves.
 */
import { type CompactRange, emptyRange, extendRange, rangeRoot } from "./tree.ts";

/** From the tree of `old` to the one with `leaves` appended. Throws a RangeError for an empty old one: everything extends nothing. */
export function consistencyFrom(old: CompactRange, leaves: readonly Uint8Array[]): Uint8Array[] {
  if (old.size < 1) throw new RangeError("no consistency proof from an empty tree");
  const complete = subtreesOf(old);
  const rightOf = (start: number, end: number) => rangeRoot(extendRange(emptyRange, leaves.slice(start - old.size, end - old.size)));
  const proof: Uint8Array[] = [];
  let start = 0;
  let end = old.size + leaves.length;
  while (end !== old.size) {
    const middle = start + splitOf(end - start);
    if (old.size <= middle) {
      proof.push(rightOf(middle, end));
      end = middle;
    } else {
      proof.push(completeAt(complete, start));
      start = middle;
    }
  }
  if (start !== 0) proof.push(completeAt(complete, start));
  return proof.reverse();
}

/** The range's hashes by the place of their first leaf. */
function subtreesOf({ size, hashes }: CompactRange): ReadonlyMap<number, Uint8Array> {
  const subtrees = new Map<number, Uint8Array>();
  let start = 0;
  for (const hash of hashes) {
    subtrees.set(start, hash);
    start += splitOf(size - start + 1);
  }
  return subtrees;
}

function completeAt(subtrees: ReadonlyMap<number, Uint8Array>, start: number): Uint8Array {
  const hash = subtrees.get(start);
  if (hash === undefined) throw new RangeError("a compact range has fewer hashes than its size says");
  return hash;
}

/** The largest power of two below `size`. */
function splitOf(size: number): number {
  let split = 1;
  while (split * 2 < size) split *= 2;
  return split;
}
