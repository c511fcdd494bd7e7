/**
 * Two soaks. Of the driver: random faults of backends and connections under load, one after the other. The process lives, every answer is 200 or 503,
 * answers come again within five seconds of each fault, and memory does not grow. Six seconds; 20 minutes with POSTERN_TEST_LONG=1.
 * Of the gateway, in the long form: half of what it can do, for POSTERN_TEST_SOAK_MINUTES (3; at night 30). Neither memory nor descriptors grow.
 */
import { afterAll, beforeAll, expect, it } from "vitest";
import { type House, openHouse } from "./support/house.ts";
import { leversScript } from "./support/levers.ts";
import { isLong } from "./support/long.ts";
import { residentBytes } from "./support/processes.ts";
import { type Readers, startReaders } from "./support/readers.ts";
import { perTenMinutes, steady } from "./support/steady.ts";
import { pause } from "./support/until.ts";

const soakMs = process.env.POSTERN_TEST_LONG ? 20 * 60_000 : 4_000;
const healMsMax = 5_000;
const connections = 32;
const stoppedMs = 300;
const warmUpReads = 1_000;
const thinkMs = 30;
/** In the short run, the engine is still growing into its heap. */
const growthMax = process.env.POSTERN_TEST_LONG ? 1.15 : 1.5;

let house: House;
beforeAll(async () => {
  house = await openHouse();
});
afterAll(() => house.remove());

/** Backends of the gateway, in no order. */
async function backends(): Promise<number[]> {
  const rows = await house.owner.query("select pid from pg_stat_activity where usename like 'postern_%' order by random()");
  return rows.map(([pid]) => Number(pid));
}

async function terminate(count: number): Promise<void> {
  for (const pid of (await backends()).slice(0, count)) await house.owner.query("select pg_terminate_backend($1)", [pid]);
}

/** Postgres ends all its backends when one dies like this, and recovers. */
async function kill(): Promise<void> {
  const [victim] = await backends();
  if (victim !== undefined) process.kill(victim, "SIGKILL");
}

async function stopForAWhile(): Promise<void> {
  const [victim] = await backends();
  if (victim === undefined) return;
  process.kill(victim, "SIGSTOP");
  await pause(stoppedMs);
  process.kill(victim, "SIGCONT");
}

const faults = {
  "one backend terminated": { weight: 8, inflict: () => terminate(1) },
  "some backends terminated": { weight: 4, inflict: () => terminate(4) },
  "all backends terminated": { weight: 2, inflict: () => terminate(100) },
  "a backend killed": { weight: 1, inflict: kill },
  "a backend stopped for a while": { weight: 2, inflict: stopForAWhile },
  "all connections reset": { weight: 3, inflict: async () => house.wire.cut() },
} as const;

const draws = Object.values(faults).flatMap(({ weight, inflict }) => Array.from({ length: weight }, () => inflict));

/** Faults until the time is over; answers the gateway's memory after each. */
async function soak(readers: Readers): Promise<number[]> {
  const memory: number[] = [];
  const end = performance.now() + soakMs;
  while (performance.now() < end) {
    await draws[Math.floor(Math.random() * draws.length)]?.();
    await readers.releasedReaches(readers.released() + 3 * connections, healMsMax);
    await pause(Math.random() * 300);
    memory.push(residentBytes(house.gateway.pid()));
  }
  return memory;
}

function median(numbers: readonly number[]): number {
  return numbers.toSorted((a, b) => a - b)[Math.floor(numbers.length / 2)] ?? 0;
}

it("random faults of backends and connections cost 503s and nothing else, however long", { timeout: soakMs + 60_000 }, async () => {
  const pid = house.gateway.pid();
  const readers = startReaders(house.read, connections, { keepPromises: false, pauseMs: 30, thinkMs });
  await readers.releasedReaches(warmUpReads);
  const memory = await soak(readers);
  await readers.stop();
  const tally = readers.tally();
  const third = Math.floor(memory.length / 3);
  const [early, late] = [median(memory.slice(0, third)), median(memory.slice(-third))];
  console.log(`${memory.length} faults`, tally, `memory ${Math.round(early / 2 ** 20)} → ${Math.round(late / 2 ** 20)} MB`);

  expect(house.gateway.pid()).toBe(pid);
  expect(Object.keys(tally).sort()).toEqual(["200", "503"]);
  expect(late / early).toBeLessThan(growthMax);
  // The keeper's loops say that they could not reach the database; nobody says anything else.
  expect(house.gateway.errors().replaceAll(/^.*"name":"(Database|Audit)Unavailable(, (Database|Audit)Unavailable)?".*\n/gm, "")).toBe("");
});

const steadyMinutes = Number(process.env.POSTERN_TEST_SOAK_MINUTES ?? 3);
const growthBytesMax = 2 ** 20;
/** One reading of live memory is off by a megabyte: minutes of them tell a slope of ten, a long run one of one. */
const liveGrowthBytesMax = steadyMinutes >= 10 ? growthBytesMax : 10 * growthBytesMax;
/** Below it the resident memory says more of the engine's moods than of us. */
const residentToldMinutes = 20;

it.runIf(isLong)("half of what it can do costs no memory and no descriptor", { timeout: steadyMinutes * 60_000 + 120_000 }, async () => {
  const own = await openHouse({ script: leversScript });
  const { samples, tally, fullPerSecond, halfPerSecond } = await steady(own, steadyMinutes * 60_000);
  const of = (name: "live" | "resident") => perTenMinutes(samples.map((sample) => ({ at: sample.at, value: sample[name] })));
  const [live, resident] = [of("live"), of("resident")];
  const descriptors = perTenMinutes(samples.map(({ at, descriptors }) => ({ at, value: descriptors })));
  const megabytes = (bytes: number) => `${(bytes / 2 ** 20).toFixed(2)} MB`;
  console.log(`${steadyMinutes} min at ${halfPerSecond}/s of ${fullPerSecond}/s`, tally, `${samples.length} windows`);
  console.log(`in ten minutes: live ${megabytes(live)}, resident ${megabytes(resident)}, descriptors ${descriptors}`);
  console.log("live memory, kB:", samples.map((sample) => Math.round(sample.live / 1_024)).join(" "));
  const errors = own.gateway.errors();
  await own.remove();

  expect({ kinds: Object.keys(tally), errors }).toEqual({ kinds: ["200"], errors: "" });
  expect(live).toBeLessThan(liveGrowthBytesMax);
  if (steadyMinutes >= residentToldMinutes) expect(resident).toBeLessThan(growthBytesMax);
  expect(descriptors).toBeLessThan(1);
});
