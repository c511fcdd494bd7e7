/** What measures each scenario. Read and search share a world, because filling one takes longer than measuring in it. */
import manifest from "../../package.json" with { type: "json" };
import { version } from "../../src/version.ts";
import { measureDecideMask } from "./decide-mask.ts";
import { measureGrowth } from "./growth.ts";
import { measureImport } from "./import.ts";
import { measureLogAppend } from "./log-append.ts";
import { measureSequencing } from "./log-sequencing.ts";
import { measureLogVerify } from "./log-verify.ts";
import { measureMasking } from "./masking.ts";
import type { Options } from "./options.ts";
import { measurePurge } from "./purge.ts";
import { type Result, type Results, type Row, rowOf, thisMachine } from "./results.ts";
import { type Effort, measure, type Scenario } from "./rounds.ts";
import type { ScenarioName } from "./scenarios.ts";
import { measureStart } from "./start.ts";
import { measureSteps } from "./steps.ts";
import { measureUpstream } from "./upstream.ts";
import { measureVerifiedToken } from "./verified-token.ts";
import { createWorld, type World } from "./world.ts";

export interface Told {
  readonly rows: readonly Row[];
  /** Beyond those of Postern, Node and the libraries. */
  readonly versions?: Readonly<Record<string, string>>;
  /** How often and how long, where it is not the options'. 0: it does not go by rounds, or by seconds. */
  readonly effort?: Partial<Pick<Effort, "rounds" | "seconds">>;
}

interface Run {
  readonly options: Options;
  readonly nodeFlags: readonly string[];
  /** Made when it is first asked for. */
  world(): Promise<World>;
}

const once = { rounds: 0, seconds: 0 };

const measures: Readonly<Record<ScenarioName, (run: Run) => Promise<Told>>> = {
  read: async (run) => ofWorld(run, "read", ({ baselines }) => baselines),
  search: async (run) => ofWorld(run, "search", ({ baselines }) => baselines.slice(0, 1)),
  async upstream({ options, nodeFlags }) {
    const { scenarios, postgres } = await measureUpstream(effortsOf(options), nodeFlags);
    return { rows: scenarios.map(rowOf), versions: { postgres } };
  },
  import: ({ options }) => measureImport(options),
  policy: async ({ options }) => ({ rows: measureDecideMask(options).map(rowOf) }),
  "verified-token": async ({ options }) => ({ rows: (await measureVerifiedToken(options)).map(rowOf) }),
  async "log-append"({ options }) {
    const rows: Scenario[] = [];
    for (const effort of effortsOf(options)) rows.push(...(await measureLogAppend(effort)));
    rows.push(await measureSequencing({ ...options, connections: 1 }));
    return { rows: rows.map(rowOf) };
  },
  "log-verify": async ({ options }) => ({ rows: (await measureLogVerify(options.entries)).map((row) => ({ ...row })), effort: once }),
  purge: async ({ options }) => ({ rows: (await measurePurge(options.records)).map((row) => ({ ...row })), effort: once }),
  start: ({ options }) => measureStart(options.rounds),
  growth: ({ options }) => measureGrowth(options),
  steps: ({ options }) => measureSteps(options),
  async masking() {
    const { data, hostile_64kb_ms } = measureMasking();
    return {
      rows: [...data.map((row) => ({ ...row })), { set: "64 KB of hostile text", promise: "an end", worst_ms: hostile_64kb_ms }],
      effort: once,
    };
  },
};

/** One after the other. `nodeFlags`: of the gateway's Node. */
export async function runSuite(
  options: Options,
  nodeFlags: readonly string[],
  done: (name: ScenarioName, result: Result) => void,
): Promise<Results> {
  const shared: Promise<World>[] = [];
  const world = () => {
    const made =
      shared[0] ??
      createWorld({ customers: options.customers, nodeFlags, beside: options.names.includes("read") ? "everything" : "plain" });
    shared[0] = made;
    return made;
  };
  const results: Record<string, Result> = {};
  try {
    for (const name of options.names) {
      const machine = thisMachine();
      const { rows, versions = {}, effort = {} } = await measures[name]({ options, nodeFlags, world });
      const { rounds, seconds } = { ...options, ...effort };
      const at = new Date().toISOString().slice(0, 10);
      const result: Result = { at, machine, versions: { ...ownVersions(), ...versions }, rounds, seconds, rows: [...rows] };
      results[name] = result;
      done(name, result);
    }
  } finally {
    for (const made of shared) await (await made).close();
  }
  return results;
}

async function ofWorld({ options, world }: Run, name: "read" | "search", beside: (world: World) => readonly string[]): Promise<Told> {
  const there = await world();
  const measured: Scenario[] = [];
  for (const effort of effortsOf(options)) measured.push(...(await measure(there, name, effort, beside(there))));
  return { rows: measured.map(rowOf), versions: there.versions };
}

function effortsOf({ rounds, seconds, connections }: Options): Effort[] {
  return connections.map((at) => ({ rounds, seconds, connections: at }));
}

function ownVersions(): Record<string, string> {
  return { postern: version, node: process.version, hono: manifest.dependencies.hono, "postgres.js": manifest.dependencies.postgres };
}
