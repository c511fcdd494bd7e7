/**
 * `npm run bench`: how fast the gateway is, next to reading plain rows with the same means.
 *   npm run bench -- [read] [search] [--json] [--seconds 10] [--rounds 5] [--connections 1,16,64,256] [--customers 10000] [--profile DIRECTORY]
 * Starts what it needs and takes it away again. `--profile` leaves a V8 CPU profile of the gateway.
 */
import { cpus, totalmem } from "node:os";
import { parseArgs } from "node:util";
import manifest from "../../package.json" with { type: "json" };
import { version } from "../../src/version.ts";
import { measure, type Scenario, type ScenarioName, scenarioNames } from "./rounds.ts";
import { createWorld } from "./world.ts";

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    json: { type: "boolean", default: false },
    seconds: { type: "string", default: "10" },
    rounds: { type: "string", default: "5" },
    connections: { type: "string", default: "64" },
    customers: { type: "string", default: "10000" },
    profile: { type: "string" },
  },
});
const effort = { rounds: count("rounds"), seconds: count("seconds") };
const connections = values.connections.split(",").map((text) => whole(text, "connections"));
const names = positionals.length > 0 ? positionals.map(scenarioNamed) : scenarioNames;

const world = await createWorld({
  customers: count("customers"),
  nodeFlags: values.profile === undefined ? [] : ["--cpu-prof", `--cpu-prof-dir=${values.profile}`],
});
const scenarios: Scenario[] = [];
try {
  for (const name of names) for (const at of connections) scenarios.push(await measure(world, name, { ...effort, connections: at }));
} finally {
  await world.close();
}
if (values.json) process.stdout.write(`${JSON.stringify({ machine: machine(), versions: versions(), scenarios }, null, 2)}\n`);
else print(scenarios);

function count(option: "rounds" | "seconds" | "customers"): number {
  return whole(values[option], option);
}

function whole(text: string, option: string): number {
  const number = Number(text);
  if (!Number.isInteger(number) || number < 1) throw new RangeError(`--${option} takes a whole number from 1`);
  return number;
}

function scenarioNamed(text: string): ScenarioName {
  const name = scenarioNames.find((known) => known === text);
  if (!name) throw new RangeError(`no scenario ${text}; there are: ${scenarioNames.join(", ")}`);
  return name;
}

function machine() {
  const cores = cpus();
  return {
    platform: `${process.platform}-${process.arch}`,
    cpu: cores[0]?.model ?? "",
    cores: cores.length,
    memory_mb: Math.round(totalmem() / 2 ** 20),
  };
}

function versions() {
  return {
    postern: version,
    node: process.version,
    postgres: world.postgresVersion,
    hono: manifest.dependencies.hono,
    "postgres.js": manifest.dependencies.postgres,
  };
}

function print(rows: readonly Scenario[]): void {
  const { cpu, cores } = machine();
  const { node, postgres } = versions();
  process.stdout.write(
    `${cores} × ${cpu}, Node ${node}, Postgres ${postgres}, fsync on; medians of ${effort.rounds} rounds of ${effort.seconds} s\n`,
  );
  console.table(
    rows.flatMap(({ name, baseline, connections, rss_mb, cpu_us, ratio, rps, p50_ms, p99_ms }) => [
      { scenario: name, connections, rps, p50_ms, p99_ms, rss_mb, cpu_us, ratio, p99_times: Number((p99_ms / baseline.p99_ms).toFixed(2)) },
      { scenario: baseline.name, connections, rps: baseline.rps, p50_ms: baseline.p50_ms, p99_ms: baseline.p99_ms },
    ]),
  );
}
