import { beforeAll, describe, expect, it } from "vitest";
import { signHead } from "../src/audit/head.ts";
import { leafHash } from "../src/audit/tree.ts";
import { fromUtf8, utf8 } from "../src/crypto/index.ts";
import { LogBuilder, origin, testSigner, testWriter, verifyRows } from "./support/log-builder.ts";
import { closeGap, insertAt, rawRow, restoreLogRow, seqRow } from "./support/tampering.ts";

let small: LogBuilder;
beforeAll(async () => {
  small = await LogBuilder.ofSize(20);
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
