/**
 * Takes an export apart as it streams by: what stands before the tiles, then tile by tile, then what stands behind. Says what is missing, in the wrong
 * place or has not its form; whether the rest is true is asked elsewhere. What it holds is one member, of a length that such a member may have.
 */
import type * as z from "zod";
import { fromUtf8 } from "../crypto/index.ts";
import {
  type CheckpointLine,
  checkpointLineSchema,
  type ExportKeys,
  type HeadLine,
  headLineSchema,
  keysSchema,
  type Manifest,
  manifestSchema,
  member,
  type OrphanLine,
  orphanLineSchema,
  type PrunedEvidence,
  prunedOf,
  prunedSchema,
} from "./manifest.ts";
import { type MemberRow, memberRow } from "./member-row.ts";
import type { Member } from "./tar.ts";
import {
  checkpointsPath,
  decodeEntries,
  entriesPath,
  entryLengthMax,
  headsPath,
  leafTiles,
  type Tile,
  tilePath,
  tileWidth,
  upperTiles,
} from "./tiles.ts";
import { hashBytes, hashesFromBytes } from "./tree.ts";
import { describeIssue } from "./trust.ts";
import type { Findings } from "./verdict.ts";

/** One place of the tree. */
export interface Slot {
  readonly index: number;
  /** As stored; all zeros where the export had none. */
  readonly leaf: Uint8Array;
  /** Empty where the export had none. */
  readonly bytes: Uint8Array;
}

/** One level-0 tile, and what was signed about its places. */
export interface TileContents {
  readonly start: number;
  readonly slots: readonly Slot[];
  /** Lines of flushes that begin here, ascending by place, each place once. */
  readonly heads: readonly HeadLine[];
  /** Of sizes that end here, ascending. */
  readonly checkpoints: readonly CheckpointLine[];
}

export interface Opening {
  readonly manifest: Manifest;
  readonly keys: ExportKeys | null;
  readonly checkpoint: string;
}

/** What stands for the part of the log that was pruned. */
export interface PrunedPart {
  /** Of each tile that was pruned. */
  readonly roots: readonly Uint8Array[];
  /** `null` = not there, or malformed; which was said. */
  readonly evidence: PrunedEvidence | null;
}

/** Each method once, in this order. */
export interface ExportReader {
  /** `null` = without a manifest there is nothing to verify. */
  opening(): Promise<Opening | null>;
  /** Where `manifest.min_index` is not 0. `null` = no roots of as many tiles, without which there is no tree; which was said. */
  pruned(manifest: Manifest): Promise<PrunedPart | null>;
  /** Ends early where a tile is missing: of a size that the members do not bear out, nothing further is named. It may be anything. */
  tiles(manifest: Manifest): AsyncIterable<TileContents>;
  /** Tiles of level 1 and higher. */
  upperTiles(): AsyncIterable<{ readonly tile: Tile; readonly hashes: readonly Uint8Array[] }>;
  orphans(): Promise<readonly OrphanLine[]>;
  /** Reads to the archive's end, which proves that it has one. */
  end(): Promise<void>;
}

const documentBytesMax = 2 ** 24;
const entriesBytesMax = tileWidth * (2 + entryLengthMax);

/** Members are met in the order of an export, or not at all. Throws ArchiveUnreadable. */
export function readExport(members: AsyncIterable<Member>, findings: Findings): ExportReader {
  const row = memberRow(members, findings);
  let complete = 0; // places; size where all tiles are there
  let isComplete = false;

  async function* tiles({ min_index: first, size }: Manifest): AsyncIterable<TileContents> {
    row.expectPlaces(first, size);
    complete = first;
    for (const tile of leafTiles(size, first)) {
      const start = tile.index * tileWidth;
      const heads = await readLines(row, headsPath(tile), { start, schema: headLineSchema, findings });
      const checkpoints = await readLines(row, checkpointsPath(tile), { start, schema: checkpointLineSchema, findings });
      const hashes = await readTile(row, tile, start, findings);
      if (hashes === null) return;
      const entries = await readEntries(row, tile, findings);
      const slots = hashes.map((leaf, i) => ({ index: start + i, leaf, bytes: entries[i] ?? new Uint8Array(0) }));
      complete = start + tile.width;
      yield { start, slots, heads: inTile(heads, tile, first, findings), checkpoints };
    }
    isComplete = true;
  }

  return {
    async opening() {
      const manifest = await readJson(row, member.manifest, manifestSchema, findings);
      if (manifest === null) return null;
      const keys = await readJson(row, member.keys, keysSchema, findings);
      return { manifest, keys, checkpoint: (await readText(row, member.checkpoint, null, findings)) ?? "" };
    },
    async pruned({ min_index: first, size }) {
      row.expectPlaces(first, size);
      const bytes = await row.take(member.edge, documentBytesMax, null);
      const evidence = await readJson(row, member.pruned, prunedSchema, findings);
      const roots = bytes && hashesFromBytes(bytes);
      if (roots?.length === first / tileWidth) return { roots, evidence };
      if (bytes !== null) findings.add(null, "member_malformed", `${member.edge} has not a root for each of ${first / tileWidth} tiles`);
      return null;
    },
    tiles,
    async *upperTiles() {
      if (!isComplete) return;
      for (const tile of upperTiles(complete)) yield { tile, hashes: (await readTile(row, tile, null, findings)) ?? [] };
    },
    orphans: async () => (isComplete ? readLines(row, member.orphans, { start: null, schema: orphanLineSchema, findings }) : []),
    async end() {
      const others = await row.end(isComplete);
      if (others > 0)
        findings.add(
          null,
          "member_unexpected",
          `the archive holds ${others} files that do not belong to an export of this size, or not there`,
        );
    },
  };
}

async function readTile(row: MemberRow, tile: Tile, index: number | null, findings: Findings): Promise<Uint8Array[] | null> {
  const path = tilePath(tile);
  const bytes = await row.take(path, tileWidth * hashBytes, index);
  if (bytes === null) return null;
  if (bytes.length === tile.width * hashBytes) return hashesFromBytes(bytes);
  findings.add(index, "member_malformed", `${path} has not ${tile.width} hashes`);
  return null;
}

async function readEntries(row: MemberRow, tile: Tile, findings: Findings): Promise<readonly Uint8Array[]> {
  const path = entriesPath(tile);
  const index = tile.index * tileWidth;
  const bytes = await row.take(path, entriesBytesMax, index);
  if (bytes === null) return [];
  const entries = decodeEntries(bytes);
  if (entries?.length === tile.width) return entries;
  findings.add(index, "member_malformed", `${path} has not ${tile.width} entries`);
  return [];
}

/** Those that begin in the tile, one after another; in the first tile that was kept, also the one that reaches into it, with the hashes of what is gone. */
function inTile(heads: readonly HeadLine[], tile: Tile, first: number, findings: Findings): HeadLine[] {
  const path = headsPath(tile);
  const start = tile.index * tileWidth;
  let next = start;
  const end = next + tile.width;
  return heads.filter((line, i) => {
    const { index } = line;
    const reachesIn = i === 0 && start === first && index < first && index + line.size > first && prunedOf(line).length === first - index;
    const isNext = reachesIn || (index >= next && index < end && line.pruned === undefined);
    if (isNext) next = Math.max(start, index + 1);
    else
      findings.add(
        index >= first && index < end ? index : null,
        "member_malformed",
        `${path}: places are not in ascending order, or not of this tile`,
      );
    return isNext;
  });
}

async function readText(row: MemberRow, name: string, index: number | null, findings: Findings): Promise<string | null> {
  const bytes = await row.take(name, documentBytesMax, index);
  if (bytes === null) return null;
  try {
    return fromUtf8(bytes);
  } catch {
    findings.add(index, "member_malformed", `${name} is not UTF-8`);
    return null;
  }
}

async function readJson<Schema extends z.ZodType>(
  row: MemberRow,
  name: string,
  schema: Schema,
  findings: Findings,
): Promise<z.infer<Schema> | null> {
  const text = await readText(row, name, null, findings);
  if (text === null) return null;
  const parsed = schema.safeParse(parseOrUndefined(text));
  if (parsed.success) return parsed.data;
  findings.add(null, "member_malformed", `${name}: ${describeIssue(parsed.error)}`);
  return null;
}

interface Lines<Schema> {
  /** The first place that the lines are about. */
  readonly start: number | null;
  readonly schema: Schema;
  readonly findings: Findings;
}

async function readLines<Schema extends z.ZodType>(
  row: MemberRow,
  name: string,
  { start, schema, findings }: Lines<Schema>,
): Promise<z.infer<Schema>[]> {
  const text = await readText(row, name, start, findings);
  if (text === null || text === "") return [];
  const values: z.infer<Schema>[] = [];
  for (const [i, line] of text.replace(/\n$/, "").split("\n").entries()) {
    const parsed = schema.safeParse(parseOrUndefined(line));
    if (parsed.success) values.push(parsed.data);
    else findings.add(null, "member_malformed", `${name} line ${i + 1}: ${describeIssue(parsed.error)}`);
  }
  return values;
}

function parseOrUndefined(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
