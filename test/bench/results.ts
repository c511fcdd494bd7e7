/**
 * The form of results: what a run prints with `--json`, and what `docs/bench/results.json` keeps of the last run of each scenario that was saved. The tables
 * and pictures of the documents are made of that file and of nothing else.
 */
import { readFileSync, writeFileSync } from "node:fs";
import { cpus, loadavg, totalmem } from "node:os";
import { join } from "node:path";
import * as z from "zod";
import { root } from "../support/repository.ts";
import type { Scenario } from "./rounds.ts";

export const resultsPath = "docs/bench/results.json";

const cell = z.union([z.string(), z.number(), z.null()]);
const row = z.record(z.string(), cell);

const result = z.strictObject({
  /** The day. */
  at: z.iso.date(),
  machine: z.strictObject({
    platform: z.string(),
    cpu: z.string(),
    cores: z.number(),
    memory_mb: z.number(),
    /** Processes that wanted a core when the run began, the mean of a minute: what else was going on. `null`: not noted. */
    load: z.number().nullable(),
  }),
  versions: z.record(z.string(), z.string()),
  rounds: z.number(),
  seconds: z.number(),
  rows: z.array(row),
});

const results = z.record(z.string(), result);

export type Cell = z.infer<typeof cell>;
export type Row = Readonly<z.infer<typeof row>>;
export type Result = Readonly<z.infer<typeof result>>;
/** Scenario → its last run. */
export type Results = Readonly<z.infer<typeof results>>;

/** Throws a ZodError that names the place. */
export function parseResults(text: string): Results {
  return results.parse(JSON.parse(text));
}

export function readResults(): Results {
  return parseResults(readFileSync(join(root, resultsPath), "utf8"));
}

export function writeResults(all: Results): void {
  writeFileSync(join(root, resultsPath), `${JSON.stringify(all, null, 2)}\n`);
}

/** Flat, so that every scenario's rows are printed, compared and drawn by the same functions. */
export function rowOf({ name, connections, baseline, ...ours }: Scenario): Row {
  const { rps, p50_ms, p99_ms, rss_mb, cpu_us, ratio } = ours;
  const times = Number((p99_ms / baseline.p99_ms).toFixed(2));
  return {
    ...{ name, connections, baseline: baseline.name, rps, p50_ms, p99_ms, rss_mb, cpu_us },
    ...{ baseline_rps: baseline.rps, baseline_p50_ms: baseline.p50_ms, baseline_p99_ms: baseline.p99_ms, ratio, p99_times: times },
  };
}

export function thisMachine(): Result["machine"] {
  const cores = cpus();
  return {
    platform: `${process.platform}-${process.arch}`,
    cpu: cores[0]?.model ?? "",
    cores: cores.length,
    memory_mb: Math.round(totalmem() / 2 ** 20),
    load: Number((loadavg()[0] ?? 0).toFixed(1)),
  };
}
