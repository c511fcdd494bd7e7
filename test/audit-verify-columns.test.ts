import { beforeAll, describe, expect, it } from "vitest";
import { concat } from "../src/crypto/index.ts";
import { LogBuilder, type LogRows, origin, testWriter, verifyRows } from "./support/log-builder.ts";
import { flip, flipText, rawRow, seqRow } from "./support/tampering.ts";

let small: LogBuilder;
let large: LogBuilder;
beforeAll(async () => {
  small = await LogBuilder.ofSize(20);
  large = await LogBuilder.ofSize(600);
});

/** One change to a stored column of the large log each; `firstBad` null: the column is about no single entry. */
const columns: readonly { column: string; change: (rows: LogRows) => unknown; firstBad: number | null; code: string }[] = [
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
    change: (rows) => renameRaw(rows, 300),
    firstBad: 300,
    code: "entry_missing",
  },
  {
    column: "raw.log",
    change: (rows) => rows.raw.delete(seqRow(rows, 300).entryId),
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
    change: (rows) => rows.seq.delete(300),
    firstBad: 300,
    code: "entry_missing",
  },
  {
    column: "subtree.root",
    change: (rows) => rows.subtree.set(1, flip(rows.subtree.get(1) ?? new Uint8Array(0))),
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
    change: (rows) => rows.checkpoint.set(600, flipText(rows.checkpoint.get(600) ?? "", 60)),
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
    change: (rows) => rows.checkpoint.delete(600),
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
