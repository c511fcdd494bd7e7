/**
 * The Merkle tree of RFC 6962 §2.1 over SHA-256: leaf = H(0x00 ‖ bytes), node = H(0x01 ‖ left ‖ right), and proofs of it.
 * Everything here is synchronous and holds no state. Sizes are safe integers; no 32-bit arithmetic.
 */
import { equalBytes, sha256 } from "../crypto/index.ts";

export const hashBytes = 32;

const leafPrefix = 0x00;
const nodePrefix = 0x01;

/** The hash of a leaf that holds `bytes`. */
export function leafHash(bytes: Uint8Array): Uint8Array {
  const input = new Uint8Array(1 + bytes.length);
  input[0] = leafPrefix;
  input.set(bytes, 1);
  return sha256(input);
}

export function nodeHash(left: Uint8Array, right: Uint8Array): Uint8Array {
  const input = new Uint8Array(1 + 2 * hashBytes);
  input[0] = nodePrefix;
  input.set(left, 1);
  input.set(right, 1 + hashBytes);
  return sha256(input);
}

/** Concatenated, in order: how a range and a path are stored. */
export function hashesToBytes(hashes: readonly Uint8Array[]): Uint8Array {
  const out = new Uint8Array(hashes.length * hashBytes);
  hashes.forEach((hash, i) => {
    out.set(hash, i * hashBytes);
  });
  return out;
}

/** `null` = not a whole number of hashes. */
export function hashesFromBytes(bytes: Uint8Array): Uint8Array[] | null {
  if (bytes.length % hashBytes !== 0) return null;
  return Array.from({ length: bytes.length / hashBytes }, (_, i) => bytes.slice(i * hashBytes, (i + 1) * hashBytes));
}

/** What an append needs of a tree: the roots of its complete subtrees, largest (leftmost) first, one for each bit of `size`. */
export interface CompactRange {
  readonly size: number;
  readonly hashes: readonly Uint8Array[];
}

export const emptyRange: CompactRange = { size: 0, hashes: [] };

/** The range of the tree that has `leafHashes` appended. */
export function extendRange(range: CompactRange, leafHashes: readonly Uint8Array[]): CompactRange {
  const hashes = [...range.hashes];
  let size = range.size;
  for (const leaf of leafHashes) {
    let node = leaf;
    for (let rest = size; rest % 2 === 1; rest = (rest - 1) / 2) {
      const left = hashes.pop();
      if (left === undefined) throw new RangeError("a compact range has fewer hashes than its size says");
      node = nodeHash(left, node);
    }
    hashes.push(node);
    size++;
  }
  return { size, hashes };
}

/**
 * Roots of the `width`-wide subtrees (a power of two) that become full when `leafHashes` are appended to `range`, in order.
 * They follow from the range alone: what lies in a store meanwhile cannot reach them.
 */
export function fullSubtrees(range: CompactRange, leafHashes: readonly Uint8Array[], width: number): Uint8Array[] {
  const begun = range.size % width;
  let part: CompactRange = { size: begun, hashes: range.hashes.slice(range.hashes.length - ones(begun)) };
  const roots: Uint8Array[] = [];
  for (let from = 0; part.size + leafHashes.length - from >= width; part = emptyRange) {
    const to = from + width - part.size;
    roots.push(rangeRoot(extendRange(part, leafHashes.slice(from, to))));
    from = to;
  }
  return roots;
}

/** The range of two trees one after the other; the first one's size is a multiple of a power of two that the second one's does not exceed. */
export function joinRanges(left: CompactRange, right: CompactRange): CompactRange {
  return { size: left.size + right.size, hashes: [...left.hashes, ...right.hashes] };
}

/** From the roots of neighbouring subtrees those of the ones `width` times as wide: of each full `width` of them. */
export function subtreeRoots(roots: readonly Uint8Array[], width: number): Uint8Array[] {
  return Array.from({ length: Math.floor(roots.length / width) }, (_, i) => rootAt(hashTree(roots.slice(i * width, (i + 1) * width))));
}

/** The root of the tree; of an empty one, the hash of nothing. */
export function rangeRoot(range: CompactRange): Uint8Array {
  return foldRight(range.hashes);
}

/** `null` = not as many hashes as a tree of `size` leaves has. */
export function parseRange(size: number, bytes: Uint8Array): CompactRange | null {
  const hashes = hashesFromBytes(bytes);
  return hashes !== null && hashes.length === ones(size) ? { size, hashes } : null;
}

/**
 * All complete subtrees over some leaves: `layers[k][i]` is the root over leaves [i·2ᵏ, (i+1)·2ᵏ).
 * Built once, it answers the root and the proofs of every smaller size in logarithmic time.
 */
export interface HashTree {
  readonly size: number;
  readonly layers: readonly (readonly Uint8Array[])[];
}

export function hashTree(leafHashes: readonly Uint8Array[]): HashTree {
  const layers: (readonly Uint8Array[])[] = [leafHashes];
  for (let below = leafHashes; below.length > 1; ) {
    const layer: Uint8Array[] = [];
    for (let i = 0; i + 1 < below.length; i += 2) layer.push(nodeHash(at(below, i), at(below, i + 1)));
    layers.push(layer);
    below = layer;
  }
  return { size: leafHashes.length, layers };
}

/** The root over the first `size` leaves. Throws a RangeError where the tree has fewer. */
export function rootAt(tree: HashTree, size: number = tree.size): Uint8Array {
  return rootOver(tree, 0, size);
}

/** The compact range over the first `size` leaves. */
export function rangeAt(tree: HashTree, size: number = tree.size): CompactRange {
  return { size, hashes: coverOf(tree, 0, size) };
}

/** RFC 6962 §2.1.1: the path of leaf `index` in the tree of the first `size` leaves, from the leaf up. */
export function inclusionProof(tree: HashTree, index: number, size: number = tree.size): Uint8Array[] {
  if (!isIndex(index, size) || size > tree.size) throw new RangeError("no such leaf in a tree of that size");
  const path: Uint8Array[] = [];
  for (let start = 0, end = size; end - start > 1; ) {
    const middle = start + splitOf(end - start);
    if (index < middle) {
      path.push(rootOver(tree, middle, end));
      end = middle;
    } else {
      path.push(rootOver(tree, start, middle));
      start = middle;
    }
  }
  return path.reverse();
}

/** RFC 6962 §2.1.2: that the tree of `size` leaves extends the one of `from`. Throws a RangeError for `from` 0: everything extends nothing. */
export function consistencyProof(tree: HashTree, from: number, size: number = tree.size): Uint8Array[] {
  if (!Number.isSafeInteger(from) || from < 1 || from > size || size > tree.size)
    throw new RangeError("no consistency proof between those sizes");
  const proof: Uint8Array[] = [];
  let start = 0;
  let end = size;
  while (end !== from) {
    const middle = start + splitOf(end - start);
    if (from <= middle) {
      proof.push(rootOver(tree, middle, end));
      end = middle;
    } else {
      proof.push(rootOver(tree, start, middle));
      start = middle;
    }
  }
  if (start !== 0) proof.push(rootOver(tree, start, end));
  return proof.reverse();
}

/** The root that `proof` leads to from a leaf. `null` = the proof has not the form of that place. */
export function rootFromInclusion(leaf: Uint8Array, index: number, size: number, proof: readonly Uint8Array[]): Uint8Array | null {
  if (!isIndex(index, size) || leaf.length !== hashBytes || proof.some((hash) => hash.length !== hashBytes)) return null;
  let node = leaf;
  let place = index;
  let last = size - 1;
  for (const hash of proof) {
    if (last === 0) return null;
    if (place % 2 === 1 || place === last) {
      node = nodeHash(hash, node);
      while (place % 2 === 0 && place !== 0) [place, last] = [half(place), half(last)];
    } else {
      node = nodeHash(node, hash);
    }
    [place, last] = [half(place), half(last)];
  }
  return last === 0 ? node : null;
}

/** What a consistency proof claims. */
export interface ConsistencyClaim {
  readonly size1: number;
  readonly root1: Uint8Array;
  readonly size2: number;
  readonly root2: Uint8Array;
  readonly proof: readonly Uint8Array[];
}

/** RFC 9162 §2.1.4.2. A claim from size 0 is never true: it would say nothing. */
export function isConsistent(claim: ConsistencyClaim): boolean {
  const { size1, size2, proof } = claim;
  if (!Number.isSafeInteger(size1) || !Number.isSafeInteger(size2) || size1 < 1 || size2 < size1) return false;
  if (proof.some((hash) => hash.length !== hashBytes)) return false;
  if (size1 === size2) return proof.length === 0 && equalBytes(claim.root1, claim.root2);
  let place = size1 - 1;
  let last = size2 - 1;
  while (place % 2 === 1) [place, last] = [half(place), half(last)];
  const steps = place === 0 ? [claim.root1, ...proof] : [...proof]; // a complete subtree proves itself
  const first = steps.shift();
  if (first === undefined) return false;
  let older = first;
  let newer = first;
  for (const hash of steps) {
    if (last === 0) return false;
    if (place % 2 === 1 || place === last) {
      older = nodeHash(hash, older);
      newer = nodeHash(hash, newer);
      while (place % 2 === 0 && place !== 0) [place, last] = [half(place), half(last)];
    } else {
      newer = nodeHash(newer, hash);
    }
    [place, last] = [half(place), half(last)];
  }
  return last === 0 && equalBytes(older, claim.root1) && equalBytes(newer, claim.root2);
}

function rootOver(tree: HashTree, start: number, end: number): Uint8Array {
  return foldRight(coverOf(tree, start, end));
}

/** The complete subtrees that cover leaves [start, end), from the left; `start` is a multiple of the largest one's width, as in every recursion of RFC 6962. */
function coverOf(tree: HashTree, start: number, end: number): Uint8Array[] {
  const hashes: Uint8Array[] = [];
  for (let left = start; left < end; ) {
    let level = 0;
    let width = 1;
    while (width * 2 <= end - left) {
      width *= 2;
      level++;
    }
    hashes.push(at(tree.layers[level] ?? [], left / width));
    left += width;
  }
  return hashes;
}

function foldRight(hashes: readonly Uint8Array[]): Uint8Array {
  return (
    hashes.reduceRight<Uint8Array | null>((right, left) => (right === null ? left : nodeHash(left, right)), null) ??
    sha256(new Uint8Array(0))
  );
}

/** The largest power of two below `size`. */
function splitOf(size: number): number {
  let split = 1;
  while (split * 2 < size) split *= 2;
  return split;
}

function at(hashes: readonly Uint8Array[], index: number): Uint8Array {
  const hash = hashes[index];
  if (hash === undefined) throw new RangeError("the tree has fewer leaves than that");
  return hash;
}

function isIndex(index: number, size: number): boolean {
  return Number.isSafeInteger(index) && Number.isSafeInteger(size) && index >= 0 && index < size;
}

function half(n: number): number {
  return Math.floor(n / 2);
}

function ones(n: number): number {
  let count = 0;
  for (let rest = n; rest > 0; rest = half(rest)) count += rest % 2;
  return count;
}
