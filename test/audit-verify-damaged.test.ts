import { gzipSync } from "node:zlib";
import { beforeAll, describe, expect, it } from "vitest";
import { noteKey } from "../src/audit/note.ts";
import { readTar } from "../src/audit/tar.ts";
import type { Trust } from "../src/audit/trust.ts";
import type { Verdict } from "../src/audit/verdict.ts";
import { verifyExport } from "../src/audit/verify.ts";
import { concat, fromUtf8, utf8, verifySignature } from "../src/crypto/index.ts";
import { canonicalJson } from "../src/kernel/index.ts";
import { bundleOf, membersOf } from "./support/bundle.ts";
import { exportBytes, exportOf, LogBuilder, origin, testSigner, verifyBytes, verifyRows } from "./support/log-builder.ts";
import { editBundle, editFlush, entryAt, flip, flushAt } from "./support/tampering.ts";

let small: LogBuilder;
let large: LogBuilder;
beforeAll(async () => {
  small = await LogBuilder.ofSize(20);
  large = await LogBuilder.ofSize(600);
});

describe("an entry that is not one", () => {
  const texts: readonly [string, (text: string) => string][] = [
    ["keys in another order", (text) => text.replace(/^\{"actor":(\{[^}]*\}),"event":"record.read"/, '{"event":"record.read","actor":$1')],
    ["a key twice", (text) => text.replace('"v":1', '"v":1,"v":1')],
    ["white space", (text) => text.replace('"v":1', '"v": 1')],
    ["an unknown key", (text) => text.replace('"v":1', '"v":1,"zzz":1')],
    ["a key named __proto__", (text) => text.replace('{"actor"', '{"__proto__":{},"actor"')],
    ["-0", (text) => text.replace('"v":1', '"v":-0')],
    ["1e0", (text) => text.replace('"v":1', '"v":1e0')],
    ["an integer past 2^53", (text) => text.replace(/"n":\d+/, '"n":9007199254740993')],
    ["a time with microseconds", (text) => text.replace(".000Z", ".000000Z")],
    ["half a character", (text) => text.replace('"ok"', '"\\ud800"')],
    ["very deep nesting", (text) => text.replace('"v":1', `"v":${"[".repeat(9000)}${"]".repeat(9000)}`)],
  ];
  it.each(texts)("%s", async (_, change) => {
    const log = await LogBuilder.ofSize(3);
    const rows = log.copy();
    const text = fromUtf8(entryAt(rows, 2));
    expect(change(text)).not.toBe(text);
    editFlush(rows, 2, (entries, at) => entries.with(at, utf8(change(text))));
    const verdict = await verifyRows(rows, log.trust);
    expect(verdict.firstBad).toBe(2);
    expect(verdict.problems.map(({ code }) => code)).toContain("entry_malformed");
  });

  it("no problem quotes an entry", async () => {
    const rows = small.copy();
    const text = canonicalJson({ ...JSON.parse(fromUtf8(entryAt(rows, 5))), canary: "CANARY-7f3a9c" });
    editBundle(rows, 5, (entries, at) => entries.with(at, utf8(text)));
    flushAt(rows, 5).row.head = "CANARY-7f3a9c";
    Object.assign(flushAt(rows, 12).seq, { flushId: "CANARY-7f3a9c" });
    expect(JSON.stringify(await verifyRows(rows, small.trust))).not.toContain("CANARY");
  });
});

describe("a damaged file", () => {
  it("cut short anywhere, or with bytes behind its end, is not read as an export", async () => {
    const bytes = await exportBytes(small.rows, small.trust);
    for (const length of [0, 1, 511, 512, 5_000, bytes.length - 1024, bytes.length - 512, bytes.length - 1]) {
      expect(await verifyBytes(bytes.subarray(0, length), small.trust)).toMatchObject({
        ok: false,
        problems: [{ code: "archive_unreadable" }],
      });
    }
    for (const garbage of [utf8("x"), new Uint8Array(512), new Uint8Array(10_240)]) {
      expect(await verifyBytes(concat(bytes, garbage), small.trust)).toMatchObject({
        ok: false,
        problems: [{ code: "archive_unreadable" }],
      });
    }
    expect((await verifyBytes(bytes, small.trust)).ok).toBe(true);
  });

  it("is told in one line what is wrong with it", async () => {
    const bytes = await exportBytes(small.rows, small.trust);
    const header = bytes.subarray(0, 512);
    const cases: readonly [string, Uint8Array, string][] = [
      ["nothing", new Uint8Array(0), "the archive is empty"],
      ["half a block", bytes.subarray(0, 100), "the archive is cut short after 100 bytes"],
      ["compressed", gzipSync(bytes), "the archive is compressed; unpack it to the tar first"],
      ["another kind of file", utf8("%PDF-1.7".padEnd(2_000)), "this is not a tar archive"],
      ["cut in the middle of an entry", bytes.subarray(0, 9_000), "the archive is cut short after 9000 bytes"],
      ["without its end", bytes.subarray(0, -1024), `the archive is cut short after ${bytes.length - 1024} bytes`],
      ["with half of its end", bytes.subarray(0, -512), `the archive is cut short after ${bytes.length - 512} bytes`],
      ["garbage behind its end", concat(bytes, utf8("garbage")), "the archive goes on behind its end"],
      ["a second archive behind its end", concat(bytes, bytes), "the archive goes on behind its end"],
      [
        "a block in the middle that is no header",
        concat(bytes.subarray(0, 1024), new Uint8Array(512).fill(7), bytes.subarray(1024)),
        "the archive is damaged",
      ],
      ["a changed header", concat(flip(header, 3), bytes.subarray(512)), "this is not a tar archive"],
      ["a link", concat(tarHeader({ typeflag: "2" }), bytes), "the archive holds something else than plain files"],
      [
        "a header of extended attributes that claims 8 GB",
        concat(tarHeader({ typeflag: "x", size: "77777777777" }), bytes),
        "the archive holds something else than plain files",
      ],
      ["a sparse file", concat(tarHeader({ typeflag: "S" }), bytes), "the archive holds something else than plain files"],
      ["a size in base 256", concat(tarHeader({ size: "\u0080\0\0\0\0\0\0\u0002\u0054\u000b\u00e4" }), bytes), "the archive is damaged"],
      ["a negative size", concat(tarHeader({ size: "-0000000001" }), bytes), "the archive is damaged"],
    ];
    for (const [what, changed, reason] of cases)
      expect((await verifyBytes(changed, small.trust)).problems, what).toEqual([{ index: null, code: "archive_unreadable", reason }]);
  });

  it("whose header claims ten gigabytes is read to its end in little memory, and soon", async () => {
    const before = process.memoryUsage().rss;
    const zeros = new Uint8Array(65_536);
    const claimed = 8 * 2 ** 30 - 1; // what eleven octal digits hold
    const endless = async function* () {
      yield tarHeader({ name: "manifest.json", size: claimed.toString(8) });
      for (let sent = 0; sent < 2 ** 30; sent += zeros.length) yield zeros;
    };
    const verdict = await verifyExport({ bundle: readTar(endless()), trust: small.trust, seen: [], verifySignature });
    expect(verdict.problems).toEqual([
      { index: null, code: "archive_unreadable", reason: `the archive is cut short after ${512 + 2 ** 30} bytes` },
    ]);
    expect(process.memoryUsage().rss - before).toBeLessThan(100 * 2 ** 20);
  });

  it("whose members are longer than such a member can be is not held in memory", async () => {
    const whole = await membersOf(exportOf(small.rows, small.trust));
    for (const [name, claim] of [
      ["manifest.json", 10 * 2 ** 30],
      ["heads/000.p/20", 10 * 2 ** 30],
      ["tile/0/000.p/20", 8_193],
      ["tile/entries/000.p/20", 17_000_000],
    ] as const) {
      const bundle = (async function* () {
        for await (const member of bundleOf(whole)) yield member.name === name ? { ...member, sizeBytes: claim } : member;
      })();
      const { problems } = await verifyExport({ bundle, trust: small.trust, seen: [], verifySignature });
      expect(problems).toContainEqual(
        expect.objectContaining({ code: "member_malformed", reason: `${name} is longer than such a file can be` }),
      );
    }
  });

  it("signed by a rotated or a wrong key is told which signature does not count", async () => {
    const rotated = { ...small.trust, log: noteKey(origin, (await testSigner("rotated")).publicKey) };
    expect((await verifyBytes(await exportBytes(small.rows, small.trust), rotated)).problems).toContainEqual({
      index: null,
      code: "checkpoint_signature",
      reason: "the checkpoint is not signed by the log's key",
    });
    const bytes = await exportBytes(small.rows, small.trust);
    const otherWriters = { ...small.trust, writers: new Map() };
    expect((await verifyBytes(bytes, otherWriters)).problems[0]).toEqual({
      index: 0,
      code: "head_signature",
      reason: "its flush head is not signed by a known writer key",
    });
  });

  it("without any one of its members, or with one more, is not whole", async () => {
    const whole = await membersOf(exportOf(large.rows, large.trust));
    for (const name of whole.keys()) {
      const rest = new Map(whole);
      rest.delete(name);
      const verdict = await verifyMembers(rest, large.trust);
      expect(verdict.ok).toBe(false);
      const place = /^(?:tile\/0|tile\/entries|heads)\/(\d{3})/.exec(name)?.[1];
      if (place !== undefined) expect(verdict.firstBad).toBe(Number(place) * 256);
    }
    for (const name of ["tile/0/009", "tile/0/002", "tile/2/000", "heads/000.p/7", "readme.txt", "\u001b[31m"]) {
      const verdict = await verifyMembers(new Map(whole).set(name, new Uint8Array(8192)), large.trust);
      expect(verdict.problems.map(({ code }) => code)).toEqual(["member_unexpected"]);
      expect(JSON.stringify(verdict)).not.toContain("u001b");
    }
  });

  it("whose members stand in another order is told so, each place named that has nothing then", async () => {
    const whole = [...(await membersOf(exportOf(large.rows, large.trust)))];
    for (let from = 0; from < whole.length; from++) {
      const moved = whole.toSpliced(from, 1);
      const to = from + 1 < whole.length ? whole.length - 1 : 0;
      const verdict = await verifyMembers([...moved.slice(0, to), ...whole.slice(from, from + 1), ...moved.slice(to)], large.trust);
      expect(verdict.ok).toBe(false);
      expect(verdict.problems.map(({ code }) => code)).toContain("member_missing");
    }
  });

  it("with two members of one name is not read as an export", async () => {
    const whole = [...(await membersOf(exportOf(small.rows, small.trust)))];
    for (const [at, again] of whole.entries()) {
      for (const to of [at + 1, whole.length]) {
        const { problems } = await verifyMembers(whole.toSpliced(to, 0, again), small.trust);
        expect(problems).toEqual([{ index: null, code: "archive_unreadable", reason: "the archive holds two files of one name" }]);
      }
    }
  });

  it("whose lines of flushes are not what an export writes is called so, whatever they say, and soon", async () => {
    const whole = await membersOf(exportOf(small.rows, small.trust));
    const name = "heads/000.p/20";
    const lines = fromUtf8(whole.get(name) ?? new Uint8Array(0))
      .trim()
      .split("\n");
    const [first = "", second = "", ...rest] = lines;
    const parsed = JSON.parse(second);
    const many = (change: (i: number) => object) => Array.from({ length: 20_000 }, (_, i) => JSON.stringify({ ...parsed, ...change(i) }));
    const cases: readonly (readonly string[])[] = [
      [],
      [first],
      lines.toReversed(),
      [first, first, second, ...rest],
      [first, ...rest],
      [first, JSON.stringify({ ...parsed, size: Number.MAX_SAFE_INTEGER }), ...rest],
      [first, JSON.stringify({ ...parsed, index: Number.MAX_SAFE_INTEGER, size: Number.MAX_SAFE_INTEGER })],
      [first, JSON.stringify({ ...parsed, size: 0 }), ...rest],
      [first, JSON.stringify({ ...parsed, size: 0, entries: 0 }), ...rest],
      [first, JSON.stringify({ ...parsed, entries: parsed.entries + 1 }), ...rest],
      [
        first,
        JSON.stringify({ ...parsed, size: 1, entries: 1 }),
        JSON.stringify({ ...parsed, index: parsed.index + 1, size: 1, entries: 1 }),
        ...rest,
      ],
      [...lines, JSON.stringify({ ...parsed, index: 20, size: 0, entries: 0 })],
      [...lines, JSON.stringify({ ...parsed, index: 20, size: 4, entries: 4 })],
      many((index) => ({ index, size: Number.MAX_SAFE_INTEGER })),
      many(() => ({ size: 20 })),
      ["{", "[]", "null", '{"index":-1}'],
    ];
    const start = performance.now();
    for (const changed of cases) {
      const heads = utf8(changed.map((line) => `${line}\n`).join(""));
      const verdict = await verifyMembers(new Map(whole).set(name, heads), small.trust);
      expect(verdict.ok).toBe(false);
      expect(verdict.problems.length).toBeGreaterThan(0);
    }
    expect(performance.now() - start).toBeLessThan(10_000);
  });

  it("with any byte flipped is never called whole, unless the byte is one that no member holds", async () => {
    const log = await LogBuilder.ofSize(2);
    const bytes = await exportBytes(log.rows, log.trust);
    const whole = await membersOf(exportOf(log.rows, log.trust));
    for (let at = 0; at < bytes.length; at += 37) {
      const changed = flip(bytes, at);
      if ((await verifyBytes(changed, log.trust)).ok) {
        const reread = await membersOf(new Blob([changed as Uint8Array<ArrayBuffer>]).stream());
        const kept = (read: typeof whole) => [...read].filter(([name]) => name !== "keys.json");
        expect(kept(reread).map(([name, value]) => [name, name === "manifest.json" ? JSON.parse(fromUtf8(value)).size : value])).toEqual(
          kept(whole).map(([name, value]) => [name, name === "manifest.json" ? JSON.parse(fromUtf8(value)).size : value]),
        );
      }
    }
  });
});

/** A header of ustar as others could write it, its checksum right. */
function tarHeader({ name = "x", size = "0", typeflag = "0" }): Uint8Array {
  const header = new Uint8Array(512);
  const put = (at: number, text: string) => void Array.from(text, (letter, i) => (header[at + i] = letter.charCodeAt(0)));
  put(0, name);
  put(124, size.padStart(11, "0"));
  put(148, " ".repeat(8));
  put(156, typeflag);
  put(257, "ustar\u000000");
  put(
    148,
    header
      .reduce((sum, byte) => sum + byte, 0)
      .toString(8)
      .padStart(6, "0"),
  );
  header[154] = 0;
  return header;
}

function verifyMembers(members: Iterable<readonly [string, Uint8Array]>, trust: Trust): Promise<Verdict> {
  return verifyExport({ bundle: bundleOf(members), trust, seen: [], verifySignature });
}
