/** What must be shown at 64 connections on one machine, Postgres on it, fsync on; and whether the saved results show it. */
import type { Results, Row } from "./results.ts";

interface Goal {
  readonly what: string;
  readonly scenario: string;
  /** The row: columns and what they must say. The first that fits. */
  readonly where: Row;
  readonly column: string;
  readonly least?: number;
  readonly most?: number;
}

const read = { scenario: "read", where: { connections: 64, baseline: "plain-postgres" } };
const views = { scenario: "read", where: { connections: 64, baseline: "views, pgcrypto, pgaudit" } };
const append = { scenario: "log-append", where: { name: "log-append", connections: 64, baseline: "chain-per-row" } };

const goals: readonly Goal[] = [
  { what: "masked read with durable log, of the plain Postgres read", ...read, column: "ratio", least: 0.5 },
  { what: "its p99, times the plain one's", ...read, column: "p99_times", most: 2 },
  { what: "the same, of Postgres views + pgcrypto + pgaudit through a bare route", ...views, column: "ratio", least: 1 },
  { what: "RSS under load, MB", ...read, column: "rss_mb", most: 250 },
  { what: "log append alone, entries/s", ...append, column: "rps", least: 4_000 },
  { what: "of a chain per row, times", ...append, column: "ratio", least: 10 },
  {
    ...{
      what: "search by blind index at 10⁶ records, of the same at 10⁴",
      scenario: "growth",
      where: { figure: "search", size: 1_000_000 },
    },
    ...{ column: "of_smallest", least: 0.8 },
  },
  { what: "import, records/s", scenario: "import", where: {}, column: "records_per_s", least: 5_000 },
  { what: "its memory, second half over first, MB", scenario: "import", where: {}, column: "rss_growth_mb", most: 20 },
  { what: "verification, leaves/s", scenario: "log-verify", where: {}, column: "hashing_leaves_per_s", least: 100_000 },
  { what: "start to ready, embedded, ms", scenario: "start", where: { name: "embedded" }, column: "ms", most: 4_000 },
  { what: "start to ready, Postgres, ms", scenario: "start", where: { name: "Postgres" }, column: "ms", most: 1_000 },
  { what: "start to ready, raw workerd, ms", scenario: "start", where: { name: "raw workerd" }, column: "ms", most: 500 },
  ...["edge", "keeper", "directory"].map((script) => ({
    ...{ what: `Worker bundle, ${script}, KB gzip`, scenario: "start", where: { name: `script: ${script}` }, column: "gzip_kb", most: 350 },
  })),
];

export interface Judged {
  readonly goal: string;
  readonly wanted: string;
  /** `null`: not measured. */
  readonly measured: number | null;
  readonly reached: boolean | null;
}

export function judge(results: Results): Judged[] {
  return goals.map(({ what, scenario, where, column, least, most }) => {
    const found = results[scenario]?.rows.find((row) => Object.entries(where).every(([name, value]) => row[name] === value))?.[column];
    const measured = typeof found === "number" ? found : null;
    const wanted = least === undefined ? `≤ ${format(most ?? 0)}` : `≥ ${format(least)}`;
    return {
      goal: what,
      wanted,
      measured,
      reached: measured === null ? null : measured >= (least ?? measured) && measured <= (most ?? measured),
    };
  });
}

/** Three digits are said of what is small, and thousands are grouped. */
export function format(value: number): string {
  const digits = Number.isInteger(value) ? 0 : Math.abs(value) >= 100 ? 0 : Math.abs(value) >= 10 ? 1 : 2;
  return value.toLocaleString("en-US", { maximumFractionDigits: digits });
}
