/** One scenario against the baseline: alternating rounds, because the machine's mood changes by the minute; medians of them. */
import type { Measured } from "./load.ts";
import type { World } from "./world.ts";

/** What an agent does, by the name of the load's target. */
export const scenarioNames = ["read", "search"] as const;
export type ScenarioName = (typeof scenarioNames)[number];
const baselineName = "plain-postgres";

export interface Effort {
  readonly rounds: number;
  readonly seconds: number;
  readonly connections: number;
}

/** The JSON form that all benches keep. */
export interface Scenario {
  readonly name: string;
  readonly connections: number;
  readonly rps: number;
  readonly p50_ms: number;
  readonly p99_ms: number;
  /** The most that the gateway's process was seen to hold. */
  readonly rss_mb: number;
  /** Processor time of the gateway's process, all threads, for one request. */
  readonly cpu_us: number;
  readonly baseline: { readonly name: string; readonly rps: number; readonly p50_ms: number; readonly p99_ms: number };
  /** Of the throughputs. */
  readonly ratio: number;
}

const warmUpSecondsMax = 3;
const rssEveryMs = 250;

export async function measure(world: World, name: ScenarioName, { rounds, seconds, connections }: Effort): Promise<Scenario> {
  const run = (target: string, length = seconds) => world.load.run({ target, connections, seconds: length });
  const ours: Measured[] = [];
  const theirs: Measured[] = [];
  const cpuMicros: number[] = [];
  let rssBytes = 0;
  for (const target of [baselineName, name]) await run(target, Math.min(seconds, warmUpSecondsMax));
  for (let round = 0; round < rounds; round++) {
    await world.settle();
    theirs.push(await run(baselineName));
    const before = await world.gateway.usage();
    const watch = setInterval(() => {
      void world.gateway.usage().then((usage) => {
        rssBytes = Math.max(rssBytes, usage.rssBytes);
      });
    }, rssEveryMs);
    const measured = await run(name);
    clearInterval(watch);
    const after = await world.gateway.usage();
    ours.push(measured);
    rssBytes = Math.max(rssBytes, after.rssBytes);
    cpuMicros.push((after.cpuMicros - before.cpuMicros) / (measured.rps * seconds));
  }
  const gateway = medians(ours);
  const baseline = medians(theirs);
  return {
    name,
    connections,
    ...gateway,
    rss_mb: rounded(rssBytes / 2 ** 20, 1),
    cpu_us: rounded(median(cpuMicros), 0),
    baseline: { name: baselineName, ...baseline },
    ratio: rounded(gateway.rps / baseline.rps, 3),
  };
}

function medians(measured: readonly Measured[]): { rps: number; p50_ms: number; p99_ms: number } {
  return {
    rps: rounded(median(measured.map(({ rps }) => rps)), 0),
    p50_ms: rounded(median(measured.map(({ p50Ms }) => p50Ms)), 2),
    p99_ms: rounded(median(measured.map(({ p99Ms }) => p99Ms)), 2),
  };
}

function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = (sorted.length - 1) / 2;
  return ((sorted[Math.floor(middle)] ?? 0) + (sorted[Math.ceil(middle)] ?? 0)) / 2;
}

function rounded(value: number, digits: number): number {
  return Number(value.toFixed(digits));
}
