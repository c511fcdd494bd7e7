/** One scenario against its baselines: alternating rounds, because the machine's mood changes by the minute; medians of them. */
import type { Measured } from "./load.ts";
import type { World } from "./world.ts";

export const plainPostgres = "plain-postgres";

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

/** What it takes to measure the gateway. */
export type Measurable = Pick<World, "load" | "gateway" | "settle">;

const warmUpSecondsMax = 3;
const rssEveryMs = 250;

/** What an agent does, by the name of the load's target, beside each of `baselines`. */
export async function measure(
  world: World,
  name: "read" | "search",
  effort: Effort,
  baselines: readonly string[] = [plainPostgres],
): Promise<Scenario[]> {
  const measured = await measureBeside(world, name, Object.fromEntries(baselines.map((target) => [target, target])), effort);
  return measured.map((scenario) => ({ ...scenario, name }));
}

/** The load's target `ours` in alternation with others. `beside`: how a scenario is called → the target that it is next to. */
export async function measureBeside(
  world: Measurable,
  ours: string,
  beside: Readonly<Record<string, string>>,
  { rounds, seconds, connections }: Effort,
): Promise<Scenario[]> {
  const run = (target: string, length = seconds) => world.load.run({ target, connections, seconds: length });
  const targets = Object.values(beside);
  const measured = new Map([...targets, ours].map((target) => [target, [] as Measured[]]));
  const cpuMicros: number[] = [];
  let rssBytes = 0;
  for (const target of [...targets, ours]) await run(target, Math.min(seconds, warmUpSecondsMax));
  for (let round = 0; round < rounds; round++) {
    await world.settle();
    for (const target of targets) measured.get(target)?.push(await run(target));
    const before = await world.gateway.usage();
    const watch = setInterval(() => {
      void world.gateway.usage().then((usage) => {
        rssBytes = Math.max(rssBytes, usage.rssBytes);
      });
    }, rssEveryMs);
    const last = await run(ours);
    clearInterval(watch);
    const after = await world.gateway.usage();
    measured.get(ours)?.push(last);
    rssBytes = Math.max(rssBytes, after.rssBytes);
    cpuMicros.push((after.cpuMicros - before.cpuMicros) / (last.rps * seconds));
  }
  const gateway = medians(measured.get(ours) ?? []);
  return Object.entries(beside).map(([name, target]) => {
    const baseline = medians(measured.get(target) ?? []);
    return {
      name,
      connections,
      ...gateway,
      rss_mb: rounded(rssBytes / 2 ** 20, 1),
      cpu_us: rounded(median(cpuMicros), 0),
      baseline: { name: target, ...baseline },
      ratio: rounded(gateway.rps / baseline.rps, 3),
    };
  });
}

function medians(measured: readonly Measured[]): { rps: number; p50_ms: number; p99_ms: number } {
  return {
    rps: rounded(median(measured.map(({ rps }) => rps)), 0),
    p50_ms: rounded(median(measured.map(({ p50Ms }) => p50Ms)), 2),
    p99_ms: rounded(median(measured.map(({ p99Ms }) => p99Ms)), 2),
  };
}

export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = (sorted.length - 1) / 2;
  return ((sorted[Math.floor(middle)] ?? 0) + (sorted[Math.ceil(middle)] ?? 0)) / 2;
}

export function rounded(value: number, digits: number): number {
  return Number(value.toFixed(digits));
}
