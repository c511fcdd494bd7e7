/**
 * Takes an export apart: which members there are, and what each place of the tree holds. Says what is missing or has not its form;
 * whether the rest is true is asked elsewhere.
 */
import type * as z from "zod";
import { fromUtf8 } from "../crypto/index.ts";
import {
  type Bundle,
  type CheckpointLine,
  checkpointLineSchema,
  type ExportKeys,
  type HeadLine,
  headLineSchema,
  keysSchema,
  type Manifest,
  manifestSchema,
  member,
} from "./manifest.ts";
import { decodeEntries, entriesPath, type Tile, tilePath, tilesOf, tileWidth } from "./tiles.ts";
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

/** The places that one line of `heads.ndjson` has, each in one flush alone. `line` null: places of which no line tells. */
export interface FlushSlots {
  readonly line: PlacedLine | null;
  readonly slots: readonly Slot[];
}

type PlacedLine = HeadLine & { readonly index: number };

export interface Contents {
  readonly manifest: Manifest;
  readonly keys: ExportKeys | null;
  readonly checkpoint: string;
  readonly checkpoints: readonly CheckpointLine[];
  /** From 0 without a hole, `manifest.size` of them unless tiles are missing. */
  readonly slots: readonly Slot[];
  /** The same places, flush by flush, in order. */
  readonly flushes: readonly FlushSlots[];
  readonly orphans: readonly HeadLine[];
  /** Tiles of level 1 and higher. */
  readonly upperTiles: readonly { readonly tile: Tile; readonly hashes: readonly Uint8Array[] }[];
}

/** `null` = without a manifest there is nothing to verify. */
export function readContents(members: Bundle, findings: Findings): Contents | null {
  const manifest = readJson(members, member.manifest, manifestSchema, findings);
  if (manifest === null) return null;
  const heads = readLines(members, member.heads, headLineSchema, findings);
  const checkpoints = readLines(members, member.checkpoints, checkpointLineSchema, findings);
  if (heads.length !== manifest.flushes)
    findings.add(null, "member_malformed", `${member.heads}: ${heads.length} lines, the manifest says ${manifest.flushes}`);
  if (checkpoints.length !== manifest.checkpoints) {
    findings.add(null, "member_malformed", `${member.checkpoints}: ${checkpoints.length} lines, the manifest says ${manifest.checkpoints}`);
  }
  const slots = readSlots(members, manifest.size, findings);
  // Of a size that the members do not bear out, no further tiles are named: it may be anything.
  const complete = slots.length === manifest.size;
  const tiles = complete ? tilesOf(manifest.size) : [];
  if (complete) findUnexpected(members, tiles, findings);
  return {
    manifest,
    keys: readJson(members, member.keys, keysSchema, findings),
    checkpoint: readText(members, member.checkpoint, findings) ?? "",
    checkpoints,
    slots,
    flushes: placeLines(heads, slots, manifest.size, findings),
    orphans: heads.filter(({ index }) => index === null),
    upperTiles: tiles.filter(({ level }) => level > 0).map((tile) => ({ tile, hashes: readTile(members, tile, null, findings) ?? [] })),
  };
}

function readSlots(members: Bundle, size: number, findings: Findings): Slot[] {
  const slots: Slot[] = [];
  for (let start = 0; start < size; start += tileWidth) {
    const tile: Tile = { level: 0, index: start / tileWidth, width: Math.min(tileWidth, size - start) };
    const hashes = readTile(members, tile, start, findings);
    if (hashes === null) break;
    const entries = readEntries(members, tile, findings);
    hashes.forEach((leaf, i) => {
      slots.push({ index: start + i, leaf, bytes: entries[i] ?? new Uint8Array(0) });
    });
  }
  return slots;
}

function readTile(members: Bundle, tile: Tile, index: number | null, findings: Findings): Uint8Array[] | null {
  const path = tilePath(tile);
  const bytes = members.get(path);
  if (bytes === undefined) findings.add(index, "member_missing", `${path} is missing`);
  else if (bytes.length !== tile.width * hashBytes) findings.add(index, "member_malformed", `${path} has not ${tile.width} hashes`);
  else return hashesFromBytes(bytes);
  return null;
}

function readEntries(members: Bundle, tile: Tile, findings: Findings): readonly Uint8Array[] {
  const path = entriesPath(tile);
  const index = tile.index * tileWidth;
  const bytes = members.get(path);
  if (bytes === undefined) {
    findings.add(index, "member_missing", `${path} is missing`);
    return [];
  }
  const entries = decodeEntries(bytes);
  if (entries?.length === tile.width) return entries;
  findings.add(index, "member_malformed", `${path} has not ${tile.width} entries`);
  return [];
}

/** Lines have the places one after another, from the first to the last. Where one reaches into the next, the next one has the place: so each has one. */
function placeLines(heads: readonly HeadLine[], slots: readonly Slot[], size: number, findings: Findings): FlushSlots[] {
  const lines: PlacedLine[] = [];
  for (const line of heads) {
    if (line.index === null) continue;
    const before = lines.at(-1);
    if (before !== undefined && line.index <= before.index)
      findings.add(line.index, "member_malformed", `${member.heads}: places are not in ascending order`);
    else lines.push({ ...line, index: line.index });
  }
  const flushes: FlushSlots[] = [];
  let next = 0;
  for (const [i, line] of lines.entries()) {
    const following = Math.min(lines[i + 1]?.index ?? size, size);
    if (line.index > next) flushes.push({ line: null, slots: slots.slice(next, line.index) });
    next = line.index + line.size;
    if (next > following)
      findings.add(following, "flush_places", "a flush reaches into the places of the next one, or past the log's size");
    next = Math.min(next, following);
    flushes.push({ line, slots: slots.slice(line.index, next) });
  }
  return next < slots.length ? [...flushes, { line: null, slots: slots.slice(next) }] : flushes;
}

function findUnexpected(members: Bundle, tiles: readonly Tile[], findings: Findings): void {
  const expected = new Set<string>(Object.values(member));
  for (const tile of tiles) {
    expected.add(tilePath(tile));
    if (tile.level === 0) expected.add(entriesPath(tile));
  }
  const others = [...members.keys()].filter((name) => !expected.has(name)).length;
  if (others > 0) findings.add(null, "member_unexpected", `the archive holds ${others} files that do not belong to an export of this size`);
}

function readText(members: Bundle, name: string, findings: Findings): string | null {
  const bytes = members.get(name);
  if (bytes === undefined) {
    findings.add(null, "member_missing", `${name} is missing`);
    return null;
  }
  try {
    return fromUtf8(bytes);
  } catch {
    findings.add(null, "member_malformed", `${name} is not UTF-8`);
    return null;
  }
}

function readJson<Schema extends z.ZodType>(members: Bundle, name: string, schema: Schema, findings: Findings): z.infer<Schema> | null {
  const text = readText(members, name, findings);
  if (text === null) return null;
  const parsed = schema.safeParse(parseOrUndefined(text));
  if (parsed.success) return parsed.data;
  findings.add(null, "member_malformed", `${name}: ${describeIssue(parsed.error)}`);
  return null;
}

function readLines<Schema extends z.ZodType>(members: Bundle, name: string, schema: Schema, findings: Findings): z.infer<Schema>[] {
  const text = readText(members, name, findings);
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
