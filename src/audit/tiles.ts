/**
 * C2SP tlog-tiles (https://c2sp.org/tlog-tiles): how a log lies in files. Tile height 8; hash tiles of every level, and bundles of entries beside level 0.
 * `leafTiles` and `upperTiles` name the tiles of one size; a partial one of an earlier size is the beginning of the one that grew from it.
 */
export const tileWidth = 256;
export const entryLengthMax = 65_535;
const levelMax = 63;

export interface Tile {
  readonly level: number;
  readonly index: number;
  /** Hashes (or entries) in it: `tileWidth`, or fewer in the last one of its level. */
  readonly width: number;
}

/** The level-0 tiles of a tree, which also tell which entry bundles there are; from the one on that begins at place `first`. */
export function leafTiles(size: number, first = 0): Iterable<Tile> {
  return tilesOfLevel(0, size, first / tileWidth);
}

/** Those of the levels above, level by level. */
export function* upperTiles(size: number): Iterable<Tile> {
  for (let level = 1, count = Math.floor(size / tileWidth); count > 0; level++, count = Math.floor(count / tileWidth))
    yield* tilesOfLevel(level, count);
}

function* tilesOfLevel(level: number, count: number, first = 0): Iterable<Tile> {
  for (let index = first; index * tileWidth < count; index++) yield { level, index, width: Math.min(tileWidth, count - index * tileWidth) };
}

/** `tile/0/x001/x234/067`, `tile/0/x001/x234/067.p/8`. */
export function tilePath(tile: Tile): string {
  return `tile/${tile.level}/${indexPath(tile)}`;
}

/** Where the bundles of entries lie. */
export const entriesFolder = "tile/entries/";

/** The bundle with the entries of a level-0 tile. */
export function entriesPath(tile: Tile): string {
  return `${entriesFolder}${indexPath(tile)}`;
}

/** The tile of `0/x001/x234/067.p/8`, which is its path behind `tile/`. `null` = no tile has that path. */
export function parseTilePath(path: string): Tile | null {
  const [, level, rest] = /^([0-9]{1,2})\/(.+)$/.exec(path) ?? [];
  const tile = rest !== undefined && Number(level) <= levelMax ? parseIndexPath(Number(level), rest) : null;
  return tile !== null && tilePath(tile) === `tile/${path}` ? tile : null;
}

/** The level-0 tile of an entry bundle, by its path behind `tile/entries/`. `null` = no bundle has that path. */
export function parseEntriesPath(path: string): Tile | null {
  const tile = parseIndexPath(0, path);
  return tile !== null && entriesPath(tile) === `tile/entries/${path}` ? tile : null;
}

/** Takes more than `indexPath` writes: leading zeros, `.p/256`. Whoever calls it compares. */
function parseIndexPath(level: number, path: string): Tile | null {
  const [, groups, partial = String(tileWidth)] = /^((?:x[0-9]{3}\/){0,4}[0-9]{3})(?:\.p\/([0-9]{1,3}))?$/.exec(path) ?? [];
  if (groups === undefined || Number(partial) === 0) return null;
  return { level, index: Number(groups.replaceAll(/[x/]/g, "")), width: Number(partial) };
}

/** Whether a tree of `size` leaves has this tile, or had it while it was smaller. */
export function hasTile(size: number, { level, index, width }: Tile): boolean {
  return index * tileWidth + width <= Math.floor(size / tileWidth ** level);
}

/** What an export has beside a level-0 tile, which is not of the specification: the signed heads of the flushes that begin there. */
export function headsPath(tile: Tile): string {
  return `heads/${indexPath(tile)}`;
}

/** And the checkpoints of the sizes that end there. */
export function checkpointsPath(tile: Tile): string {
  return `checkpoints/${indexPath(tile)}`;
}

function indexPath({ index, width }: Tile): string {
  const groups = [String(index % 1000).padStart(3, "0")];
  for (let rest = Math.floor(index / 1000); rest > 0; rest = Math.floor(rest / 1000))
    groups.unshift(`x${String(rest % 1000).padStart(3, "0")}`);
  return `${groups.join("/")}${width < tileWidth ? `.p/${width}` : ""}`;
}

/** Each entry behind its length in two bytes, big-endian. Throws a RangeError for an entry that is too long for that. */
export function encodeEntries(entries: readonly Uint8Array[]): Uint8Array {
  const bundle = new Uint8Array(entries.reduce((sum, { length }) => sum + 2 + length, 0));
  let at = 0;
  for (const entry of entries) {
    if (entry.length > entryLengthMax) throw new RangeError("an entry is longer than 65,535 bytes");
    bundle.set([entry.length >> 8, entry.length & 0xff], at);
    bundle.set(entry, at + 2);
    at += 2 + entry.length;
  }
  return bundle;
}

/** `null` = the last length points past the end. */
export function decodeEntries(bundle: Uint8Array): Uint8Array[] | null {
  const entries: Uint8Array[] = [];
  for (let at = 0; at < bundle.length; ) {
    const [high, low] = [bundle[at], bundle[at + 1]];
    if (high === undefined || low === undefined) return null;
    const end = at + 2 + high * 256 + low;
    if (end > bundle.length) return null;
    entries.push(bundle.subarray(at + 2, end));
    at = end;
  }
  return entries;
}
