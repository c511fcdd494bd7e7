/** One change to every stored column of a log in memory, the damage that a column can take among them, and what the verifier must say of it. */
import { concat } from "../../src/crypto/index.ts";
import { type LogRows, origin } from "./log-builder.ts";
import { editBundle, entryAt, flip, flipText, flushAt } from "./tampering.ts";

/** A place in a flush of four, its second; and the place of the first. */
const place = 307;
const start = 306;

/** One change to a stored column of the large log each; `firstBad` null: the column is about no single entry. */
export const columns: readonly { column: string; change: (rows: LogRows) => unknown; firstBad: number | null; code: string }[] = [
  {
    column: "flush.entries, one byte",
    change: (rows) => editBundle(rows, place, (entries, at) => entries.with(at, flip(entryAt(rows, place), 40))),
    firstBad: place,
    code: "entry_changed",
  },
  {
    column: "flush.entries, cut to nothing",
    change: (rows) => {
      flushAt(rows, place).row.entries = new Uint8Array(0);
    },
    firstBad: start,
    code: "entry_missing",
  },
  {
    column: "flush.entries, a byte behind the last",
    change: (rows) => {
      flushAt(rows, place).row.entries = concat(flushAt(rows, place).row.entries, new Uint8Array(1));
    },
    firstBad: start,
    code: "entry_changed",
  },
  {
    column: "flush.entries, an entry taken out",
    change: (rows) => editBundle(rows, place, (entries, at) => entries.toSpliced(at, 1)),
    firstBad: place,
    code: "flush_places",
  },
  {
    column: "flush.entries, the last entry taken out",
    change: (rows) => editBundle(rows, place, (entries) => entries.slice(0, -1)),
    firstBad: start + 3,
    code: "entry_missing",
  },
  {
    column: "flush.entries, an entry put in",
    change: (rows) => editBundle(rows, place, (entries, at) => entries.toSpliced(at, 0, entryAt(rows, 20))),
    firstBad: place,
    code: "flush_places",
  },
  {
    column: "flush.entries, an entry put in behind the last",
    change: (rows) => editBundle(rows, place, (entries) => [...entries, entryAt(rows, 20)]),
    firstBad: start + 4,
    code: "flush_places",
  },
  {
    column: "flush.entries, two swapped",
    change: (rows) => editBundle(rows, place, ([a, b, c, d]) => [a, c, b, d].flatMap((entry) => entry ?? [])),
    firstBad: place,
    code: "entry_changed",
  },
  {
    column: "flush.head",
    change: (rows) => {
      flushAt(rows, place).row.head = flipText(flushAt(rows, place).row.head);
    },
    firstBad: start,
    code: "head_signature",
  },
  {
    column: "flush.head, another flush's of as many entries",
    change: (rows) => {
      flushAt(rows, place).row.head = flushAt(rows, 106).row.head;
    },
    firstBad: start,
    code: "head_mismatch",
  },
  {
    column: "flush.flush_id",
    change: (rows) => renameFlush(rows, place),
    firstBad: start,
    code: "entry_missing",
  },
  {
    column: "flush.flush_id and seq.flush_id",
    change: (rows) => {
      renameFlush(rows, place);
      const seq = rows.seq.get(start) ?? { flushId: "" };
      seq.flushId = flipText(seq.flushId);
    },
    firstBad: start,
    code: "entry_id_mismatch",
  },
  {
    column: "flush.log",
    change: (rows) => rows.flush.delete(flushAt(rows, place).seq.flushId),
    firstBad: start,
    code: "entry_missing",
  },
  {
    column: "seq.flush_id",
    change: (rows) => {
      const { seq } = flushAt(rows, place);
      seq.flushId = flipText(seq.flushId);
    },
    firstBad: start,
    code: "entry_missing",
  },
  {
    column: "seq.leaf_hashes",
    change: (rows) => editHashes(rows, (hashes) => flip(hashes, 32)),
    firstBad: place,
    code: "entry_changed",
  },
  {
    column: "seq.leaf_hashes, one byte shorter",
    change: (rows) => editHashes(rows, (hashes) => hashes.slice(0, -1)),
    firstBad: start + 3,
    code: "entry_changed",
  },
  {
    column: "seq.leaf_hashes, one byte longer",
    change: (rows) => editHashes(rows, (hashes) => concat(hashes, new Uint8Array(1))),
    firstBad: start + 4,
    code: "flush_places",
  },
  {
    column: "seq.leaf_hashes, one hash shorter",
    change: (rows) => editHashes(rows, (hashes) => hashes.slice(0, -32)),
    firstBad: start + 3,
    code: "flush_places",
  },
  {
    column: "seq.leaf_hashes, one hash longer",
    change: (rows) => editHashes(rows, (hashes) => concat(hashes, new Uint8Array(32))),
    firstBad: start + 4,
    code: "flush_places",
  },
  {
    column: "seq.leaf_hashes, cut to nothing",
    change: (rows) => editHashes(rows, () => new Uint8Array(0)),
    firstBad: start,
    code: "entry_missing",
  },
  {
    column: "seq.leaf_hashes, longer than the log",
    change: (rows) => editHashes(rows, (hashes) => concat(hashes, new Uint8Array(32_000))),
    firstBad: start + 4,
    code: "flush_places",
  },
  {
    column: "seq.index, far away",
    change: (rows) => moveFlush(rows, 9_000),
    firstBad: start,
    code: "entry_missing",
  },
  {
    column: "seq.index, into the flush after it",
    change: (rows) => moveFlush(rows, start + 2),
    firstBad: start,
    code: "entry_missing",
  },
  {
    column: "seq.index, into the flush before it",
    change: (rows) => moveFlush(rows, start - 2),
    firstBad: start - 2,
    code: "flush_places",
  },
  {
    column: "seq.index, below the first",
    change: (rows) => moveFlush(rows, -2),
    firstBad: start,
    code: "entry_missing",
  },
  {
    column: "seq.log",
    change: (rows) => rows.seq.delete(start),
    firstBad: start,
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
    change: ({ log }) => Object.assign(log, { state: "frozen" }),
    firstBad: null,
    code: "log_row_mismatch",
  },
  {
    column: "log.size, lowered",
    change: (rows) => {
      rows.log.size = 599;
    },
    firstBad: 599,
    code: "flush_places",
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
    change: ({ log }) => Object.assign(log, { root: flip(log.root) }),
    firstBad: null,
    code: "log_row_mismatch",
  },
  {
    column: "log.range",
    change: ({ log }) => Object.assign(log, { range: flip(log.range, 33) }),
    firstBad: null,
    code: "log_row_mismatch",
  },
];

function archived(rows: LogRows): [number, string] {
  const [size, note] = [...rows.checkpoint][5] ?? [0, ""];
  return [size, note];
}

export function renameFlush(rows: LogRows, index: number): void {
  const { seq, row } = flushAt(rows, index);
  rows.flush.set(flipText(seq.flushId), row);
  rows.flush.delete(seq.flushId);
}

export function editHashes(rows: LogRows, change: (hashes: Uint8Array) => Uint8Array, index = place): void {
  const { seq } = flushAt(rows, index);
  seq.leafHashes = change(seq.leafHashes);
}

function moveFlush(rows: LogRows, to: number): void {
  rows.seq.set(to, flushAt(rows, start).seq);
  rows.seq.delete(start);
}
