/** Other people's tiles and proofs, through our code. */
import { readFileSync } from "node:fs";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import * as z from "zod";
import { parseCheckpoint, peekCheckpoint } from "../src/audit/checkpoint.ts";
import { formatProof, parseProof } from "../src/audit/proof.ts";
import { leafTilesOf, rootsOfTiles } from "../src/audit/stored-tiles.ts";
import { entriesPath, hasTile, leafTiles, parseEntriesPath, parseTilePath, type Tile, tilePath, upperTiles } from "../src/audit/tiles.ts";
import { emptyRange, extendRange, fullSubtrees, hashesFromBytes, hashesToBytes, hashTree, leafHash, rootAt } from "../src/audit/tree.ts";
import { fromBase64, toBase64, utf8 } from "../src/crypto/index.ts";
import { hasShared, readShared, sharedPath } from "./support/shared.ts";

const bytesOf = (path: string): Uint8Array => Uint8Array.from(readFileSync(sharedPath(path)));
const hashesOf = (path: string): Uint8Array[] => hashesFromBytes(bytesOf(path)) ?? [];

const proofVectors = z.object({
  marshal: z.array(
    z.object({ index: z.number(), hashes: z.array(z.string()), checkpoint: z.string(), extra: z.string().nullable(), want: z.string() }),
  ),
  reject: z.array(z.object({ name: z.string(), proof: z.string() })),
});

describe.skipIf(!hasShared("vectors/extracted/tlog-proof.json"))("the tlog-proofs of transparency-dev", () => {
  const readVectors = () => proofVectors.parse(JSON.parse(readShared("vectors/extracted/tlog-proof.json")));

  it("are written byte for byte, and read back", () => {
    const { marshal } = readVectors();
    expect(marshal).toHaveLength(3);
    for (const { index, hashes, checkpoint, extra, want } of marshal) {
      const proof = { index, hashes: hashes.map(fromBase64), checkpoint, extra: extra === null ? null : fromBase64(extra) };
      expect(formatProof(proof)).toBe(want);
      expect(parseProof(want)).toEqual(proof);
    }
  });

  it("are refused where they are wrong, every case", () => {
    const { reject } = readVectors();
    expect(reject).toHaveLength(7);
    for (const { name, proof } of reject) expect(parseProof(proof), name).toBeNull();
  });
});

describe("a tlog-proof", () => {
  const hash = toBase64(leafHash(utf8("x")));
  const text = (lines: readonly string[]) => `${["c2sp.org/tlog-proof@v1", ...lines].join("\n")}\n\nnote\n`;

  it.each([
    ["a leading zero", ["index 00"]],
    ["a sign", ["index +1"]],
    ["an index past 2^53", ["index 9007199254740993"]],
    ["the index twice", ["index 1", "index 1"]],
    ["the extra line in the wrong place", ["index 1", "extra eA=="]],
    ["a hash that is not canonical", ["index 1", `${hash.slice(0, -2)}B=`]],
    ["more hashes than a tree is high", ["index 1", ...Array.from({ length: 54 }, () => hash)]],
    ["no index", [hash]],
  ])("is none with %s", (_, lines) => {
    expect(parseProof(text(lines))).toBeNull();
  });

  it("is none without its end, or longer than it can be", () => {
    expect(parseProof("c2sp.org/tlog-proof@v1\nindex 1\nnote\n")).toBeNull();
    expect(parseProof(text(["index 1"]) + "x".repeat(262_144))).toBeNull();
    expect(parseProof(text(["index 1", hash]))).toMatchObject({ index: 1, extra: null, checkpoint: "note\n" });
  });
});

const pathVectors = z.object({
  tile_index_paths: z.array(z.tuple([z.number(), z.string()])),
  partial_widths_for_size_70000: z.record(z.string(), z.object({ full: z.number(), partial: z.number() })),
  size_256: z.record(z.string(), z.object({ full: z.number(), partial: z.number() })),
});

describe.skipIf(!hasShared("vectors/extracted/tlog-tiles.json"))("the tile paths of C2SP", () => {
  const readVectors = () => pathVectors.parse(JSON.parse(readShared("vectors/extracted/tlog-tiles.json")));

  it("are ours, both ways", () => {
    for (const [index, path] of readVectors().tile_index_paths) {
      const tile = { level: 0, index, width: 256 };
      expect([tilePath(tile), entriesPath(tile)]).toEqual([`tile/0/${path}`, `tile/entries/${path}`]);
      expect([parseTilePath(`0/${path}`), parseEntriesPath(path)]).toEqual([tile, tile]);
      expect(parseTilePath(`63/${path}.p/255`)).toEqual({ level: 63, index, width: 255 });
    }
  });

  it("are so many, and so wide, for a size", () => {
    const { partial_widths_for_size_70000, size_256 } = readVectors();
    for (const [size, levels] of [
      [70_000, partial_widths_for_size_70000],
      [256, size_256],
    ] as const) {
      for (const [name, { full, partial }] of Object.entries(levels)) {
        const tiles = [...leafTiles(size), ...upperTiles(size)].filter(({ level }) => `level${level}` === name);
        expect(tiles.filter(({ width }) => width === 256)).toHaveLength(full);
        expect(tiles.filter(({ width }) => width < 256).map(({ width }) => width)).toEqual(partial === 0 ? [] : [partial]);
      }
    }
  });
});

describe("a tile's path", () => {
  const tiles = fc.record({ level: fc.nat(63), index: fc.maxSafeNat().map((n) => n % 1e15), width: fc.integer({ min: 1, max: 256 }) });

  it("names one tile, and nothing else names it", () => {
    fc.assert(
      fc.property(tiles, (tile: Tile) => {
        expect(parseTilePath(tilePath(tile).slice("tile/".length))).toEqual(tile);
      }),
    );
  });

  it.each([
    ...["", "0", "0/", "/000", "0/0", "0/00", "0/0000", "0/x000/001", "0/x000", "0/x001", "0/001/002", "0/x001/x002", "00/000", "64/000"],
    ...["-1/000", "0/-01", "0/000.p/0", "0/000.p/256", "0/000.p/01", "0/000.p/", "0/000.p", "0/000/", "0/../000", "NaN/000", "1e1/000"],
    ...["0/x001/x000/x000/x000/x000/000", "entries/000", " 0/000", "0/000\n", "0/０００"],
  ])("is not %j", (path) => {
    expect(parseTilePath(path)).toBeNull();
    expect(parseEntriesPath(path.replace(/^0\//, ""))).toBeNull();
  });

  it("is of a tile that the tree has, or had while it was smaller", () => {
    const has = (size: number) => (path: string) => hasTile(size, parseTilePath(path) ?? { level: 0, index: 0, width: 0 });
    const present = ["0/000", "0/000.p/255", "0/272", "0/273.p/1", "0/273.p/112", "1/000", "1/001.p/17", "2/000.p/1"];
    const absent = ["0/273", "0/273.p/113", "0/274.p/1", "1/001", "1/001.p/18", "2/000", "2/000.p/2", "3/000.p/1", "63/000.p/1"];
    expect(present.filter((path) => !has(70_000)(path))).toEqual([]);
    expect(absent.filter(has(70_000))).toEqual([]);
    expect(has(0)("0/000.p/1")).toBe(false);
  });
});

const mirror = "vectors/sunlight/cmd/skylight/testdata/witness/mirror/000de184301123b9278c086a7d9f68c9577e83872224c197058fd90784ea9706";
const navigli = "vectors/sunlight/testdata/navigli2025h2/tile/0";

describe.skipIf(!hasShared(mirror))("the tiles of Sunlight", () => {
  it("are those that we lay out for the same 300 records, and lead to the signed root", async () => {
    const records = Array.from({ length: 300 }, (_, i) => utf8(`record ${i}`));
    const leaves = records.map(leafHash);
    const flush = { index: 0, leafHashes: hashesToBytes(leaves), entries: null };
    const [full, partial] = leafTiles(300);
    if (!full || !partial) throw new Error("300 leaves lie in two tiles");
    const laid: Uint8Array[] = [];
    for await (const { hashes } of leafTilesOf([flush], [full, partial])) laid.push(hashesToBytes(hashes));
    expect(laid).toEqual([full, partial].map((tile) => bytesOf(`${mirror}/${tilePath(tile)}`)));
    expect(hashesToBytes(rootsOfTiles(leaves))).toEqual(bytesOf(`${mirror}/tile/1/000.p/1`));
    const checkpoint = peekCheckpoint(readShared(`${mirror}/checkpoint`));
    expect([checkpoint?.size, checkpoint?.root]).toEqual([300, rootAt(hashTree(leaves))]);
  });

  it("of a real certificate log grow the subtrees that our sequencer would store", () => {
    const tiles = ["000", "001", "002", "003"].map((name) => hashesOf(`${navigli}/${name}`));
    expect(tiles.map(({ length }) => length)).toEqual([256, 256, 256, 256]);
    expect(hashesOf(`${navigli}/003.p/10`)).toEqual(tiles[3]?.slice(0, 10));
    const leaves = tiles.flat();
    const stored: Uint8Array[] = [];
    for (let range = emptyRange, from = 0; from < leaves.length; from += 37) {
      const batch = leaves.slice(from, from + 37);
      stored.push(...fullSubtrees(range, batch, 256));
      range = extendRange(range, batch);
    }
    expect(stored).toEqual(rootsOfTiles(leaves));
  });
});

const tessera = "vectors/tessera/testdata/log";

describe.skipIf(!hasShared(tessera))("the tiles of Tessera", () => {
  it("are those that we lay out, however its entries came", async () => {
    const [whole] = [...leafTiles(15), ...upperTiles(15)];
    if (!whole) throw new Error("15 leaves lie in a tile");
    const leaves = hashesOf(`${tessera}/${tilePath(whole)}`);
    const flushes = [0, 4, 5, 12].map((index, i, starts) => ({
      index,
      leafHashes: hashesToBytes(leaves.slice(index, starts[i + 1])),
      entries: null,
    }));
    for (let width = 1; width <= 15; width++) {
      const tile = { level: 0, index: 0, width };
      for await (const { hashes } of leafTilesOf(flushes, [tile]))
        expect(hashesToBytes(hashes)).toEqual(bytesOf(`${tessera}/${tilePath(tile)}`));
      const note = readShared(`${tessera}/checkpoint.${width}`);
      expect(parseCheckpoint(note.slice(0, note.indexOf("\n\n") + 1))?.root).toEqual(rootAt(hashTree(leaves), width));
    }
  });
});
