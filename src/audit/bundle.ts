/**
 * An export as a file: a tar of the tlog-tiles layout with heads, keys and a manifest. It writes what the database has stored and judges nothing,
 * so that whatever was changed there is still changed in the file. Level-0 tiles are the stored leaf hashes, level 1 the stored subtree roots;
 * a row that is missing leaves 32 zero bytes in its place.
 */
import { createTarDecoder, createTarPacker, type TarPackController } from "modern-tar";
import { concat, utf8 } from "../crypto/index.ts";
import { ok, type Result, refuse } from "../kernel/index.ts";
import { entriesOfFlush, placesOf, type StoredFlush } from "./flush.ts";
import { type Bundle, type CheckpointLine, type ExportKeys, exportFormat, type HeadLine, type Manifest, member } from "./manifest.ts";
import { hashesAt, leafTilesOf, rootsOfTiles } from "./stored-tiles.ts";
import { encodeEntries, entriesPath, type Tile, tilePath, tilesOf, tileWidth } from "./tiles.ts";
import { hashesToBytes } from "./tree.ts";

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

/** One snapshot of one log. What is iterable is read more than once, first to measure and then to write, and must give the same every time. */
export interface ExportSource {
  readonly manifest: Omit<Manifest, "format" | "checkpoints" | "flushes">;
  readonly keys: ExportKeys;
  /** The signed note of exactly `manifest.size`; empty where there is none. */
  readonly checkpoint: string;
  /** Ascending by size. */
  checkpoints(): AsyncIterable<CheckpointLine>;
  /** Ascending by index, each below `manifest.size`. */
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
  const checkpoints = await measure(lines(source.checkpoints()));
  const heads = await measure(lines(headLines(source)));
  const manifest: Manifest = { format: exportFormat, ...source.manifest, checkpoints: checkpoints.lines, flushes: heads.lines };
  await add(tar, member.manifest, utf8(`${JSON.stringify(manifest, null, 2)}\n`));
  await add(tar, member.keys, utf8(`${JSON.stringify(source.keys, null, 2)}\n`));
  await add(tar, member.checkpoint, utf8(source.checkpoint));
  await addLines(tar, member.checkpoints, checkpoints.bytes, lines(source.checkpoints()));
  const tiles = tilesOf(await sizeHeld(source));
  await addLeaves(tar, source, tiles);
  await addUpperTiles(tar, source, tiles);
  await addLines(tar, member.heads, heads.bytes, lines(headLines(source)));
  tar.finalize();
}

/** A stored size that was raised must not make us write tiles without end: the tiles reach to the tile of the last place. */
async function sizeHeld(source: ExportSource): Promise<number> {
  let end = 0;
  for await (const { index, leafHashes } of source.flushes()) end = Math.max(end, index + placesOf(leafHashes));
  return Math.min(source.manifest.size, Math.ceil(end / tileWidth) * tileWidth);
}

async function addLeaves(tar: TarPackController, source: ExportSource, tiles: readonly Tile[]): Promise<void> {
  const lowest = tiles.filter(({ level }) => level === 0);
  for await (const { tile, hashes, entries } of leafTilesOf(source.flushes(), lowest)) {
    await add(tar, tilePath(tile), hashesToBytes(hashes));
    await add(tar, entriesPath(tile), encodeEntries(entries));
  }
}

async function addUpperTiles(tar: TarPackController, source: ExportSource, tiles: readonly Tile[]): Promise<void> {
  const count = tiles.reduce((sum, { level, width }) => sum + (level === 1 ? width : 0), 0);
  let hashes = await hashesAt(source.subtrees(), { from: 0, to: count });
  let level = 1;
  for (const tile of tiles) {
    if (tile.level === 0) continue;
    if (tile.level > level) {
      hashes = rootsOfTiles(hashes);
      level = tile.level;
    }
    const start = tile.index * tileWidth;
    await add(tar, tilePath(tile), hashesToBytes(hashes.slice(start, start + tile.width)));
  }
}

async function* headLines(source: ExportSource): AsyncIterable<HeadLine> {
  for await (const { index, seqId, leafHashes, id, head, entries } of source.flushes()) {
    const held = entries === null ? null : entriesOfFlush(entries).length;
    yield { index, size: placesOf(leafHashes), id, seq_id: seqId, entries: held, head };
  }
  for await (const { id, head, entries } of source.orphans()) {
    yield { index: null, size: 0, id, seq_id: null, entries: entriesOfFlush(entries).length, head };
  }
}

async function* lines(values: AsyncIterable<CheckpointLine | HeadLine>): AsyncIterable<Uint8Array> {
  for await (const value of values) yield utf8(`${JSON.stringify(value)}\n`);
}

async function measure(chunks: AsyncIterable<Uint8Array>): Promise<{ readonly lines: number; readonly bytes: number }> {
  let count = 0;
  let bytes = 0;
  for await (const chunk of chunks) {
    count++;
    bytes += chunk.length;
  }
  return { lines: count, bytes };
}

function add(tar: TarPackController, name: string, bytes: Uint8Array): Promise<void> {
  return addLines(tar, name, bytes.length, [bytes]);
}

async function addLines(
  tar: TarPackController,
  name: string,
  size: number,
  chunks: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
): Promise<void> {
  const writer = tar.add({ name, size, type: "file", mtime: new Date(0) }).getWriter();
  for await (const chunk of chunks) await writer.write(chunk);
  await writer.close();
}

const tarBlockBytes = 512;
const tarEndBytes = 2 * tarBlockBytes;

/** Reads an export into memory. Refuses with one line what is not exactly a tar of distinct plain files: cut short, or with more behind its end. */
export async function readBundle(stream: ReadableStream<Uint8Array>): Promise<Result<Bundle, string>> {
  const members = new Map<string, Uint8Array>();
  let bytesRead = 0;
  const counted = new TransformStream<Uint8Array, Uint8Array>({
    transform(chunk, controller) {
      bytesRead += chunk.length;
      controller.enqueue(chunk);
    },
  });
  let bytesExpected = tarEndBytes;
  try {
    const entries = stream.pipeThrough(counted).pipeThrough(createTarDecoder({ strict: true }));
    for await (const { header, body } of entries) {
      if (header.type !== "file") return refuse("the archive holds something else than plain files");
      if (members.has(header.name)) return refuse("the archive holds two files of one name");
      members.set(header.name, await collect(body));
      bytesExpected += tarBlockBytes + Math.ceil(header.size / tarBlockBytes) * tarBlockBytes;
    }
  } catch {
    return refuse("the archive is damaged or cut short");
  }
  return bytesRead === bytesExpected ? ok(members) : refuse("the archive holds more than its files");
}

async function collect(body: ReadableStream<Uint8Array>): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of body) chunks.push(chunk);
  return concat(...chunks);
}
