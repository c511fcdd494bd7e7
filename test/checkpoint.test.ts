import { readdirSync, readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import * as z from "zod";
import { formatCheckpoint, openCheckpoint, parseCheckpoint, peekCheckpoint, signCheckpoint } from "../src/audit/checkpoint.ts";
import { openHead, signHead } from "../src/audit/head.ts";
import { formatVkey, type NoteKey, noteKey, openNote, parseVkey, signNote } from "../src/audit/note.ts";
import { formatPromise, parsePromise } from "../src/audit/promise.ts";
import { decodeEntries, encodeEntries, entriesPath, leafTiles, tilePath, upperTiles } from "../src/audit/tiles.ts";
import { hashesFromBytes, hashTree, leafHash, nodeHash, rootAt } from "../src/audit/tree.ts";
import {
  createSigner,
  fromBase64,
  fromBase64Url,
  fromUtf8,
  keyId,
  type Signer,
  signJws,
  toBase64,
  utf8,
  verifySignature,
} from "../src/crypto/index.ts";
import { testSigner } from "./support/log-builder.ts";
import { hasShared, readShared, sharedPath } from "./support/shared.ts";

/** Go's text form of a note's private key: `PRIVATE+KEY+name+hash+base64(0x01 ‖ seed)`. */
async function signerOf(skey: string): Promise<{ name: string; signer: Signer }> {
  const [, name = "", encoded = ""] = /^PRIVATE\+KEY\+([^+]+)\+[0-9a-f]{8}\+(.+)$/.exec(skey) ?? [];
  return { name, signer: await createSigner(fromBase64(encoded).slice(1)) };
}

function vkeys(texts: readonly string[]): NoteKey[] {
  return texts.flatMap((text) => parseVkey(text) ?? []);
}

const tesseraKey = "PRIVATE+KEY+example.com/log/testdata+33d7b496+AeymY/SZAX0jZcJ8enZ5FY1Dz+wTML2yWSkK+9DSF3eg";
const tessera = "vectors/tessera/testdata/log";
const bytesOf = (path: string): Uint8Array => Uint8Array.from(readFileSync(sharedPath(path)));

describe.skipIf(!hasShared(tessera))("the log of Tessera", () => {
  it("has 16 checkpoints that we sign again byte for byte", async () => {
    const { name, signer } = await signerOf(tesseraKey);
    const notes = Array.from({ length: 16 }, (_, size) => readShared(`${tessera}/checkpoint.${size}`));
    for (const [size, note] of notes.entries()) {
      const opened = await openCheckpoint(note, [noteKey(name, signer.publicKey)], verifySignature);
      if (!opened.ok) throw new Error(opened.refusal);
      expect(opened.value).toMatchObject({ origin: name, size, extensions: [] });
      expect(await signCheckpoint(opened.value, signer)).toBe(note);
    }
    expect(notes).toHaveLength(16);
  });

  it("has roots that follow from its entries and from its tiles, at every size", () => {
    for (const { index, level, width } of Array.from({ length: 15 }, (_, i) => ({ level: 0, index: 0, width: i + 1 }))) {
      const entries = decodeEntries(bytesOf(`${tessera}/${entriesPath({ level, index, width })}`)) ?? [];
      const hashes = hashesFromBytes(bytesOf(`${tessera}/${tilePath({ level, index, width })}`)) ?? [];
      expect(entries).toHaveLength(width);
      expect(entries.map(leafHash)).toEqual(hashes);
      const root = peekCheckpoint(readShared(`${tessera}/checkpoint.${width}`))?.root;
      expect(rootAt(hashTree(hashes))).toEqual(root);
      expect(encodeEntries(entries)).toEqual(bytesOf(`${tessera}/${entriesPath({ level, index, width })}`));
    }
  });
});

const noteVectors = z.object({
  signer: z.object({ skey: z.string(), vkey: z.string(), text: z.string(), signed_note: z.string() }),
  bad_vkeys: z.array(z.string()),
  open: z.array(
    z.object({
      name: z.string(),
      note: z.string(),
      vkeys: z.array(z.string()),
      expect: z.enum(["ok", "error", "unverified", "malformed"]),
      verified: z.number(),
    }),
  ),
  real: z.array(z.object({ name: z.string(), vkey: z.string(), note: z.string() })),
});

describe.skipIf(!hasShared("vectors/extracted/signed-note.json"))("the signed notes of Go and C2SP", () => {
  const readVectors = () => noteVectors.parse(JSON.parse(readShared("vectors/extracted/signed-note.json")));

  it("open as they should, every case", async () => {
    const { open } = readVectors();
    expect(open).toHaveLength(14);
    const refusals = { error: ["wrong_signature", "ambiguous_key"], unverified: ["unsigned"], malformed: ["malformed"], ok: [] } as const;
    for (const test of open) {
      const opened = await openNote(test.note, vkeys(test.vkeys), verifySignature);
      if (test.expect === "ok") expect(opened, test.name).toMatchObject({ ok: true, value: { signedBy: { length: test.verified } } });
      else expect(refusals[test.expect], test.name).toContain(opened.ok ? "opened" : opened.refusal);
    }
  });

  it("are written as Go writes them", async () => {
    const { signer: vector } = readVectors();
    const { name, signer } = await signerOf(vector.skey);
    expect(formatVkey(noteKey(name, signer.publicKey))).toBe(vector.vkey);
    expect(await signNote(vector.text, name, signer)).toBe(vector.signed_note);
  });

  it("open where the key's name is not the log's origin, as at sum.golang.org", async () => {
    const { real } = readVectors();
    expect(real).toHaveLength(2);
    for (const { note, vkey } of real) expect((await openNote(note, vkeys([vkey]), verifySignature)).ok).toBe(true);
    expect(peekCheckpoint(real[1]?.note ?? "")).toMatchObject({ origin: "go.sum database tree", size: 35_225_469 });
  });

  it("take no verifier key that is cut, changed by one, or of another algorithm", () => {
    const {
      signer: { vkey },
      bad_vkeys,
    } = readVectors();
    expect(parseVkey(vkey)).not.toBeNull();
    for (const bad of bad_vkeys) expect(parseVkey(bad)).toBeNull();
    for (let start = 0; start < vkey.length; start++) {
      for (let end = start + 1; end <= vkey.length; end++)
        if (end - start < vkey.length) expect(parseVkey(vkey.slice(start, end))).toBeNull();
    }
    for (let at = 0; at < vkey.length; at++)
      expect(parseVkey(vkey.slice(0, at) + String.fromCharCode(vkey.charCodeAt(at) + 1) + vkey.slice(at + 1))).toBeNull();
  });
});

describe("a signed note", () => {
  it("opens under its key, and under no other text, key or name", async () => {
    const signer = await testSigner("note");
    const key = noteKey("example.com/log", signer.publicKey);
    const note = await signNote("one\n\ntwo\n", key.name, signer);
    expect(await openNote(note, [key], verifySignature)).toEqual({ ok: true, value: { text: "one\n\ntwo\n", signedBy: [key] } });
    expect(await openNote(note.replace("two", "tow"), [key], verifySignature)).toEqual({ ok: false, refusal: "wrong_signature" });
    expect(await openNote(note, [noteKey("example.com/other", signer.publicKey)], verifySignature)).toEqual({
      ok: false,
      refusal: "unsigned",
    });
    expect(await openNote(note, [], verifySignature)).toEqual({ ok: false, refusal: "unsigned" });
    expect(parseVkey(formatVkey(key))).toEqual(key);
  });

  it("takes the unused last bits of a signature's base64 as they come", async () => {
    const signer = await testSigner("note");
    const key = noteKey("k", signer.publicKey);
    const note = await signNote("text\n", "k", signer);
    expect(note).toMatch(/[AEIMQUYcgkosw048]=\n$/); // 68 bytes leave two bits over
    const loose = note.replace(/(.)=\n$/, (_, last: string) => `${String.fromCharCode(last.charCodeAt(0) + 1)}=\n`);
    expect((await openNote(loose, [key], verifySignature)).ok).toBe(true);
  });

  it("is not made of a text or under a name that notes cannot hold", async () => {
    const signer = await testSigner("note");
    for (const text of ["no newline", "tab\t\n", "nul\u0000\n", "half \ud800\n"])
      await expect(signNote(text, "k", signer)).rejects.toThrow(RangeError);
    for (const name of ["", "a b", "a+b", "a\u00a0b", "a\nb"]) expect(() => noteKey(name, signer.publicKey)).toThrow(RangeError);
  });
});

describe("a checkpoint", () => {
  const root = toBase64(leafHash(utf8("x")));
  it("reads back as it was written, extension lines too", () => {
    const checkpoint = { origin: "example.com/log", size: 2 ** 40, root: leafHash(utf8("x")), extensions: ["one", "two"] };
    expect(parseCheckpoint(formatCheckpoint(checkpoint))).toEqual(checkpoint);
  });

  it.each([
    ["no newline at its end", `o\n1\n${root}`],
    ["no origin", `\n1\n${root}\n`],
    ["a leading zero", `o\n01\n${root}\n`],
    ["a negative size", `o\n-1\n${root}\n`],
    ["a size past 2^53", `o\n9007199254740992\n${root}\n`],
    ["a size in full-width digits", `o\n１\n${root}\n`],
    ["a root of 31 bytes", `o\n1\n${toBase64(new Uint8Array(31))}\n`],
    ["a root whose base64 is not canonical", `o\n1\n${root.slice(0, -2)}${String.fromCharCode(root.charCodeAt(42) + 1)}=\n`],
    ["a root without padding", `o\n1\n${root.slice(0, -1)}\n`],
    ["an empty extension line", `o\n1\n${root}\n\n`],
    ["no root", "o\n1\n"],
  ])("is not one with %s", (_, text) => {
    expect(parseCheckpoint(text)).toBeNull();
  });
});

const tilesOf = (size: number) => [...leafTiles(size), ...upperTiles(size)];

describe("tiles", () => {
  it("lie where tlog-tiles says", () => {
    const paths = [0, 1, 999, 1000, 1_234_067].map((index) => tilePath({ level: 0, index, width: 256 }));
    expect(paths).toEqual(["tile/0/000", "tile/0/001", "tile/0/999", "tile/0/x001/000", "tile/0/x001/x234/067"]);
    expect(tilePath({ level: 2, index: 0, width: 1 })).toBe("tile/2/000.p/1");
    expect(entriesPath({ level: 0, index: 273, width: 112 })).toBe("tile/entries/273.p/112");
  });

  it("of 70,000 leaves are 273 and a partial one, 1 and a partial one, and a partial one", () => {
    const tiles = tilesOf(70_000);
    const level = (n: number) => tiles.filter((tile) => tile.level === n).map(({ width }) => width);
    expect(level(0)).toEqual([...Array<number>(273).fill(256), 112]);
    expect(level(1)).toEqual([256, 17]);
    expect(level(2)).toEqual([1]);
    expect(tilesOf(256)).toEqual([
      { level: 0, index: 0, width: 256 },
      { level: 1, index: 0, width: 1 },
    ]);
    expect(tilesOf(0)).toEqual([]);
  });

  it("hold entries behind their lengths, and nothing that ends early", () => {
    const entries = [utf8("one"), new Uint8Array(0), new Uint8Array(65_535)];
    const bundle = encodeEntries(entries);
    expect(decodeEntries(bundle)).toEqual(entries);
    for (const length of [1, 2, 4, bundle.length - 1]) expect(decodeEntries(bundle.subarray(0, length))).toBeNull();
    expect(() => encodeEntries([new Uint8Array(65_536)])).toThrow(RangeError);
  });
});

const mirror = "vectors/sunlight/cmd/skylight/testdata/witness/mirror";
describe.skipIf(!hasShared(mirror))("the mirror of Sunlight", () => {
  it("gives its checkpoint's root from its tiles, and its tiles from its records", () => {
    const [log = ""] = readdirSync(sharedPath(mirror)).filter((name) => name.length === 64);
    const tile = (level: number, index: number, width: number) =>
      hashesFromBytes(bytesOf(`${mirror}/${log}/${tilePath({ level, index, width })}`)) ?? [];
    expect(tilesOf(300).map(tilePath)).toEqual(["tile/0/000", "tile/0/001.p/44", "tile/1/000.p/1"]);
    const leaves = [...tile(0, 0, 256), ...tile(0, 1, 44)];
    expect(leaves).toEqual(Array.from({ length: 300 }, (_, i) => leafHash(utf8(`record ${i}`))));
    const [left = new Uint8Array(0)] = tile(1, 0, 1);
    expect(left).toEqual(rootAt(hashTree(leaves), 256));
    const root = peekCheckpoint(readShared(`${mirror}/${log}/checkpoint`))?.root;
    expect(rootAt(hashTree(leaves))).toEqual(root);
    expect(nodeHash(left, rootAt(hashTree(leaves.slice(256))))).toEqual(root);
  });
});

describe("a flush head and its promise", () => {
  const head = {
    origin: "log.example/c",
    writer: "w_aaaaaaaaaaaaaaaa",
    n: 41,
    size: 3,
    root: leafHash(utf8("x")),
    t: 1_767_600_000_000,
    mmd: 300,
  };

  it("opens under the writer's key and no other, and only as a head", async () => {
    const [signer, other] = [await testSigner("writer"), await testSigner("other")];
    const keys = (of: Signer) => new Map([[keyId(of.publicKey), of.publicKey]]);
    const jws = await signHead(head, signer);
    expect(await openHead(jws, keys(signer), verifySignature)).toEqual(head);
    expect(await openHead(jws, keys(other), verifySignature)).toBeNull();
    expect(await openHead(jws, new Map([[keyId(signer.publicKey), other.publicKey]]), verifySignature)).toBeNull();
    expect(fromUtf8(fromBase64Url(jws.split(".")[1] ?? ""))).toBe(
      `{"mmd":300,"n":41,"origin":"log.example/c","root":"${toBase64(head.root)}","size":3,"t":1767600000000,"writer":"w_aaaaaaaaaaaaaaaa"}`,
    );
    for (const payload of ["{}", "null", "[]", `{"n":41,"mmd":300}`, " {}"])
      expect(await openHead(await signJws(signer, "postern-head", payload), keys(signer), verifySignature)).toBeNull();
    expect(await openHead(await signJws(signer, "postern-certificate", "{}"), keys(signer), verifySignature)).toBeNull();
  });

  it("travels as an RFC 9651 dictionary", () => {
    const promise = { jws: "aaa.bbb.c-_", id: "01890a5d-ac96-774b-bcce-b302099a8057", position: 3, path: leafHash(utf8("x")) };
    const text = formatPromise(promise);
    expect(text).toBe(`jws="aaa.bbb.c-_", id="${promise.id}", i=3, path=:${toBase64(promise.path)}:`);
    expect(parsePromise(text)).toEqual(promise);
    expect(parsePromise(` i=3 ,\tpath=:${toBase64(promise.path)}:,id="${promise.id}",receipt=:AA==:, jws="aaa.bbb.c-_" `)).toEqual(promise);
    expect(parsePromise(formatPromise({ ...promise, path: new Uint8Array(0) }))).toMatchObject({ path: new Uint8Array(0) });
  });

  it.each([
    ["nothing", ""],
    ["a member missing", 'jws="a", id="b", i=3'],
    ["a negative position", 'jws="a", id="b", i=-3, path=::'],
    ["half a hash", 'jws="a", id="b", i=3, path=:AAAA:'],
    ["base64 that is not canonical", 'jws="a", id="b", i=3, path=:AB==:'],
    ["a token for a string", "jws=a, id=b, i=3, path=::"],
    ["a decimal", 'jws="a", id="b", i=3.5, path=::'],
    ["text without an end", 'jws="a, id="b", i=3, path=::'],
    ["no bounds", `jws="${"a".repeat(20_000)}", id="b", i=3, path=::`],
  ])("is not read from a text with %s", (_, text) => {
    expect(parsePromise(text)).toBeNull();
  });
});
