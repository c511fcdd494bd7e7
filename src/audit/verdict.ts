/**
 * What verifying an export comes to: a list of problems, each with its place, a stable code and one line. Never a value out of an entry.
 */

export const problemCodes = [
  "archive_unreadable",
  "member_missing",
  "member_unexpected",
  "member_malformed",
  "log_not_trusted",
  "epoch_not_trusted",
  "checkpoint_signature",
  "checkpoint_mismatch",
  "quorum_missing",
  "log_row_mismatch",
  "log_halted",
  "tile_mismatch",
  "tree_changed",
  "pruned_edge",
  "pruned_unproven",
  "archived_checkpoint",
  "entry_missing",
  "entry_changed",
  "entry_malformed",
  "entry_of_another_log",
  "entry_id_mismatch",
  "entry_twice",
  "entry_time",
  "entry_not_in_tree",
  "entry_after_freeze",
  "epoch_order",
  "writer_gap",
  "writer_order",
  "writer_chain",
  "writer_retired",
  "flush_places",
  "head_missing",
  "head_signature",
  "head_mismatch",
  "root_other",
  "root_differs",
  "root_cut",
  "root_back",
  "root_dropped",
  "root_silent",
  "seen_malformed",
  "seen_signature",
  "seen_of_another_log",
  "seen_missing",
  "seen_lost",
  "seen_differs",
] as const;
export type ProblemCode = (typeof problemCodes)[number];

export interface Problem {
  /** The entry's place in the log; null where it is not about one entry. */
  readonly index: number | null;
  readonly code: ProblemCode;
  readonly reason: string;
}

/** Plain data: `JSON.stringify` prints it as it is. */
export interface Verdict {
  readonly ok: boolean;
  /** `not pinned`: checked only against the keys that the export itself names. */
  readonly keys: "pinned" | "not pinned";
  readonly origin: string;
  readonly size: number;
  /** Recomputed from the entries, base64. */
  readonly root: string;
  /** Entries before this place were deleted at the end of their retention, as an entry in the log says; 0 = none were. */
  readonly prunedBefore: number;
  /** How much of what was kept from before is about what was pruned: this export can neither confirm nor deny it. */
  readonly seenPruned: number;
  /** What was there to check: places of the tree, lines of heads, archived checkpoints. */
  readonly entries: number;
  readonly flushes: number;
  readonly checkpoints: number;
  /** Entries that the export holds by their hashes alone: another contract's, in an extract of the gateway log. */
  readonly withheld: number;
  /** What the log itself declares lost: places `from` ≤ place < `to` of the epoch before `epoch`. */
  readonly lost: readonly { readonly epoch: number; readonly from: number; readonly to: number }[];
  /** Those of entries first, by place: the lowest 180; then up to 20 of the log as a whole. */
  readonly problems: readonly Problem[];
  /** How many there are in all. */
  readonly problemsFound: number;
  /** The lowest place that a problem names. */
  readonly firstBad: number | null;
}

export const problemsMax = 200;

/** Collects problems while the checks run: it counts all, and keeps those that a verdict shows. */
export interface Findings {
  add(index: number | null, code: ProblemCode, reason: string): void;
  /** Whether a problem was found in places [start, end); also where there are too many to tell. */
  within(start: number, end: number): boolean;
  /** Those of entries first, by place. */
  kept(): readonly Problem[];
  count(): number;
}

/** Of the log as a whole so many are kept beside however many bad entries. */
const logProblemsMax = 20;

export function createFindings(): Findings {
  const ofEntries: (Problem & { readonly index: number })[] = [];
  const ofLog: Problem[] = [];
  const entriesMax = problemsMax - logProblemsMax;
  let count = 0;
  let hidden = Number.POSITIVE_INFINITY; // the lowest place of a problem that is not kept
  return {
    add(index, code, reason) {
      count++;
      if (index === null) {
        if (ofLog.length < logProblemsMax) ofLog.push({ index, code, reason });
        return;
      }
      const at = ofEntries.findLastIndex((problem) => problem.index <= index) + 1;
      ofEntries.splice(at, 0, { index, code, reason });
      if (ofEntries.length > entriesMax) hidden = Math.min(hidden, ofEntries.pop()?.index ?? hidden);
    },
    within: (start, end) => hidden < end || ofEntries.some(({ index }) => index >= start && index < end),
    kept: () => [...ofEntries, ...ofLog],
    count: () => count,
  };
}
