import { beforeAll, describe, expect, it } from "vitest";
import { readBundle } from "../src/audit/bundle.ts";
import { signCheckpoint } from "../src/audit/checkpoint.ts";
import { signHead } from "../src/audit/head.ts";
import { emptyRange, extendRange, hashesToBytes, hashTree, leafHash, rangeRoot, rootAt } from "../src/audit/tree.ts";
import { formatTrust, parseTrust } from "../src/audit/trust.ts";
import { verifyExport } from "../src/audit/verify.ts";
import { concat, fromUtf8, keyId, utf8, verifySignature } from "../src/crypto/index.ts";
import { canonicalJson } from "../src/kernel/index.ts";
import {
  exportBytes,
  exportOf,
  LogBuilder,
  type LogRows,
  origin,
  testSigner,
  testWriter,
  verifyBytes,
  verifyRows,
} from "./support/log-builder.ts";

let small: LogBuilder;
let large: LogBuilder;
beforeAll(async () => {
  small = await LogBuilder.ofSize(20);
  large = await LogBuilder.ofSize(600);
});

function flip(bytes: Uint8Array, at = 0): Uint8Array {
  const changed = Uint8Array.from(bytes);
  changed[at] = (changed[at] ?? 0) ^ 1;
  return changed;
}

/** Another letter of the same kind in the middle of a text. */
function flipText(text: string, at = Math.floor(text.length / 2)): string {
  return text.slice(0, at) + (text[at] === "B" ? "C" : "B") + text.slice(at + 1);
}

function seqRow(rows: LogRows, index: number) {
  const row = rows.seq.get(index);
  if (row === undefined) throw new Error(`the test's log has no place ${index}`);
  return row;
}

function rawRow(rows: LogRows, index: number) {
  const row = rows.raw.get(seqRow(rows, index).entryId);
  if (row === undefined) throw new Error(`the test's log has no bytes for place ${index}`);
  return row;
}

/** Takes the row at `index` out and moves the later ones down, as if it had never been; `log` follows. */
function closeGap(rows: LogRows, index: number): void {
  for (let at = index; at + 1 < rows.seq.size; at++) rows.seq.set(at, seqRow(rows, at + 1));
  rows.seq.delete(rows.seq.size - 1);
  restoreLogRow(rows);
}

/** Puts a row in at `index` and moves the later ones up; `log` follows. */
function insertAt(rows: LogRows, index: number, entryId: string, leaf: Uint8Array): void {
  for (let at = rows.seq.size; at > index; at--) rows.seq.set(at, seqRow(rows, at - 1));
  rows.seq.set(index, { entryId, leafHash: leaf });
  restoreLogRow(rows);
}

/** What an attacker who knows the format would also do: size, root and range as the rows now give them. */
function restoreLogRow(rows: LogRows): void {
  const leaves = Array.from({ length: rows.seq.size }, (_, i) => seqRow(rows, i).leafHash);
  const range = extendRange(emptyRange, leaves);
  Object.assign(rows.log, { size: range.size, root: rangeRoot(range), range: hashesToBytes(range.hashes) });
}

describe("an export of an untouched log", () => {
  it("verifies against the trust file, whatever its size", async () => {
    for (const size of [1, 2, 20, 255, 256, 257]) {
      const log = await LogBuilder.ofSize(size);
      expect(await verifyRows(log.rows, log.trust)).toMatchObject({ ok: true, keys: "pinned", origin, size, problems: [], firstBad: null });
    }
    expect((await verifyRows(large.rows, large.trust)).problems).toEqual([]);
  });

  it("verifies while the log is still empty", async () => {
    const log = await LogBuilder.create();
    await log.publish();
    expect(await verifyRows(log.rows, log.trust)).toMatchObject({ ok: true, size: 0 });
  });

  it("is only called consistent without a trust file", async () => {
    expect(await verifyRows(small.rows, small.trust, { pinned: false })).toMatchObject({ ok: true, keys: "not pinned" });
  });

  it("is not believed under the trust file of another log or other writers", async () => {
    const other = await testSigner("somebody else");
    const trust = small.trust;
    const wrongLog = await verifyRows(small.rows, { ...trust, log: { ...trust.log, publicKey: other.publicKey } });
    expect(wrongLog.problems.map(({ code }) => code)).toContain("checkpoint_signature");
    const wrongName = await verifyExport({
      bundle: await readBundle(exportOf(small.rows, trust)),
      trust: { ...trust, log: { ...trust.log, name: "x" } },
      seen: [],
      verifySignature,
    });
    expect(wrongName.problems.map(({ code }) => code)).toContain("log_not_trusted");
    const bundle = await readBundle(exportOf(small.rows, trust));
    const wrongWriters = await verifyExport({
      bundle,
      trust: { ...trust, writers: new Map([[keyId(other.publicKey), other.publicKey]]) },
      seen: [],
      verifySignature,
    });
    expect(wrongWriters).toMatchObject({ ok: false, firstBad: 0, problemsFound: 20 });
    expect(wrongWriters.problems[0]?.code).toBe("head_signature");
  });

  it("verifies with several writers, retired ones named by their successors", async () => {
    const log = await LogBuilder.create();
    const [a, b] = [testWriter("a"), testWriter("b")];
    for (let i = 0; i < 5; i++) {
      await log.flush(a, 2);
      await log.flush(b, 1);
    }
    await log.flush(testWriter("c", { id: a.id, n: a.n - 1 }), 3);
    await log.flush(testWriter("d", { id: testWriter("never wrote").id, n: -1 }), 1);
    await log.publish();
    expect((await verifyRows(log.rows, log.trust)).problems).toEqual([]);
    await log.flush(testWriter("e", { id: b.id, n: b.n }), 1);
    await log.publish();
    expect(await verifyRows(log.rows, log.trust)).toMatchObject({ firstBad: 19, problems: [{ code: "writer_retired" }] });
  });

  it("is the same bytes each time, and its verdict is plain data", async () => {
    expect(await exportBytes(small.rows, small.trust)).toEqual(await exportBytes(small.rows, small.trust));
    const verdict = await verifyRows(small.rows, small.trust);
    expect(JSON.parse(JSON.stringify(verdict))).toEqual(verdict);
  });

  it("verifies ten thousand entries in seconds", async () => {
    const log = await LogBuilder.create();
    const writer = testWriter("busy");
    for (let i = 0; i < 40; i++) await log.flush(writer, 250);
    await log.publish();
    const start = performance.now();
    expect((await verifyRows(log.rows, log.trust)).ok).toBe(true);
    expect(performance.now() - start).toBeLessThan(20_000);
  });
});

/** One change to a stored column of the large log each; `firstBad` null: the column is about no single entry. */
const columns: readonly { column: string; change: (rows: LogRows) => void; firstBad: number | null; code: string }[] = [
  {
    column: "raw.bytes",
    change: (rows) => {
      rawRow(rows, 300).bytes = flip(rawRow(rows, 300).bytes, 40);
    },
    firstBad: 300,
    code: "entry_changed",
  },
  {
    column: "raw.bytes, cut to nothing",
    change: (rows) => {
      rawRow(rows, 300).bytes = new Uint8Array(0);
    },
    firstBad: 300,
    code: "entry_missing",
  },
  {
    column: "raw.head",
    change: (rows) => {
      rawRow(rows, 300).head = flipText(rawRow(rows, 300).head);
    },
    firstBad: 300,
    code: "head_signature",
  },
  {
    column: "raw.head, another flush's",
    change: (rows) => {
      rawRow(rows, 300).head = rawRow(rows, 100).head;
    },
    firstBad: 300,
    code: "head_mismatch",
  },
  {
    column: "raw.position",
    change: (rows) => {
      rawRow(rows, 300).position += 1;
    },
    firstBad: 300,
    code: "head_mismatch",
  },
  {
    column: "raw.path",
    change: (rows) => {
      const at = withPath(rows, 300);
      rawRow(rows, at).path = flip(rawRow(rows, at).path);
    },
    firstBad: 301,
    code: "head_mismatch",
  },
  {
    column: "raw.path, one hash longer",
    change: (rows) => {
      rawRow(rows, 300).path = concat(rawRow(rows, 300).path, new Uint8Array(32));
    },
    firstBad: 300,
    code: "head_mismatch",
  },
  {
    column: "raw.entry_id",
    change: (rows) => {
      renameRaw(rows, 300);
    },
    firstBad: 300,
    code: "entry_missing",
  },
  {
    column: "raw.log",
    change: (rows) => {
      rows.raw.delete(seqRow(rows, 300).entryId);
    },
    firstBad: 300,
    code: "entry_missing",
  },
  {
    column: "seq.entry_id",
    change: (rows) => {
      seqRow(rows, 300).entryId = flipText(seqRow(rows, 300).entryId);
    },
    firstBad: 300,
    code: "entry_missing",
  },
  {
    column: "seq.leaf_hash",
    change: (rows) => {
      seqRow(rows, 300).leafHash = flip(seqRow(rows, 300).leafHash);
    },
    firstBad: 300,
    code: "entry_changed",
  },
  {
    column: "seq.leaf_hash, shortened",
    change: (rows) => {
      seqRow(rows, 300).leafHash = new Uint8Array(31);
    },
    firstBad: 300,
    code: "entry_changed",
  },
  {
    column: "seq.index",
    change: (rows) => {
      rows.seq.set(9_000, seqRow(rows, 300));
      rows.seq.delete(300);
    },
    firstBad: 300,
    code: "entry_missing",
  },
  {
    column: "seq.log",
    change: (rows) => {
      rows.seq.delete(300);
    },
    firstBad: 300,
    code: "entry_missing",
  },
  {
    column: "subtree.root",
    change: (rows) => {
      rows.subtree.set(1, flip(rows.subtree.get(1) ?? new Uint8Array(0)));
    },
    firstBad: null,
    code: "tile_mismatch",
  },
  {
    column: "subtree.index",
    change: (rows) => {
      rows.subtree.set(7, rows.subtree.get(1) ?? new Uint8Array(0));
      rows.subtree.delete(1);
    },
    firstBad: null,
    code: "tile_mismatch",
  },
  {
    column: "checkpoint.note, an archived one",
    change: (rows) => {
      const [size, note] = archived(rows);
      rows.checkpoint.set(size, flipText(note, note.length - 20));
    },
    firstBad: null,
    code: "archived_checkpoint",
  },
  {
    column: "checkpoint.note, the latest one",
    change: (rows) => {
      rows.checkpoint.set(600, flipText(rows.checkpoint.get(600) ?? "", 60));
    },
    firstBad: null,
    code: "checkpoint_signature",
  },
  {
    column: "checkpoint.size, an archived one",
    change: (rows) => {
      const [size, note] = archived(rows);
      rows.checkpoint.delete(size);
      rows.checkpoint.set(size + 1, note);
    },
    firstBad: null,
    code: "archived_checkpoint",
  },
  {
    column: "checkpoint.log, the latest one",
    change: (rows) => {
      rows.checkpoint.delete(600);
    },
    firstBad: null,
    code: "checkpoint_signature",
  },
  {
    column: "log.origin",
    change: (rows) => {
      rows.log.origin = `${origin}x`;
    },
    firstBad: 0,
    code: "entry_of_another_log",
  },
  {
    column: "log.state",
    change: (rows) => {
      rows.log.state = "frozen";
    },
    firstBad: null,
    code: "log_row_mismatch",
  },
  {
    column: "log.size, lowered",
    change: (rows) => {
      rows.log.size = 599;
    },
    firstBad: 593,
    code: "tree_changed",
  },
  {
    column: "log.size, raised",
    change: (rows) => {
      rows.log.size = 601;
    },
    firstBad: 600,
    code: "entry_missing",
  },
  {
    column: "log.size, raised beyond reason",
    change: (rows) => {
      rows.log.size = 2 ** 52;
    },
    firstBad: 600,
    code: "entry_missing",
  },
  {
    column: "log.root",
    change: (rows) => {
      rows.log.root = flip(rows.log.root);
    },
    firstBad: null,
    code: "log_row_mismatch",
  },
  {
    column: "log.range",
    change: (rows) => {
      rows.log.range = flip(rows.log.range, 33);
    },
    firstBad: null,
    code: "log_row_mismatch",
  },
];

/** A place at or after `index` whose flush had more than one entry. */
function withPath(rows: LogRows, index: number): number {
  let at = index;
  while (rawRow(rows, at).path.length === 0) at++;
  return at;
}

function archived(rows: LogRows): [number, string] {
  const [size, note] = [...rows.checkpoint][5] ?? [0, ""];
  return [size, note];
}

function renameRaw(rows: LogRows, index: number): void {
  const { entryId } = seqRow(rows, index);
  rows.raw.set(flipText(entryId), rawRow(rows, index));
  rows.raw.delete(entryId);
}

describe("a changed column is found, and the first bad entry named", () => {
  it.each(columns)("$column", async ({ change, firstBad, code }) => {
    const rows = large.copy();
    change(rows);
    const verdict = await verifyRows(rows, large.trust);
    expect(verdict.ok).toBe(false);
    expect(verdict.problems.map((problem) => problem.code)).toContain(code);
    expect(verdict.firstBad).toBe(firstBad);
  });

  it("at every place of a small log, for every column of an entry", async () => {
    for (let index = 0; index < 20; index++) {
      for (const change of [
        (rows: LogRows) => {
          rawRow(rows, index).bytes = flip(rawRow(rows, index).bytes, 9);
        },
        (rows: LogRows) => {
          rawRow(rows, index).head = flipText(rawRow(rows, index).head);
        },
        (rows: LogRows) => {
          rawRow(rows, index).position++;
        },
        (rows: LogRows) => {
          seqRow(rows, index).leafHash = flip(seqRow(rows, index).leafHash);
        },
        (rows: LogRows) => {
          renameRaw(rows, index);
        },
        (rows: LogRows) => {
          rows.seq.delete(index);
        },
      ]) {
        const rows = small.copy();
        change(rows);
        expect(await verifyRows(rows, small.trust)).toMatchObject({ ok: false, firstBad: index });
      }
    }
  });

  it("a row that left `pending` without being sequenced", async () => {
    const log = await LogBuilder.ofSize(5);
    await log.flush(testWriter("second"), 1, "record.read", { sequence: false });
    for (const id of log.rows.raw.keys()) if (![...log.rows.seq.values()].some((row) => row.entryId === id)) log.rows.pending.add(id);
    expect((await verifyRows(log.rows, log.trust)).ok).toBe(true);
    log.rows.pending.clear();
    expect(await verifyRows(log.rows, log.trust)).toMatchObject({
      ok: false,
      firstBad: null,
      problems: [{ index: null, code: "entry_not_in_tree" }],
    });
  });
});

describe("entries moved about by somebody who knows the format", () => {
  it("one taken out, the gap closed, size, root and range put right", async () => {
    for (let index = 0; index < 19; index++) {
      const rows = small.copy();
      rows.raw.delete(seqRow(rows, index).entryId);
      closeGap(rows, index);
      expect(await verifyRows(rows, small.trust)).toMatchObject({ ok: false, firstBad: index });
    }
  });

  it("two neighbours swapped, or two far apart", async () => {
    for (const [a, b] of [
      [7, 8],
      [3, 15],
      [0, 19],
    ] as const) {
      const rows = small.copy();
      const kept = seqRow(rows, a);
      rows.seq.set(a, seqRow(rows, b));
      rows.seq.set(b, kept);
      restoreLogRow(rows);
      expect(await verifyRows(rows, small.trust)).toMatchObject({ ok: false, firstBad: a });
    }
  });

  it("one duplicated", async () => {
    const rows = small.copy();
    insertAt(rows, 12, seqRow(rows, 4).entryId, seqRow(rows, 4).leafHash);
    const verdict = await verifyRows(rows, small.trust);
    expect(verdict.firstBad).toBe(12);
    expect(verdict.problems[0]?.code).toBe("entry_twice");
  });

  it("one made up, with a head under a key of its own", async () => {
    const log = await LogBuilder.ofSize(10);
    const rows = log.copy();
    const forger = await LogBuilder.create();
    await forger.flush(testWriter("forged"), 1, "record.read", { signer: await testSigner("forger") });
    const [[id, raw] = ["", rawRow(rows, 0)]] = forger.rows.raw;
    rows.raw.set(id, raw);
    insertAt(rows, 6, id, leafHash(raw.bytes));
    const verdict = await verifyRows(rows, log.trust);
    expect(verdict.firstBad).toBe(6);
    expect(verdict.problems[0]?.code).toBe("head_signature");
  });

  it("all of it signed anew with a stolen log key: the writers' chain still tells", async () => {
    const verdict = await verifyRows(await small.withoutEntry(11), small.trust);
    expect(verdict).toMatchObject({ ok: false, firstBad: 11 });
    expect(verdict.problems.map(({ code }) => code)).toEqual(["writer_gap"]);
  });

  it("one written anew with a stolen log key and a stolen writer key: the writer's next entry links to the old one", async () => {
    const rows = small.copy();
    const row = rawRow(rows, 7);
    row.bytes = utf8(fromUtf8(row.bytes).replace('"ok"', '"no"'));
    const { id } = testWriter("first");
    row.head = await signHead({ origin, writer: id, n: 7, size: 1, root: leafHash(row.bytes), t: 0, mmd: 300 }, await testSigner("writer"));
    Object.assign(row, { position: 0, path: new Uint8Array(0) });
    const verdict = await verifyRows(await small.signedAnew(rows), small.trust);
    expect(verdict.problems).toMatchObject([{ index: 8, code: "writer_chain" }]);
  });

  it("the only entry of a writer taken out: the checkpoints before and after bound the place", async () => {
    const log = await LogBuilder.create();
    const writer = testWriter("long");
    for (const flush of [3, 3]) {
      await log.flush(writer, flush);
      await log.publish();
    }
    await log.flush(testWriter("short-lived"), 1);
    await log.publish();
    await log.flush(writer, 3);
    await log.publish();
    const rows = log.copy();
    rows.raw.delete(seqRow(rows, 6).entryId);
    closeGap(rows, 6);
    const verdict = await verifyRows(rows, log.trust);
    expect(verdict.firstBad).toBe(6);
    expect(verdict.problems[0]?.code).toBe("tree_changed");
  });

  it("the tail cut off with its checkpoints: whole by itself, found by what was kept from before", async () => {
    const full = await LogBuilder.ofSize(12);
    const writer = testWriter("later");
    const [promise = ""] = await full.flush(writer, 2);
    const note = await full.publish();
    const cut = await LogBuilder.ofSize(12);
    expect((await verifyRows(cut.rows, full.trust)).ok).toBe(true);
    expect(await verifyRows(cut.rows, full.trust, { seen: [note] })).toMatchObject({
      ok: false,
      firstBad: 12,
      problems: [{ code: "seen_missing" }],
    });
    expect(await verifyRows(cut.rows, full.trust, { seen: [`Audit-Promise: ${promise}\r\n`] })).toMatchObject({
      ok: false,
      problems: [{ code: "seen_missing" }],
    });
    expect((await verifyRows(full.rows, full.trust, { seen: [note, promise] })).ok).toBe(true);
  });
});

describe("what was kept from before", () => {
  it("contradicts a second history under the same keys", async () => {
    const other = await small.withoutEntry(11);
    const kept = [...small.rows.checkpoint].find(([size]) => size > 11 && size < 19)?.[1] ?? "";
    const verdict = await verifyRows(other, small.trust, { seen: [kept] });
    expect(verdict.problems.map(({ code }) => code)).toContain("seen_differs");
  });

  it("must itself be signed, of this log, and a checkpoint or promise at all", async () => {
    const log = await LogBuilder.ofSize(4);
    const [promise = ""] = await log.flush(testWriter("x"), 2);
    const note = await log.publish();
    const foreign = await signCheckpoint(
      { origin: "another.example/log", size: 1, root: new Uint8Array(32), extensions: [] },
      await testSigner("log"),
    );
    const cases: readonly [string, string][] = [
      ["", "seen_malformed"],
      ["hello", "seen_malformed"],
      [flipText(note, note.length - 20), "seen_signature"],
      [foreign, "seen_of_another_log"],
      [promise.replace(/jws="[^"]{40}/, 'jws="AAAA'), "seen_signature"],
      [promise.replace("i=0", "i=1"), "seen_differs"],
    ];
    for (const [seen, code] of cases)
      expect((await verifyRows(log.rows, log.trust, { seen: [seen] })).problems.map((problem) => problem.code)).toEqual([code]);
  });
});

describe("a log's end", () => {
  it("is frozen by purge.verified, and by nothing else", async () => {
    const ended = await LogBuilder.ofSize(9, "purge.verified");
    expect((await verifyRows(ended.rows, ended.trust)).problems).toMatchObject([{ code: "log_row_mismatch" }]);
    ended.rows.log.state = "frozen";
    expect((await verifyRows(ended.rows, ended.trust)).ok).toBe(true);
    await ended.flush(testWriter("late"), 1);
    await ended.publish();
    const verdict = await verifyRows(ended.rows, ended.trust);
    expect(verdict.firstBad).toBe(9);
    expect(verdict.problems.map(({ code }) => code)).toContain("entry_after_freeze");
  });
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
    const row = rawRow(rows, 2);
    const text = fromUtf8(row.bytes);
    expect(change(text)).not.toBe(text);
    row.bytes = utf8(change(text));
    seqRow(rows, 2).leafHash = leafHash(row.bytes);
    restoreLogRow(rows);
    const verdict = await verifyRows(rows, log.trust);
    expect(verdict.firstBad).toBe(2);
    expect(verdict.problems.map(({ code }) => code)).toContain("entry_malformed");
  });

  it("no problem quotes an entry", async () => {
    const rows = small.copy();
    const row = rawRow(rows, 5);
    row.bytes = utf8(canonicalJson({ ...JSON.parse(fromUtf8(row.bytes)), canary: "CANARY-7f3a9c" }));
    row.head = "CANARY-7f3a9c";
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

describe("the trust file", () => {
  it("reads back what it wrote", () => {
    expect(parseTrust(formatTrust(small.trust))).toEqual({ ok: true, value: small.trust });
  });

  it("is refused in one line that names the place", () => {
    const file = JSON.parse(formatTrust(small.trust));
    const refusal = (text: string) => {
      const parsed = parseTrust(text);
      return parsed.ok ? null : parsed.refusal;
    };
    expect(refusal("{")).toMatch(/^trust file: /);
    expect(refusal(JSON.stringify({ ...file, extra: 1 }))).toBe("trust file: has a key that is not known here");
    expect(refusal(JSON.stringify({ ...file, log: `${file.log}x` }))).toBe("trust file: log is not a verifier key");
    expect(refusal(JSON.stringify({ ...file, gateway: 1 }))).toBe("trust file: gateway is missing or wrong (invalid_type)");
    expect(refusal(JSON.stringify({ ...file, writers: [{ ...file.writers[0], kid: "x" }] }))).toMatch(/^trust file: writers\[0\] /);
    expect(refusal(JSON.stringify({ ...file, policy: `log ${file.log}\nwitness w ${file.log}\nquorum w\n` }))).toMatch(/policy/);
  });
});

describe("the tree's root", () => {
  it("of the export is the one that the verdict names", async () => {
    const leaves = Array.from({ length: 20 }, (_, i) => seqRow(small.rows, i).leafHash);
    const verdict = await verifyRows(small.rows, small.trust);
    expect(Buffer.from(verdict.root, "base64")).toEqual(Buffer.from(rootAt(hashTree(leaves))));
  });
});
