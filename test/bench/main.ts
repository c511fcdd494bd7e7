/**
 * `npm run bench`: how fast the gateway is, next to reading plain rows with the same means.
 *   npm run bench -- [read] [search] [--json] [--seconds 10] [--rounds 5] [--connections 1,16,64,256] [--customers 10000] [--profile DIRECTORY]
 *   npm run bench -- decide-mask     what a decision and a mask cost, next to JSON.parse and JSON.stringify of the same bytes; the ratio is the cost
 *   npm run bench -- verified-token  what it costs to know who asks: by a token seen before, next to its digest; by a new one, next to jose's verification
 *   npm run bench -- masking         what the masks do to other people's data: a table
 *   npm run bench -- log-append      how fast entries become durable, next to a chain per row, at hand and 10 ms away; what that adds to a request, next
 *                                    to a round trip; and how long they wait for their place at 1,000 a second
 *   npm run bench -- log-verify [--entries 1000000]   what it takes to verify an export offline: a table
 *   npm run bench -- purge [--records 1000000]   how fast a contract's keys and rows go, and what others feel of it: a table
 *   npm run bench -- upstream        a merchant's own API through the gateway, log on: next to Hono's proxy, and next to the API itself, where the p50's
 *                                    difference is what the gateway adds
 * Starts what it needs and takes it away again. `--profile` leaves a V8 CPU profile of the gateway.
 */
import { cpus, totalmem } from "node:os";
import { parseArgs } from "node:util";
import manifest from "../../package.json" with { type: "json" };
import { version } from "../../src/version.ts";
import { measureDecideMask } from "./decide-mask.ts";
import { measureLogAppend } from "./log-append.ts";
import { measureSequencing } from "./log-sequencing.ts";
import { type LogVerify, measureLogVerify } from "./log-verify.ts";
import { type Masking, measureMasking } from "./masking.ts";
import { measurePurge, type Purged } from "./purge.ts";
import { measure, type Scenario, type ScenarioName, scenarioNames } from "./rounds.ts";
import { measureUpstream } from "./upstream.ts";
import { measureVerifiedToken } from "./verified-token.ts";
import { createWorld } from "./world.ts";

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    json: { type: "boolean", default: false },
    seconds: { type: "string", default: "10" },
    rounds: { type: "string", default: "5" },
    connections: { type: "string", default: "64" },
    customers: { type: "string", default: "10000" },
    entries: { type: "string", default: "1000000" },
    records: { type: "string", default: "1000000" },
    profile: { type: "string" },
  },
});
const effort = { rounds: count("rounds"), seconds: count("seconds") };
const connections = values.connections.split(",").map((text) => whole(text, "connections"));
const apart = ["decide-mask", "verified-token", "masking", "log-append", "log-verify", "purge", "upstream"] as const;
const names: readonly string[] = positionals.length > 0 ? positionals.map(scenarioNamed) : scenarioNames;
const loads = scenarioNames.filter((name) => names.includes(name));

const nodeFlags = values.profile === undefined ? [] : ["--cpu-prof", `--cpu-prof-dir=${values.profile}`];
const { scenarios, postgres } = await measureDatabased();
if (names.includes("decide-mask")) scenarios.push(...measureDecideMask(effort));
if (names.includes("verified-token")) scenarios.push(...(await measureVerifiedToken(effort)));
if (names.includes("log-append")) for (const at of connections) scenarios.push(...(await measureLogAppend({ ...effort, connections: at })));
if (names.includes("log-append")) scenarios.push(await measureSequencing({ ...effort, connections: 1 }));
const masking = names.includes("masking") ? measureMasking() : undefined;
const logVerify = names.includes("log-verify") ? await measureLogVerify(count("entries")) : undefined;
const purge = names.includes("purge") ? await measurePurge(count("records")) : undefined;
if (values.json) {
  const tables = {
    ...(purge === undefined ? {} : { purge }),
    ...(masking === undefined ? {} : { masking }),
    ...(logVerify === undefined ? {} : { log_verify: logVerify }),
  };
  const report = { machine: machine(), versions: versions(), scenarios, ...tables };
  process.stdout.write(`${JSON.stringify(report, null, 2)}\n`);
} else {
  if (scenarios.length > 0) print(scenarios);
  if (masking !== undefined) printMasking(masking);
  if (logVerify !== undefined) printLogVerify(logVerify);
  if (purge !== undefined) printPurge(purge);
}

async function measureDatabased(): Promise<Loads> {
  const measured = loads.length === 0 ? { scenarios: [], postgres: undefined } : await measureLoads();
  if (!names.includes("upstream")) return measured;
  const efforts = connections.map((at) => ({ ...effort, connections: at }));
  const upstream = await measureUpstream(efforts, nodeFlags);
  return { scenarios: [...measured.scenarios, ...upstream.scenarios], postgres: upstream.postgres };
}

interface Loads {
  readonly scenarios: Scenario[];
  readonly postgres: string | undefined;
}

async function measureLoads(): Promise<Loads> {
  const world = await createWorld({ customers: count("customers"), nodeFlags });
  const measured: Scenario[] = [];
  try {
    for (const name of loads) for (const at of connections) measured.push(await measure(world, name, { ...effort, connections: at }));
    return { scenarios: measured, postgres: world.postgresVersion };
  } finally {
    await world.close();
  }
}

function count(option: "rounds" | "seconds" | "customers" | "entries" | "records"): number {
  return whole(values[option], option);
}

function whole(text: string, option: string): number {
  const number = Number(text);
  if (!Number.isInteger(number) || number < 1) throw new RangeError(`--${option} takes a whole number from 1`);
  return number;
}

function scenarioNamed(text: string): ScenarioName | (typeof apart)[number] {
  const known = [...scenarioNames, ...apart];
  const name = known.find((one) => one === text);
  if (!name) throw new RangeError(`no scenario ${text}; there are: ${known.join(", ")}`);
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
    ...(postgres === undefined ? {} : { postgres }),
    hono: manifest.dependencies.hono,
    "postgres.js": manifest.dependencies.postgres,
  };
}

function print(rows: readonly Scenario[]): void {
  const { cpu, cores } = machine();
  const { node } = versions();
  const database = postgres === undefined ? "" : `, Postgres ${postgres}, fsync on`;
  process.stdout.write(`${cores} × ${cpu}, Node ${node}${database}; medians of ${effort.rounds} rounds of ${effort.seconds} s\n`);
  console.table(
    rows.flatMap(({ name, baseline, connections, rss_mb, cpu_us, ratio, rps, p50_ms, p99_ms }) => [
      { scenario: name, connections, rps, p50_ms, p99_ms, rss_mb, cpu_us, ratio, p99_times: Number((p99_ms / baseline.p99_ms).toFixed(2)) },
      { scenario: baseline.name, connections, rps: baseline.rps, p50_ms: baseline.p50_ms, p99_ms: baseline.p99_ms },
    ]),
  );
}

function printMasking({ data, hostile_64kb_ms }: Masking): void {
  if (data.length === 0) process.stdout.write("The data that this is measured on is not here.\n");
  else console.table(data);
  process.stdout.write(`64 KB of hostile text in one field: ${hostile_64kb_ms} ms at worst\n`);
}

function printLogVerify(rows: readonly LogVerify[]): void {
  const { cpu, cores } = machine();
  process.stdout.write(`${cores} × ${cpu}, Node ${versions().node}; a process of its own, with the command's settings\n`);
  console.table(rows);
}

function printPurge(rows: readonly Purged[]): void {
  const { cpu, cores } = machine();
  process.stdout.write(`${cores} × ${cpu}, Node ${versions().node}; 16 connections read another contract meanwhile\n`);
  console.table(rows);
}
