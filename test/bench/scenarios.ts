/** What there is to measure, and how its rows are told apart and shown. What measures it is in `suite.ts`: this much is read by the documents as well. */

export interface Shown {
  readonly about: string;
  /** Columns that tell its rows apart. */
  readonly keys: readonly string[];
  /** Column → its head, as the documents show it. */
  readonly columns: Readonly<Record<string, string>>;
  /** Columns that a run is compared by with the one before. `unit`: more where the row's unit is something a second, less elsewhere. */
  readonly better: Readonly<Record<string, "more" | "less" | "unit">>;
}

const beside = ["name", "connections", "baseline"];

const throughput = {
  ...{
    name: "",
    connections: "connections",
    rps: "requests/s",
    p50_ms: "p50 ms",
    p99_ms: "p99 ms",
    rss_mb: "RSS MB",
    cpu_us: "processor, µs",
  },
  ...{ baseline: "beside", baseline_rps: "its requests/s", baseline_p99_ms: "its p99 ms", ratio: "ratio", p99_times: "p99, times" },
};

const faster = { rps: "more", p99_ms: "less", rss_mb: "less", cpu_us: "less", ratio: "more" } as const;

const cost = { name: "", cpu_us: "µs of processor", p50_ms: "p50 ms", baseline: "beside", baseline_p50_ms: "its p50 ms", ratio: "ratio" };
const cheaper = { cpu_us: "less", p50_ms: "less", ratio: "less" } as const;

export const scenarios = {
  read: {
    about:
      "a masked read with its durable log entry, beside the same bytes from memory and from plain Postgres, views with pgcrypto and pgaudit, nginx",
    ...{ keys: beside, columns: throughput, better: faster },
  },
  search: {
    about: "a search by phone number through the blind index, beside a plain row by primary key",
    ...{ keys: beside, columns: throughput, better: faster },
  },
  steps: {
    about: "what each step of a read costs the thread that answers, by a profile of the gateway meanwhile",
    keys: ["step"],
    columns: { step: "", us: "µs a read", percent: "%" },
    better: { us: "less" },
  },
  upstream: {
    about:
      "a merchant's own API through the gateway, log on, beside Hono's proxy and beside the API itself, where the p50s' difference is what is added",
    ...{ keys: beside, columns: throughput, better: faster },
  },
  import: {
    about: "records as NDJSON, beside a bare Hono route that puts the same lines into one table",
    keys: ["records"],
    columns: {
      ...{ records: "records", records_per_s: "records/s", rss_mb: "RSS MB at most", rss_growth_mb: "from first half to second, MB" },
      ...{ cpu_us: "processor, µs a record", baseline_records_per_s: "the bare route's records/s", ratio: "ratio" },
    },
    better: { records_per_s: "more", rss_mb: "less", rss_growth_mb: "less", ratio: "more" },
  },
  policy: {
    about: "what a decision and a mask cost, beside JSON.parse and JSON.stringify of the same bytes",
    ...{ keys: beside, columns: cost, better: cheaper },
  },
  "verified-token": {
    about: "knowing who asks: by a token seen before, beside its digest; by a new one, beside jose's verification",
    ...{ keys: beside, columns: cost, better: cheaper },
  },
  "log-append": {
    about:
      "how fast entries become durable, beside a chain per row, at hand and 10 ms away; beside a round trip; and their wait for a place at 1,000/s",
    ...{ keys: beside, columns: throughput, better: faster },
  },
  "log-verify": {
    about: "an export verified offline, in a process of its own; beside it SHA-256 over the same file",
    keys: ["shape", "entries"],
    columns: {
      ...{ shape: "the log", entries: "entries", export_mb: "export, MB", hashing_leaves_per_s: "leaves hashed/s" },
      ...{ signatures: "signatures", signatures_per_s: "signatures/s", verified_entries_per_s: "all of it, entries/s", seconds: "seconds" },
      ...{ baseline_seconds: "SHA-256 of the file, seconds", rss_mb: "RSS MB" },
    },
    better: { hashing_leaves_per_s: "more", signatures_per_s: "more", verified_entries_per_s: "more", rss_mb: "less" },
  },
  purge: {
    about: "how fast a contract's keys and rows go, and what readers of another contract feel, beside themselves before",
    keys: ["database", "records"],
    columns: {
      ...{
        database: "",
        records: "records",
        rows: "rows in all",
        key_gone_ms: "keys gone after the fence, ms",
        rows_seconds: "rows gone in, s",
      },
      ...{ rows_per_s: "rows/s", p99_before_ms: "others' p99 before, ms", p99_meanwhile_ms: "meanwhile, ms", p99_times: "times" },
      ...{ rss_before_mb: "RSS MB before", rss_most_mb: "at most" },
    },
    better: { key_gone_ms: "less", rows_per_s: "more", p99_times: "less", rss_most_mb: "less" },
  },
  start: {
    about: "from the command to ready, beside a bare Hono server of the same Node; and how large the Workers' scripts are",
    keys: ["name"],
    columns: { name: "", ms: "to ready, ms", worst_ms: "worst, ms", baseline_ms: "a bare server, ms", gzip_kb: "KB, gzip" },
    better: { ms: "less", gzip_kb: "less" },
  },
  growth: {
    about: "the same things at 10⁴, 10⁵ and, if asked, 10⁶ records and log entries: curves under docs/bench",
    keys: ["figure", "size"],
    columns: { figure: "", size: "at", value: "", unit: "unit", of_smallest: "of the smallest" },
    better: { value: "unit" },
  },
  masking: {
    about: "what the masks do to other people's data",
    keys: ["set", "promise"],
    columns: { set: "data", promise: "promise", of: "of", held: "held", percent: "%", worst_ms: "at worst, ms" },
    better: { percent: "more" },
  },
} as const satisfies Record<string, Shown>;

export type ScenarioName = keyof typeof scenarios;

export const scenarioNames = Object.keys(scenarios) as readonly ScenarioName[];

/** Without a name, these. */
export const usual: readonly ScenarioName[] = [
  "read",
  "search",
  "upstream",
  "import",
  "policy",
  "log-append",
  "log-verify",
  "purge",
  "start",
];

export function shownOf(name: string): Shown | undefined {
  return scenarioNames.includes(name as ScenarioName) ? scenarios[name as ScenarioName] : undefined;
}
