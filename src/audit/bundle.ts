/**
 * An export as a file: a tar of the tlog-tiles layout, tile by tile, each with its entries, the heads of its flushes and the checkpoints of its sizes,
 * so that one pass verifies it. It writes what the database has stored and judges nothing: whatever was changed there is still changed in the file.
 * Level-0 tiles are the stored leaf hashes, level 1 the stored subtree roots; a row that is missing leaves 32 zero bytes in its place.
 */
import { createTarPacker, type TarPackController } from "modern-tar";
import { concat, toBase64, utf8 } from "../crypto/index.ts";
import { entriesOfFlush, placesOf, type StoredFlush } from "./flush.ts";
import {
  type CheckpointLine,
  type ExportKeys,
  exportFormat,
  type HeadLine,
  type Manifest,
  member,
  type OrphanLine,
  orphansMax,
  type PrunedEvidence,
} from "./manifest.ts";
import { hashesAt, hashOrZero, rootsOfTiles, zeroHashes } from "./stored-tiles.ts";
import { type Member, readTar } from "./tar.ts";
import { checkpointsPath, encodeEntries, entriesPath, headsPath, type Tile, tilePath, tileWidth, upperTiles } from "./tiles.ts";
import { hashBytes, hashesToBytes } from "./tree.ts";

/** One flush that has its places in the tree, and what is stored about it. What is null is not there. */
export interface ExportFlush {
  /** Of its first entry. */
  readonly index: number;
  readonly seqId: string;
  readonly leafHashes: Uint8Array;
  readonly id: string | null;
  readonly head: string | null;
  readonly entries: Uint8Array | null;
}

/** One snapshot of one log. What is iterable is read once, a little at a time. */
export interface ExportSource {
  readonly manifest: Omit<Manifest, "format">;
  readonly keys: ExportKeys;
  /** Where `manifest.min_index` is not 0: the roots of the tiles that were pruned, and what says so. */
  readonly pruned: { readonly roots: readonly Uint8Array[]; readonly evidence: PrunedEvidence } | null;
  /** The signed note of exactly `manifest.size`; empty where there is none. */
  readonly checkpoint: string;
  /** Ascending by size, each above `manifest.min_index`. */
  checkpoints(): AsyncIterable<CheckpointLine>;
  /** Ascending by index, each below `manifest.size`; the first one may begin before `manifest.min_index`. */
  flushes(): AsyncIterable<ExportFlush>;
  /** Accepted, and neither pending nor sequenced. */
  orphans(): AsyncIterable<StoredFlush>;
  /** Roots of full 256-wide subtrees, ascending by index. */
  subtrees(): AsyncIterable<{ readonly index: number; readonly root: Uint8Array }>;
}

/** Streams the tar; what it holds at a time is one tile, two flushes, and 32 bytes for every 256 entries. A fault of the source errors the stream. */
export function writeBundle(source: ExportSource): ReadableStream<Uint8Array> {
  const { readable, controller } = createTarPacker();
  pack(source, controller).catch((fault: unknown) => controller.error(fault));
  return readable;
}

async function pack(source: ExportSource, tar: TarPackController): Promise<void> {
  const manifest: Manifest = { format: exportFormat, ...source.manifest };
  await add(tar, member.manifest, utf8(`${JSON.stringify(manifest, null, 2)}\n`));
  await add(tar, member.keys, utf8(`${JSON.stringify(source.keys, null, 2)}\n`));
  await add(tar, member.checkpoint, utf8(source.checkpoint));
  if (source.pruned !== null) {
    await add(tar, member.edge, hashesToBytes(source.pruned.roots));
    await add(tar, member.pruned, utf8(`${JSON.stringify(source.pruned.evidence, null, 2)}\n`));
  }
  const held = await addLeafTiles(tar, source);
  await addUpperTiles(tar, source, held);
  await add(tar, member.orphans, await orphanLines(source));
  tar.finalize();
}

/** What lies in the places of one level-0 tile, and what was signed about them. */
interface Shelf {
  readonly tile: Tile;
  readonly hashes: Uint8Array[];
  readonly entries: Uint8Array[];
  readonly heads: Uint8Array[];
}

function shelfOf(index: number, size: number): Shelf {
  const width = Math.min(tileWidth, size - index * tileWidth);
  return {
    tile: { level: 0, index, width },
    hashes: zeroHashes(width),
    entries: Array.from({ length: width }, () => new Uint8Array(0)),
    heads: [],
  };
}

/**
 * Writes tiles to the one of the last place that a flush has, and answers how many places they have:
 * a stored size that was raised must not make us write tiles without end.
 */
async function addLeafTiles(tar: TarPackController, source: ExportSource): Promise<number> {
  const { size, min_index: first } = source.manifest;
  const checkpoints = lookahead(source.checkpoints());
  let shelf: Shelf | null = null;
  for await (const { index, line, leaf } of placedIn(source)) {
    const at = Math.floor(Math.max(index, 0) / tileWidth);
    if (at * tileWidth >= size) continue;
    if (shelf === null) shelf = shelfOf(first / tileWidth, size);
    while (shelf.tile.index < at) {
      await addShelf(tar, shelf, checkpoints);
      shelf = shelfOf(shelf.tile.index + 1, size);
    }
    const place = index - at * tileWidth;
    if (line) shelf.heads.push(line);
    if (leaf && place >= 0 && place < shelf.tile.width) {
      shelf.hashes[place] = hashOrZero(leaf.hash);
      shelf.entries[place] = leaf.bytes;
    }
  }
  if (shelf === null) return first;
  await addShelf(tar, shelf, checkpoints);
  return shelf.tile.index * tileWidth + shelf.tile.width;
}

async function addShelf(tar: TarPackController, shelf: Shelf, checkpoints: Lookahead<CheckpointLine>): Promise<void> {
  const { tile, hashes, entries, heads } = shelf;
  const end = tile.index * tileWidth + tile.width;
  const notes: Uint8Array[] = [];
  for (let next = await checkpoints.peek(); next !== null && next.size <= end; next = await checkpoints.peek()) {
    notes.push(lineOf(next));
    checkpoints.take();
  }
  await add(tar, headsPath(tile), concat(...heads));
  await add(tar, checkpointsPath(tile), concat(...notes));
  await add(tar, tilePath(tile), hashesToBytes(hashes));
  await add(tar, entriesPath(tile), encodeEntries(entries));
}

interface Placed {
  readonly index: number;
  /** A flush begins here. */
  readonly line?: Uint8Array;
  readonly leaf?: { readonly hash: Uint8Array; readonly bytes: Uint8Array };
}

/** Ascending, each place once: where one flush reaches into the next, the next one has the place. */
async function* placedIn({ flushes, manifest }: ExportSource): AsyncIterable<Placed> {
  let before: ExportFlush | null = null;
  for await (const flush of flushes()) {
    if (before !== null) yield* placesBefore(before, flush.index, manifest);
    before = flush;
  }
  if (before !== null) yield* placesBefore(before, manifest.size, manifest);
}

function* placesBefore(flush: ExportFlush, end: number, { min_index: first }: ExportSource["manifest"]): Iterable<Placed> {
  const { index, leafHashes, entries } = flush;
  const held = entries === null ? [] : entriesOfFlush(entries);
  const gone = Math.max(0, first - index); // pruned places of a flush that reaches over the first kept one
  const line = headLine(flush, entries === null ? null : held.length);
  const pruned = gone > 0 ? { pruned: toBase64(leafHashes.subarray(0, gone * hashBytes)) } : {};
  yield { index: index + gone, line: lineOf({ ...line, ...pruned }) };
  for (let i = gone; i < placesOf(leafHashes) && index + i < end; i++) {
    const hash = leafHashes.subarray(i * hashBytes, (i + 1) * hashBytes);
    yield { index: index + i, leaf: { hash, bytes: held[i] ?? new Uint8Array(0) } };
  }
}

function headLine({ index, seqId, leafHashes, id, head }: ExportFlush, entries: number | null): HeadLine {
  return { index, size: placesOf(leafHashes), id, seq_id: seqId, entries, head };
}

async function addUpperTiles(tar: TarPackController, source: ExportSource, held: number): Promise<void> {
  let hashes = await hashesAt(source.subtrees(), { from: 0, to: Math.floor(held / tileWidth) });
  let level = 1;
  for (const tile of upperTiles(held)) {
    if (tile.level > level) hashes = rootsOfTiles(hashes);
    level = tile.level;
    const start = tile.index * tileWidth;
    await add(tar, tilePath(tile), hashesToBytes(hashes.slice(start, start + tile.width)));
  }
}

async function orphanLines(source: ExportSource): Promise<Uint8Array> {
  const lines: Uint8Array[] = [];
  for await (const { id, head, entries } of source.orphans()) {
    const line: OrphanLine = { id, entries: entriesOfFlush(entries).length, head };
    if (lines.push(lineOf(line)) === orphansMax) break;
  }
  return concat(...lines);
}

function lineOf(value: CheckpointLine | HeadLine | OrphanLine): Uint8Array {
  return utf8(`${JSON.stringify(value)}\n`);
}

async function add(tar: TarPackController, name: string, bytes: Uint8Array): Promise<void> {
  const writer = tar.add({ name, size: bytes.length, type: "file", mtime: new Date(0) }).getWriter();
  if (bytes.length > 0) await writer.write(bytes);
  await writer.close();
}

interface Lookahead<Value> {
  /** `null` = no more. */
  peek(): Promise<Value | null>;
  take(): void;
}

function lookahead<Value>(values: AsyncIterable<Value>): Lookahead<Value> {
  const source = values[Symbol.asyncIterator]();
  let next: Promise<Value | null> | null = null;
  return {
    peek: () => (next ??= source.next().then((result) => (result.done ? null : result.value))),
    take() {
      next = null;
    },
  };
}

/** An export as it is read: its members in the archive's order, once. */
export type Bundle = AsyncIterable<Member>;

/** Reads nothing yet: whoever iterates reads, and meets ArchiveUnreadable. */
export function readBundle(stream: ReadableStream<Uint8Array>): Bundle {
  return readTar(chunksOf(stream));
}

/** Not every browser iterates streams. A reader that stops early lets go of the source. */
async function* chunksOf(stream: ReadableStream<Uint8Array>): AsyncGenerator<Uint8Array> {
  const reader = stream.getReader();
  try {
    for (let next = await reader.read(); !next.done; next = await reader.read()) yield next.value;
  } finally {
    await reader.cancel();
  }
}
