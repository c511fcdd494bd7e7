import { beforeAll, describe, expect, it } from "vitest";
import { signHead } from "../src/audit/head.ts";
import { hashTree, leafHash, rootAt } from "../src/audit/tree.ts";
import { fromUtf8, utf8 } from "../src/crypto/index.ts";
import { LogBuilder, origin, testSigner, testWriter, verifyRows } from "./support/log-builder.ts";
import { editFlush, entriesIn, entryAt, flushAt, putIn, putInFlush, takeOut, takeOutFlush } from "./support/tampering.ts";

let small: LogBuilder;
beforeAll(async () => {
  small = await LogBuilder.ofSize(20);
});

/** Still well-formed: another outcome, or what is asked for. */
function edited(entry: Uint8Array | undefined, pattern: RegExp | string = '"ok"', text = '"no"'): Uint8Array {
  const before = fromUtf8(entry ?? new Uint8Array(0));
  expect(before).toMatch(pattern);
  return utf8(before.replace(pattern, text));
}

describe("entries moved about by somebody who knows the format", () => {
  it("one taken out, of its flush and the tree", async () => {
    for (let index = 0; index < 19; index++) {
      const rows = small.copy();
      takeOut(rows, index);
      expect(await verifyRows(rows, small.trust)).toMatchObject({ ok: false, firstBad: index });
    }
  });

  it("a whole flush taken out, or put in a second time", async () => {
    for (const start of [...small.rows.seq.keys()].filter((first) => first < 16)) {
      const without = small.copy();
      takeOutFlush(without, start);
      expect(await verifyRows(without, small.trust)).toMatchObject({ ok: false, firstBad: start });
      const twice = small.copy();
      putInFlush(twice, 16, flushAt(twice, start).row);
      const verdict = await verifyRows(twice, small.trust);
      expect(verdict.firstBad).toBe(16);
      expect(verdict.problems[0]?.code).toBe("entry_twice");
    }
  });

  it("two swapped in one flush, neighbours or not", async () => {
    for (const [a, b] of [
      [7, 8],
      [6, 9],
      [8, 9],
      [1, 2],
    ] as const) {
      const rows = small.copy();
      const [first, second] = [entryAt(rows, a), entryAt(rows, b)];
      editFlush(rows, a, (entries, at) => entries.with(at, second).with(at + b - a, first));
      expect(await verifyRows(rows, small.trust)).toMatchObject({ ok: false, firstBad: a });
    }
  });

  it("two swapped between flushes, neighbours or far apart", async () => {
    for (const [a, b] of [
      [5, 6],
      [3, 15],
      [0, 19],
    ] as const) {
      const rows = small.copy();
      const [first, second] = [entryAt(rows, a), entryAt(rows, b)];
      editFlush(rows, a, (entries, at) => entries.with(at, second));
      editFlush(rows, b, (entries, at) => entries.with(at, first));
      expect(await verifyRows(rows, small.trust)).toMatchObject({ ok: false, firstBad: a });
    }
  });

  it("one duplicated, into another flush or its own", async () => {
    for (const [model, index] of [
      [4, 12],
      [4, 5],
      [12, 13],
    ] as const) {
      const rows = small.copy();
      putIn(rows, index, entryAt(rows, model));
      const verdict = await verifyRows(rows, small.trust);
      expect(verdict.firstBad).toBe(index);
      expect(verdict.problems[0]?.code).toBe("entry_twice");
    }
  });

  it("one made up, with a head under a key of its own or in the middle of a flush", async () => {
    const log = await LogBuilder.ofSize(10);
    const forger = await LogBuilder.create();
    await forger.flush(testWriter("forged"), 1, "record.read", { signer: await testSigner("forger") });
    const forged = flushAt(forger.rows, 0).row;
    const rows = log.copy();
    putInFlush(rows, 6, forged);
    const verdict = await verifyRows(rows, log.trust);
    expect(verdict.firstBad).toBe(6);
    expect(verdict.problems[0]?.code).toBe("head_signature");
    for (let index = 0; index <= 10; index++) {
      const inside = log.copy();
      putIn(inside, index, entryAt(forger.rows, 0));
      expect(await verifyRows(inside, log.trust)).toMatchObject({ ok: false, firstBad: index });
    }
  });

  it("one changed, its leaf hash and the tree put right: the writer's next entry proves which", async () => {
    for (let index = 0; index < 20; index++) {
      const rows = small.copy();
      editFlush(rows, index, (entries, at) => entries.with(at, edited(entries[at])));
      const { problems, firstBad } = await verifyRows(rows, small.trust);
      expect(firstBad).toBe(index);
      expect(problems).toContainEqual(expect.objectContaining({ index, code: "head_mismatch" }));
      expect(problems.filter((problem) => problem.code === "head_mismatch").map((problem) => problem.index)).toEqual([index]);
    }
  });

  it("two of a flush changed so: both are named", async () => {
    const rows = small.copy();
    editFlush(rows, 6, (entries) => entries.map((entry, i) => (i === 1 || i === 3 ? edited(entry) : entry)));
    const { problems } = await verifyRows(rows, small.trust);
    expect(problems.filter(({ code }) => code === "head_mismatch").map(({ index }) => index)).toEqual([7, 9]);
  });

  it("one changed in what it says of the one before it: it is named, not the other", async () => {
    for (let index = 1; index < 20; index++) {
      const rows = small.copy();
      editFlush(rows, index, (entries, at) => entries.with(at, edited(entries[at], /"prev":"./, '"prev":"/')));
      expect(await verifyRows(rows, small.trust)).toMatchObject({ ok: false, firstBad: index });
    }
  });

  it("a flush under a head that its writer signed with another count, for another writer or another log", async () => {
    const { row } = flushAt(small.rows, 6);
    const leaves = entriesIn(flushAt(small.rows, 6)).map(leafHash);
    const head = { origin, writer: testWriter("first").id, n: 6, size: 4, root: rootAt(hashTree(leaves)), t: 0, mmd: 300 };
    for (const [change, ok] of [
      [{}, true],
      [{ n: 5 }, false],
      [{ writer: testWriter("second").id }, false],
      [{ origin: `${origin}x` }, false],
    ] as const) {
      const rows = small.copy();
      rows.flush.set(flushAt(rows, 6).seq.flushId, { ...row, head: await signHead({ ...head, ...change }, await testSigner("writer")) });
      const verdict = await verifyRows(rows, small.trust);
      expect([verdict.ok, verdict.firstBad, verdict.problems[0]?.code]).toEqual(ok ? [true, null, undefined] : [false, 6, "head_mismatch"]);
    }
  });

  it("all of it signed anew with a stolen log key: the writers still tell", async () => {
    const rows = small.copy();
    takeOut(rows, 11);
    const verdict = await verifyRows(await small.signedAnew(rows), small.trust);
    expect(verdict).toMatchObject({ ok: false, firstBad: 11 });
    expect(new Set(verdict.problems.map(({ code }) => code))).toEqual(new Set(["writer_gap", "head_mismatch"]));
    const gone = small.copy();
    takeOutFlush(gone, 11);
    expect((await verifyRows(await small.signedAnew(gone), small.trust)).problems).toMatchObject([{ index: 11, code: "writer_gap" }]);
  });

  it("one written anew with a stolen log key and a stolen writer key: the writer's next entry links to the old one", async () => {
    const rows = small.copy();
    editFlush(rows, 9, (entries, at) => entries.with(at, edited(entries[at])));
    const { row } = flushAt(rows, 9);
    const root = rootAt(hashTree(entriesIn(flushAt(rows, 9)).map(leafHash)));
    const { id } = testWriter("first");
    row.head = await signHead({ origin, writer: id, n: 6, size: 4, root, t: 0, mmd: 300 }, await testSigner("writer"));
    const verdict = await verifyRows(await small.signedAnew(rows), small.trust);
    expect(verdict.problems).toMatchObject([{ index: 10, code: "writer_chain" }]);
  });

  it("a writer forked: two carry on from its last entry, both signed by its key", async () => {
    const log = await LogBuilder.create();
    const writer = testWriter("first");
    await log.flush(writer, 3);
    const twin = { ...writer };
    await log.flush(writer, 2);
    await log.flush(twin, 2);
    await log.flush(writer, 1);
    await log.publish();
    const verdict = await verifyRows(log.rows, log.trust);
    expect(verdict.firstBad).toBe(5);
    expect(verdict.problems).toMatchObject([
      { index: 5, code: "writer_order" },
      { index: 7, code: "writer_chain" },
    ]);
  });

  it("more of them than a verdict shows, and than can wait for their writer's word: all counted, the first named", async () => {
    const log = await LogBuilder.create();
    const writer = testWriter("first");
    for (let flush = 0; flush < 300; flush++) await log.flush(writer, 2);
    await log.publish();
    for (let flush = 20; flush < 300; flush++) editFlush(log.rows, 2 * flush, (entries) => entries.map((entry) => edited(entry)));
    const verdict = await verifyRows(log.rows, log.trust);
    expect(verdict).toMatchObject({ ok: false, firstBad: 40 });
    expect(verdict.problems.filter(({ index }) => index !== null)).toHaveLength(180);
    expect(verdict.problemsFound).toBeGreaterThan(560);
    const places = verdict.problems.map(({ index }) => index ?? Number.POSITIVE_INFINITY);
    expect(places).toEqual(places.toSorted((a, b) => a - b));
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
    takeOutFlush(rows, 6);
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
