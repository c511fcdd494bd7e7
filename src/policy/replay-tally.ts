/** Many recorded decisions taken again, counted: how often a class left at a treatment, then and under the new bundle. */
import type { DataClass, Treatment } from "../masking/index.ts";
import type { Bundle } from "./bundle.ts";
import { type Replayed, replay } from "./replay.ts";
import type { Recorded } from "./replay-answers.ts";

export interface ReplayCount {
  readonly role: string;
  /** `null` = neither bundle at hand knows the field. */
  readonly class: DataClass | null;
  /** `open`: it depends on a condition that the log cannot answer. */
  readonly treatment: Treatment | "open";
  /** Answers × fields. */
  before: number;
  after: number;
  /** So many more at most: of fields that were withheld, where nobody knows whether there was a value. */
  perhaps: number;
}

export interface ReplayResult {
  /** By role, class and treatment. */
  readonly counts: readonly ReplayCount[];
  /** Answers that were decided again. */
  readonly replayed: number;
  /** Of these: answers from which nothing would leave any more, by reason. */
  readonly refused: Readonly<Record<string, number>>;
  /** Answers that the log does not suffice for, by reason. */
  readonly open: Readonly<Record<string, number>>;
  /** Entries that were no answers, by reason. */
  readonly skipped: Readonly<Record<string, number>>;
  /** Digests that decided and whose bundles were not at hand, with how many answers each. */
  readonly missing: Readonly<Record<string, number>>;
}

export interface Replay {
  add(recorded: Recorded, digest: string): void;
  skip(reason: string, count?: number): void;
  result(): ReplayResult;
}

/** `standing`: bundles by digest. */
export function createReplay(after: Bundle, standing: ReadonlyMap<string, Bundle>): Replay {
  const counts = new Map<string, ReplayCount>();
  const tallies = { refused: new Map(), open: new Map(), skipped: new Map(), missing: new Map() } satisfies Record<string, Tally>;
  let replayed = 0;
  const countOf = (role: string, name: DataClass | null, treatment: ReplayCount["treatment"]): ReplayCount => {
    const key = JSON.stringify([role, name, treatment]);
    const known = counts.get(key) ?? { role, class: name, treatment, before: 0, after: 0, perhaps: 0 };
    counts.set(key, known);
    return known;
  };
  return {
    add(recorded, digest) {
      const before = standing.get(digest) ?? null;
      if (before === null) increase(tallies.missing, digest);
      const outcome = replay(recorded, { before, after });
      if (outcome.kind === "open") increase(tallies.open, outcome.code);
      else replayed++;
      if (outcome.kind === "refused") increase(tallies.refused, outcome.code);
      for (const { was, is, isThere } of fieldsOf(recorded, outcome, before ?? after)) {
        if (isThere) countOf(recorded.role, was.class, was.treatment).before++;
        countOf(recorded.role, is.class, is.treatment)[isThere ? "after" : "perhaps"]++;
      }
    },
    skip: (reason, count = 1) => increase(tallies.skipped, reason, count),
    result: () => ({ counts: [...counts.values()].sort(inOrder), replayed, ...asRecords(tallies) }),
  };
}

/** Of an answer that would not come any more, or that nothing is known of, each field that left. */
function fieldsOf({ type, fields }: Recorded, outcome: Replayed, bundle: Bundle): Extract<Replayed, { kind: "decided" }>["fields"] {
  if (outcome.kind === "decided") return outcome.fields;
  const known = Object.hasOwn(bundle.resources, type) ? bundle.resources[type]?.fields : undefined;
  return Object.entries(fields).map(([path, treatment]) => {
    const name = known && Object.hasOwn(known, path) ? (known[path]?.class ?? null) : null;
    const is = outcome.kind === "open" ? "open" : "withhold";
    return { path, was: { class: name, treatment }, is: { class: name, treatment: is }, isThere: true };
  });
}

type Tally = Map<string, number>;

function increase(tally: Tally, key: string, count = 1): void {
  tally.set(key, (tally.get(key) ?? 0) + count);
}

function asRecords(tallies: Readonly<Record<"refused" | "open" | "skipped" | "missing", Tally>>) {
  const { refused, open, skipped, missing } = tallies;
  return {
    refused: Object.fromEntries(refused),
    open: Object.fromEntries(open),
    skipped: Object.fromEntries(skipped),
    missing: Object.fromEntries(missing),
  };
}

function inOrder(a: ReplayCount, b: ReplayCount): number {
  const keyOf = (count: ReplayCount) => `${count.role}\n${count.class}\n${count.treatment}`;
  return keyOf(a) < keyOf(b) ? -1 : 1;
}
