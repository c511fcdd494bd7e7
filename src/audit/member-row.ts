/**
 * The order of an export's members: manifest, keys and checkpoint; then with each level-0 tile its heads, checkpoints, hashes and entries; the tiles of
 * higher levels; orphans. Members are met in that order, or not at all: so one pass suffices, and one of them is held at a time.
 */
import { concat } from "../crypto/index.ts";
import { member } from "./manifest.ts";
import { ArchiveUnreadable, type Member } from "./tar.ts";
import { checkpointsPath, entriesPath, headsPath, tilePath, tileWidth } from "./tiles.ts";
import type { Findings } from "./verdict.ts";

export interface MemberRow {
  /** Of places `first` ≤ place < `size`; known after the manifest. */
  expectPlaces(first: number, size: number): void;
  /** `null` = it does not come next, or is too long for what it is; which was said. `index`: the first place that then has nothing. */
  take(name: string, bytesMax: number, index: number | null): Promise<Uint8Array | null>;
  /** Reads to the end. Answers how many members did not belong where they stood; where not all were asked for, that cannot be told: none. */
  end(allTaken: boolean): Promise<number>;
}

/** Each method throws ArchiveUnreadable. */
export function memberRow(members: AsyncIterable<Member>, findings: Findings): MemberRow {
  const source = members[Symbol.asyncIterator]();
  /** Ranks that were asked for and did not come. */
  const absent = new Set<number>();
  let places = { first: 0, size: 0 };
  let due = 0; // the rank that comes next
  let unexpected = 0;
  let next: Member | null | undefined;

  const peek = async (): Promise<Member | null> => {
    if (next === undefined) {
      const result = await source.next();
      next = result.done ? null : result.value;
    }
    return next;
  };
  /** The next member that is not behind its turn; others are counted. */
  const peekDue = async (): Promise<Member | null> => {
    for (let found = await peek(); found !== null; found = await peek()) {
      const rank = rankOf(found.name, places);
      if (rank !== null && rank >= due) return found;
      if (rank !== null && !absent.has(rank)) throw new ArchiveUnreadable("the archive holds two files of one name");
      unexpected++;
      next = undefined;
    }
    return null;
  };

  return {
    expectPlaces(first, size) {
      places = { first, size };
    },
    async take(name, bytesMax, index) {
      const rank = rankOf(name, places) ?? due;
      due = rank;
      const found = await peekDue();
      due = rank + 1;
      if (found?.name !== name) {
        absent.add(rank);
        findings.add(index, "member_missing", `${name} is missing, or not in its place`);
        return null;
      }
      next = undefined;
      if (found.sizeBytes <= bytesMax) return collect(found.body);
      findings.add(index, "member_malformed", `${name} is longer than such a file can be`);
      return null;
    },
    async end(allTaken) {
      due = Number.POSITIVE_INFINITY;
      if (allTaken) await peekDue();
      else for (; (await peek()) !== null; next = undefined);
      return allTaken ? unexpected : 0;
    },
  };
}

const opening: readonly string[] = [member.manifest, member.keys, member.checkpoint, member.edge, member.pruned];
const ofPruned: readonly string[] = [member.edge, member.pruned];
const perTile = [headsPath, checkpointsPath, tilePath, entriesPath] as const;
const pathPattern =
  /^(?:tile\/(?<level>[0-9]{1,2})|tile\/entries|heads|checkpoints)\/(?<groups>(?:x[0-9]{3}\/){0,5}[0-9]{3})(?:\.p\/[0-9]{1,3})?$/;

interface Places {
  readonly first: number;
  readonly size: number;
}

/** Where in an export of these places a member stands. `null` = it has no such member. */
function rankOf(name: string, { first, size }: Places): number | null {
  const opens = opening.indexOf(name);
  if (opens >= 0) return first === 0 && ofPruned.includes(name) ? null : opens;
  if (name === member.orphans) return Number.MAX_SAFE_INTEGER - 1;
  const { level = "0", groups } = pathPattern.exec(name)?.groups ?? {};
  if (groups === undefined) return null;
  const index = Number(groups.replaceAll(/[x/]/g, ""));
  const count = Math.floor(size / tileWidth ** Number(level));
  const tile = { level: Number(level), index, width: Math.min(tileWidth, count - index * tileWidth) };
  if (tile.width <= 0) return null;
  if (tile.level > 0) return tilePath(tile) === name ? opening.length + rankAbove(tile, size) : null;
  if (index * tileWidth < first) return null;
  const kind = perTile.findIndex((pathOf) => pathOf(tile) === name);
  return kind < 0 ? null : opening.length + index * perTile.length + kind;
}

/** Behind all tiles of the levels below. */
function rankAbove({ level, index }: { readonly level: number; readonly index: number }, size: number): number {
  let rank = Math.ceil(size / tileWidth) * perTile.length + index;
  for (let below = 1; below < level; below++) rank += Math.ceil(Math.floor(size / tileWidth ** below) / tileWidth);
  return rank;
}

async function collect(body: AsyncIterable<Uint8Array>): Promise<Uint8Array> {
  const pieces: Uint8Array[] = [];
  for await (const piece of body) pieces.push(piece);
  const [only] = pieces;
  return pieces.length === 1 && only !== undefined ? only : concat(...pieces);
}
