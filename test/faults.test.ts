/**
 * What agents are answered while the database is killed, hangs, is gone or behind a broken wire, over HTTP from a gateway in a process of its own:
 * an answer or 503 by the deadline, never anything else, and all by itself an answer again within five seconds (P8).
 * The driver alone under the same faults: `storage-failures.test.ts`.
 */
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { customer, type House, openHouse } from "./support/house.ts";
import { type Outcome, type Readers, readAtOnce, startReaders } from "./support/readers.ts";
import { pause, until } from "./support/until.ts";

/** Of one statement at the edge; a read asks two: the load, and the log. */
const deadlineMs = 5_000;
/** Of a busy machine. */
const slackMs = 2_500;
const healMsMax = 5_000;
const connections = 32;
const long = process.env.POSTERN_TEST_LONG !== undefined;
const goneMs = long ? 60_000 : 4_000;

let house: House;
let pid: number;
beforeAll(async () => {
  house = await openHouse();
  pid = house.gateway.pid();
});
afterAll(() => house.remove());

/** Whatever was done: the same process serves, and it reported no fault. */
afterEach(async () => {
  house.wire.pass();
  await until("an answer", async () => (await readAtOnce(house.read, 1))[0]?.status === 200, healMsMax);
  expect(house.gateway.pid()).toBe(pid);
  expect(house.gateway.errors()).not.toContain("TypeError");
});

function expectRefused(outcomes: readonly Outcome[], withinMs: number): void {
  for (const { kind, status, body, promise, tookMs } of outcomes) {
    expect({ kind, status, promise }).toEqual({ kind: "answered", status: 503, promise: undefined });
    expect(JSON.parse(body).code).toMatch(/^(audit|database)_unavailable$/);
    expect(body).not.toContain(customer.name.slice(0, 2));
    expect(tookMs).toBeLessThan(withinMs);
  }
}

function expectOnlyAnswers(readers: Readers): void {
  expect(Object.keys(readers.tally()).filter((what) => what !== "200" && what !== "503")).toEqual([]);
}

/** Backends of the gateway's edge role. */
async function edgeBackends(): Promise<number[]> {
  const rows = await house.owner.query("select pid from pg_stat_activity where usename = 'postern_edge' order by pid");
  return rows.map(([backend]) => Number(backend));
}

/** The one that the pool turns to first. */
async function lastUsedBackend(): Promise<number> {
  const [row] = await house.owner.query(
    "select pid from pg_stat_activity where usename = 'postern_edge' and state = 'idle' order by state_change desc limit 1",
  );
  return Number(row?.[0]);
}

describe("a killed backend", () => {
  it.each(["pg_terminate_backend", "SIGKILL"] as const)("costs 503s at most, and is healed within five seconds (%s)", async (how) => {
    const readers = startReaders(house.read, connections);
    await readers.releasedReaches(200);
    const [victim = 0] = await edgeBackends();
    const killed = performance.now();
    if (how === "SIGKILL") process.kill(victim, "SIGKILL");
    else await house.owner.query("select pg_terminate_backend($1)", [victim]);
    await until("the end of the backend", async () => !(await edgeBackends().catch(() => [victim])).includes(victim), healMsMax);
    await readers.releasedReaches(readers.released() + 50, healMsMax);
    expect(performance.now() - killed).toBeLessThan(healMsMax);
    await readers.stop();
    expectOnlyAnswers(readers);
  });
});

describe("a backend that hangs", () => {
  it("costs those behind it a 503 by the deadline; the others are answered meanwhile", { timeout: 30_000 }, async () => {
    // At rest: one that is stopped while it writes the log of transactions holds up every other, and the database hangs as a whole.
    await readAtOnce(house.read, connections);
    const victim = await lastUsedBackend();
    process.kill(victim, "SIGSTOP");
    const readers = startReaders(house.read, connections);
    try {
      await until("a 503", () => (readers.tally()[503] ?? 0) > 0, deadlineMs + slackMs);
      await readers.releasedReaches(readers.released() + 50, healMsMax);
      await readers.stop();
      expectOnlyAnswers(readers);
    } finally {
      process.kill(victim, "SIGCONT");
    }
  });
});

describe("a database that hangs as a whole", () => {
  const ways = [
    { name: "SIGSTOP to every process of it", hang: () => house.cluster.hang(), mend: () => house.cluster.goOn() },
    { name: "a wire that swallows everything", hang: () => house.wire.blackHole(), mend: () => house.wire.pass() },
    { name: "a far end that is gone without a word", hang: () => house.wire.halfOpen(), mend: () => house.wire.pass() },
  ];
  it.each(long ? ways : ways.slice(0, 1))(
    "is answered for with 503 by the deadline, and served from again when it is back: $name",
    { timeout: 40_000 },
    async ({ hang, mend }) => {
      await readAtOnce(house.read, connections);
      hang();
      let outcomes: Outcome[];
      try {
        outcomes = await readAtOnce(house.read, 256);
      } finally {
        mend();
      }
      expectRefused(outcomes, deadlineMs + slackMs);
    },
  );
});

describe("a database that is gone", () => {
  it(`for ${goneMs / 1_000} seconds is answered for with 503 at once, and served from within five seconds of its return`, {
    timeout: goneMs + 30_000,
  }, async () => {
    const readers = startReaders(house.read, connections);
    await readers.releasedReaches(100);
    await house.cluster.stop();
    const gone = performance.now();
    while (performance.now() - gone < goneMs) {
      expectRefused(await readAtOnce(house.read, 4), 1_000);
      await pause(500);
    }
    await house.cluster.start();
    await readers.releasedReaches(readers.released() + 100, healMsMax);
    await readers.stop();
    expectOnlyAnswers(readers);
  });
});

describe("a broken wire to the database", () => {
  it("is 503 at once while every connection is reset", async () => {
    await readAtOnce(house.read, connections);
    house.wire.reset();
    expectRefused(await readAtOnce(house.read, connections), slackMs);
  });

  it("is healed over where all connections broke once", async () => {
    const readers = startReaders(house.read, connections);
    for (let round = 1; round <= 5; round++) {
      await readers.releasedReaches(readers.released() + 100, healMsMax);
      house.wire.cut();
    }
    await readers.releasedReaches(readers.released() + 100, healMsMax);
    await readers.stop();
    expectOnlyAnswers(readers);
  });

  it("only makes answers late where it is slow", async () => {
    house.wire.delay(100);
    const outcomes = await readAtOnce(house.read, connections);
    expect(outcomes.map(({ status }) => status)).toEqual(outcomes.map(() => 200));
    expect(Math.min(...outcomes.map(({ tookMs }) => tookMs))).toBeGreaterThan(400);
  });
});
