import { beforeAll, describe, expect, it } from "vitest";
import { readBundle } from "../src/audit/bundle.ts";
import { verifyExport } from "../src/audit/verify.ts";
import { concat, fromUtf8, utf8, verifySignature } from "../src/crypto/index.ts";
import { canonicalJson } from "../src/kernel/index.ts";
import { exportBytes, exportOf, LogBuilder, verifyBytes, verifyRows } from "./support/log-builder.ts";
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

  it("without any one of its members, or with one more, is not whole", async () => {
    const bundle = await readBundle(exportOf(large.rows, large.trust));
    if (!bundle.ok) throw new Error(bundle.refusal);
    for (const name of bundle.value.keys()) {
      const rest = new Map(bundle.value);
      rest.delete(name);
      const verdict = await verifyExport({ bundle: { ok: true, value: rest }, trust: large.trust, seen: [], verifySignature });
      expect(verdict.ok).toBe(false);
      const place = /^tile\/(?:0|entries)\/(\d{3})/.exec(name)?.[1];
      if (place !== undefined) expect(verdict.firstBad).toBe(Number(place) * 256);
    }
    const more = new Map(bundle.value).set("tile/0/009", new Uint8Array(8192));
    const verdict = await verifyExport({ bundle: { ok: true, value: more }, trust: large.trust, seen: [], verifySignature });
    expect(verdict.problems.map(({ code }) => code)).toEqual(["member_unexpected"]);
  });

  it("whose lines of flushes are not what an export writes is called so, whatever they say, and soon", async () => {
    const bundle = await readBundle(exportOf(small.rows, small.trust));
    if (!bundle.ok) throw new Error(bundle.refusal);
    const lines = fromUtf8(bundle.value.get("heads.ndjson") ?? new Uint8Array(0))
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
      const manifest = JSON.parse(fromUtf8(bundle.value.get("manifest.json") ?? new Uint8Array(0)));
      const members = new Map(bundle.value)
        .set("heads.ndjson", heads)
        .set("manifest.json", utf8(JSON.stringify({ ...manifest, flushes: changed.length })));
      const verdict = await verifyExport({ bundle: { ok: true, value: members }, trust: small.trust, seen: [], verifySignature });
      expect(verdict.ok).toBe(false);
      expect(verdict.problems.length).toBeGreaterThan(0);
    }
    expect(performance.now() - start).toBeLessThan(10_000);
  });

  it("with any byte flipped is never called whole, unless the byte is one that no member holds", async () => {
    const log = await LogBuilder.ofSize(2);
    const bytes = await exportBytes(log.rows, log.trust);
    const bundle = await readBundle(exportOf(log.rows, log.trust));
    for (let at = 0; at < bytes.length; at += 37) {
      const changed = flip(bytes, at);
      if ((await verifyBytes(changed, log.trust)).ok) {
        const reread = await readBundle(new Blob([changed as Uint8Array<ArrayBuffer>]).stream());
        const kept = (read: typeof bundle) => (read.ok ? [...read.value].filter(([name]) => name !== "keys.json") : []);
        expect(kept(reread).map(([name, value]) => [name, name === "manifest.json" ? JSON.parse(fromUtf8(value)).size : value])).toEqual(
          kept(bundle).map(([name, value]) => [name, name === "manifest.json" ? JSON.parse(fromUtf8(value)).size : value]),
        );
      }
    }
  });
});
