/**
 * C2SP tlog-tiles (https://c2sp.org/tlog-tiles): how a log lies in files. Tile height 8; hash tiles of every level, and bundles of entries beside level 0.
 * Only the tiles of one size are named here; earlier partial ones are not kept.
 */
export const tileWidth = 256;
export const entryLengthMax = 65_535;

export interface Tile {
  readonly level: number;
  readonly index: number;
  /** Hashes (or entries) in it: `tileWidth`, or fewer in the last one of its level. */
  readonly width: number;
}

/** The level-0 tiles of a tree, which also tell which entry bundles there are. */
export function leafTiles(size: number): Iterable<Tile> {
  return tilesOfLevel(0, size);
}

/** Those of the levels above, level by level. */
export function* upperTiles(size: number): Iterable<Tile> {
  for (let level = 1, count = Math.floor(size / tileWidth); count > 0; level++, count = Math.floor(count / tileWidth))
    yield* tilesOfLevel(level, count);
}

function* tilesOfLevel(level: number, count: number): Iterable<Tile> {
  for (let index = 0; index * tileWidth < count; index++) yield { level, index, width: Math.min(tileWidth, count - index * tileWidth) };
}

/** `tile/0/x001/x234/067`, `tile/0/x001/x234/067.p/8`. */
export function tilePath(tile: Tile): string {
  return `tile/${tile.level}/${indexPath(tile)}`;
}

/** The bundle with the entries of a level-0 tile. */
export function entriesPath(tile: Tile): string {
  return `tile/entries/${indexPath(tile)}`;
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
    const [high, low] = bundle.subarray(at, at + 2);
    if (high === undefined || low === undefined) return null;
    const end = at + 2 + high * 256 + low;
    if (end > bundle.length) return null;
    entries.push(bundle.subarray(at + 2, end));
    at = end;
  }
  return entries;
}
