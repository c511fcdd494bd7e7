/**
 * Somebody else's reader of a tiled log: written from https://c2sp.org/tlog-tiles, tlog-checkpoint, signed-note and RFC 6962, with nothing of ours.
 * It throws at whatever is not to the letter.
 */
import { createHash, createPublicKey, verify } from "node:crypto";

/** A resource under the log's prefix; throws where there is none. */
export type Fetch = (path: string) => Promise<Uint8Array>;

export interface Walked {
  readonly origin: string;
  readonly size: number;
  readonly leaves: readonly Buffer[];
  readonly entries: readonly Buffer[];
  /** Of all tiles and bundles, in the order of the walk. */
  readonly paths: readonly string[];
}

const sha256 = (...parts: readonly Uint8Array[]) => parts.reduce((hash, part) => hash.update(part), createHash("sha256")).digest();
export const hashOfEntry = (entry: Uint8Array) => sha256(Uint8Array.of(0), entry);
const hashOfNode = (left: Uint8Array, right: Uint8Array) => sha256(Uint8Array.of(1), left, right);

/** MTH of RFC 6962 §2.1. */
function treeHash(hashes: readonly Uint8Array[]): Buffer {
  const [only] = hashes;
  if (only === undefined) return sha256();
  if (hashes.length === 1) return Buffer.from(only);
  const split = splitOf(hashes.length);
  return hashOfNode(treeHash(hashes.slice(0, split)), treeHash(hashes.slice(split)));
}

/** PATH(m, D[n]) of RFC 6962 §2.1.1. */
export function pathOf(m: number, hashes: readonly Uint8Array[]): Buffer[] {
  if (hashes.length <= 1) return [];
  const split = splitOf(hashes.length);
  const [left, right] = [hashes.slice(0, split), hashes.slice(split)];
  return m < split ? [...pathOf(m, left), treeHash(right)] : [...pathOf(m - split, right), treeHash(left)];
}

/** PROOF(m, D[n]) of RFC 6962 §2.1.2. */
export function extensionOf(m: number, hashes: readonly Uint8Array[], whole = true): Buffer[] {
  if (m === hashes.length) return whole ? [] : [treeHash(hashes)];
  const split = splitOf(hashes.length);
  const [left, right] = [hashes.slice(0, split), hashes.slice(split)];
  return m <= split ? [...extensionOf(m, left, whole), treeHash(right)] : [...extensionOf(m - split, right, false), treeHash(left)];
}

function splitOf(n: number): number {
  return 2 ** Math.floor(Math.log2(n - 1));
}

/** Checkpoint, hash tiles of every level, and the entries where they are asked for. */
export async function walkLog(fetch: Fetch, vkey: string, { entries: withEntries = true } = {}): Promise<Walked> {
  const { origin, size, root } = readCheckpoint(await fetch("checkpoint"), vkey);
  const paths: string[] = [];
  const levels: Buffer[][] = [];
  for (let level = 0, count = size; count > 0; level++, count = Math.floor(count / 256)) {
    const hashes: Buffer[] = [];
    for (const [path, width] of tilePaths(`tile/${level}`, count)) {
      paths.push(path);
      hashes.push(...hashesOf(await fetch(path), width, path));
    }
    const below = levels.at(-1) ?? [];
    for (const [i, hash] of (level > 0 ? hashes : []).entries())
      same(hash, treeHash(below.slice(i * 256, (i + 1) * 256)), `hash ${i} of level ${level}`);
    levels.push(hashes);
  }
  const [leaves = []] = levels;
  same(treeHash(leaves), root, "the root");
  const entries: Buffer[] = [];
  for (const [path, width] of withEntries ? tilePaths("tile/entries", size) : []) {
    paths.push(path);
    for (const entry of entriesOf(await fetch(path), width, path)) {
      const leaf = leaves[entries.length];
      same(hashOfEntry(entry), leaf ?? Buffer.alloc(0), `entry ${entries.length}`);
      entries.push(entry);
    }
  }
  return { origin, size, leaves, entries, paths };
}

/** A path and a width for each tile of a level that has `count` hashes. */
function tilePaths(prefix: string, count: number): [string, number][] {
  const tiles: [string, number][] = [];
  for (let n = 0; n * 256 < count; n++) {
    const width = Math.min(256, count - n * 256);
    const digits = String(n).padStart(Math.ceil(String(n).length / 3) * 3, "0");
    const elements = digits.match(/.../g) ?? [];
    const path = elements.map((element, i) => (i < elements.length - 1 ? `x${element}` : element)).join("/");
    tiles.push([`${prefix}/${path}${width < 256 ? `.p/${width}` : ""}`, width]);
  }
  return tiles;
}

export function readCheckpoint(bytes: Uint8Array, vkey: string): { origin: string; size: number; root: Buffer } {
  const note = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  const [, body = "", signatures = ""] = /^((?:[^\n]+\n){3,})\n((?:\u2014 [^ \n]+ [A-Za-z0-9+/]+=*\n)+)$/.exec(note) ?? [];
  const [origin = "", size = "", root = ""] = body.split("\n");
  if (!/^(0|[1-9][0-9]*)$/.test(size)) throw new Error("the checkpoint is not to the letter");
  const hash = Buffer.from(root, "base64");
  if (hash.length !== 32 || hash.toString("base64") !== root) throw new Error("the checkpoint's root is not 32 bytes of base64");
  const [name = "", id = "", encoded = ""] = /^([^+]+)\+([0-9a-f]{8})\+(.+)$/.exec(vkey)?.slice(1) ?? [];
  const key = Buffer.from(encoded, "base64");
  if (
    key[0] !== 1 ||
    sha256(Buffer.from(`${name}\n`), key)
      .subarray(0, 4)
      .toString("hex") !== id
  )
    throw new Error("the key is not its id's");
  const lines = signatures.split("\n").map((line) => line.split(" "));
  const signature = lines
    .filter(([, signer]) => signer === name)
    .map(([, , text = ""]) => Buffer.from(text, "base64"))
    .find((decoded) => decoded.subarray(0, 4).toString("hex") === id);
  const spki = Buffer.concat([Buffer.from("302a300506032b6570032100", "hex"), key.subarray(1)]);
  const publicKey = createPublicKey({ key: spki, format: "der", type: "spki" });
  if (!signature || !verify(null, Buffer.from(body), publicKey, signature.subarray(4)))
    throw new Error("the checkpoint is not signed by the log");
  return { origin, size: Number(size), root: hash };
}

function hashesOf(bytes: Uint8Array, width: number, path: string): Buffer[] {
  if (bytes.length !== width * 32) throw new Error(`${path} has ${bytes.length} bytes`);
  return Array.from({ length: width }, (_, i) => Buffer.from(bytes.subarray(i * 32, i * 32 + 32)));
}

function entriesOf(bytes: Uint8Array, width: number, path: string): Buffer[] {
  const bundle = Buffer.from(bytes);
  const entries: Buffer[] = [];
  for (let at = 0; at < bundle.length; ) {
    const length = bundle.readUInt16BE(at);
    if (at + 2 + length > bundle.length) throw new Error(`${path} is cut short`);
    entries.push(bundle.subarray(at + 2, at + 2 + length));
    at += 2 + length;
  }
  if (entries.length !== width) throw new Error(`${path} has ${entries.length} entries`);
  return entries;
}

function same(a: Uint8Array, b: Uint8Array, what: string): void {
  if (!Buffer.from(a).equals(Buffer.from(b))) throw new Error(`${what} does not follow`);
}
