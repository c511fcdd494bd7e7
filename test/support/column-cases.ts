/** One change to every stored column of a log in the database, as SQL, and what the verifier must say of it. */

/** A flush of three or more in the middle of the log; what follows is about its second entry, or about the flush. */
export const flushSizeMin = 3;
export const flushFrom = 100;
const at = `log = 'c-test' and index = (select min(index) from audit.seq where log = 'c-test' and index >= ${flushFrom} and octet_length(leaf_hashes) >= 32 * ${flushSizeMin})`;
const flushRow = `log = 'c-test' and flush_id = (select flush_id from audit.seq where ${at})`;
export const older = "log = 'c-test' and size = (select min(size) from audit.checkpoint where log = 'c-test')";
const newest = "log = 'c-test' and size = (select max(size) from audit.checkpoint where log = 'c-test')";
export const flipped = (column: string, byte: number | string) => `set_byte(${column}, ${byte}, get_byte(${column}, ${byte}) # 1)`;
/** Byte 40 of a flush's second entry. */
const inSecond = "(256 * get_byte(entries, 0) + get_byte(entries, 1) + 44)";
const firstSubtree = "log = 'c-test' and index = 0";
const waiting = "log = 'c-test'";

interface Known {
  /** The flush's first place, and the one behind its last. */
  readonly start: number;
  readonly end: number;
  /** Of the log. */
  readonly size: number;
}

interface ColumnCase {
  readonly column: string;
  /** How the column is changed, and where. */
  readonly set: string;
  readonly where: string;
  readonly code: string;
  /** `null` = no single entry is bad. */
  readonly firstBad: null | 0 | ((known: Known) => number);
}

const first = ({ start }: Known) => start;
const second = ({ start }: Known) => start + 1;
const last = ({ end }: Known) => end - 1;
const behind = ({ end }: Known) => end;
const behindAll = ({ size }: Known) => size;

export const columnCases: readonly ColumnCase[] = [
  { column: "log.log", set: "'elsewhere'", where: "log = 'c-test'", code: "checkpoint_signature", firstBad: null },
  { column: "log.origin", set: "origin || 'x'", where: "log = 'c-test'", code: "entry_of_another_log", firstBad: 0 },
  { column: "log.state", set: "'frozen'", where: "log = 'c-test'", code: "log_row_mismatch", firstBad: null },
  { column: "log.size", set: "size + 1", where: "log = 'c-test'", code: "log_halted", firstBad: behindAll },
  { column: "log.size", set: "size - 1", where: "log = 'c-test'", code: "log_halted", firstBad: null },
  { column: "log.size", set: "4503599627370496", where: "log = 'c-test'", code: "log_halted", firstBad: behindAll },
  { column: "log.size", set: "-7", where: "log = 'c-test'", code: "member_malformed", firstBad: null },
  { column: "log.size", set: "0", where: "log = 'c-test'", code: "log_halted", firstBad: null },
  { column: "log.root", set: flipped("root", 3), where: "log = 'c-test'", code: "log_row_mismatch", firstBad: null },
  { column: "log.range", set: flipped("range", 33), where: "log = 'c-test'", code: "log_row_mismatch", firstBad: null },
  { column: "flush.log", set: "'elsewhere'", where: flushRow, code: "entry_missing", firstBad: first },
  { column: "flush.flush_id", set: "'x' || flush_id", where: flushRow, code: "entry_missing", firstBad: first },
  { column: "flush.entries", set: flipped("entries", inSecond), where: flushRow, code: "entry_changed", firstBad: second },
  { column: "flush.entries", set: flipped("entries", 1), where: flushRow, code: "entry_changed", firstBad: first },
  { column: "flush.entries", set: "entries || '\\x0000'", where: flushRow, code: "flush_places", firstBad: behind },
  { column: "flush.entries", set: "''", where: flushRow, code: "entry_missing", firstBad: first },
  {
    column: "flush.head",
    set: "(select head from audit.flush where log = 'gateway' limit 1)",
    where: flushRow,
    code: "head_mismatch",
    firstBad: first,
  },
  { column: "flush.head", set: "head || 'A'", where: flushRow, code: "head_signature", firstBad: first },
  { column: "pending.log", set: "'elsewhere'", where: waiting, code: "entry_not_in_tree", firstBad: null },
  { column: "pending.flush_id", set: "'x' || flush_id", where: waiting, code: "entry_not_in_tree", firstBad: null },
  { column: "seq.log", set: "'elsewhere'", where: at, code: "entry_missing", firstBad: first },
  { column: "seq.index", set: "9000", where: at, code: "entry_missing", firstBad: first },
  { column: "seq.index", set: "index + 1", where: at, code: "flush_places", firstBad: first },
  { column: "seq.flush_id", set: "'x' || flush_id", where: at, code: "entry_missing", firstBad: first },
  { column: "seq.leaf_hashes", set: flipped("leaf_hashes", 32), where: at, code: "entry_changed", firstBad: second },
  { column: "seq.leaf_hashes", set: "substring(leaf_hashes from 2)", where: at, code: "entry_changed", firstBad: first },
  {
    column: "seq.leaf_hashes",
    set: "substring(leaf_hashes for octet_length(leaf_hashes) - 1)",
    where: at,
    code: "entry_changed",
    firstBad: last,
  },
  { column: "seq.leaf_hashes", set: "leaf_hashes || '\\x00'", where: at, code: "flush_places", firstBad: behind },
  { column: "subtree.log", set: "'elsewhere'", where: firstSubtree, code: "tile_mismatch", firstBad: null },
  { column: "subtree.index", set: "index + 1000", where: firstSubtree, code: "tile_mismatch", firstBad: null },
  { column: "subtree.root", set: flipped("root", 0), where: firstSubtree, code: "tile_mismatch", firstBad: null },
  { column: "checkpoint.log", set: "'elsewhere'", where: newest, code: "log_halted", firstBad: null },
  { column: "checkpoint.size", set: "size + 1", where: older, code: "archived_checkpoint", firstBad: null },
  { column: "checkpoint.size", set: "size + 1", where: newest, code: "log_halted", firstBad: null },
  { column: "checkpoint.note", set: "replace(note, '— ', '— x')", where: older, code: "archived_checkpoint", firstBad: null },
  { column: "checkpoint.note", set: "replace(note, '— ', '— x')", where: newest, code: "checkpoint_signature", firstBad: null },
];
