import { beforeAll, describe, expect, it } from "vitest";
import { columns, editHashes, renameFlush } from "./support/column-changes.ts";
import { LogBuilder, type LogRows, testWriter, verifyRows } from "./support/log-builder.ts";
import { editBundle, entryAt, flip, flipText, flushAt } from "./support/tampering.ts";

let small: LogBuilder;
let large: LogBuilder;
beforeAll(async () => {
  small = await LogBuilder.ofSize(20);
  large = await LogBuilder.ofSize(600);
});

describe("a changed column is found, and the first bad entry named", () => {
  it.each(columns)("$column", async ({ change, firstBad, code }) => {
    const rows = large.copy();
    change(rows);
    const verdict = await verifyRows(rows, large.trust);
    expect(verdict.ok).toBe(false);
    expect(verdict.problems.map((problem) => problem.code)).toContain(code);
    expect(verdict.firstBad).toBe(firstBad);
  });

  it("at every place of a small log, for every column of a flush", async () => {
    for (let index = 0; index < 20; index++) {
      const first = flushAt(small.rows, index).start;
      const changes: readonly [firstBad: number, (rows: LogRows) => void][] = [
        [index, (rows) => editBundle(rows, index, (entries, at) => entries.with(at, flip(entryAt(rows, index), 9)))],
        [index, (rows) => editBundle(rows, index, (entries, at) => entries.toSpliced(at, 1))],
        [index, (rows) => editHashes(rows, (hashes) => flip(hashes, 32 * (index - first)), index)],
        [first, (rows) => Object.assign(flushAt(rows, index).row, { head: flipText(flushAt(rows, index).row.head) })],
        [first, (rows) => renameFlush(rows, index)],
        [first, (rows) => rows.seq.delete(first)],
      ];
      for (const [firstBad, change] of changes) {
        const rows = small.copy();
        change(rows);
        expect(await verifyRows(rows, small.trust)).toMatchObject({ ok: false, firstBad });
      }
    }
  });

  it("a row that left `pending` without being sequenced", async () => {
    const log = await LogBuilder.ofSize(5);
    await log.flush(testWriter("second"), 1, "record.read", { sequence: false });
    for (const id of log.rows.flush.keys()) if (![...log.rows.seq.values()].some((row) => row.flushId === id)) log.rows.pending.add(id);
    expect((await verifyRows(log.rows, log.trust)).ok).toBe(true);
    log.rows.pending.clear();
    expect(await verifyRows(log.rows, log.trust)).toMatchObject({
      ok: false,
      firstBad: null,
      problems: [{ index: null, code: "entry_not_in_tree" }],
    });
  });
});
