/**
 * How fast entries become durable, next to a chain per row: each row carries the hash of the one before, so that writers wait for each other's commits.
 * And what that adds to a request, next to a bare round trip to the database. The same entries, database, pool and numbers of callers; on the loopback,
 * and with 10 ms to the database and back.
 */
import { sha256, utf8 } from "../../src/crypto/index.ts";
import type { Database } from "../../src/storage/index.ts";
import { createLogWorld, draft, log } from "./log-world.ts";
import type { Effort, Scenario } from "./rounds.ts";
import { Times } from "./times.ts";

const oneWayMs = 5;
const warmUpSeconds = 1;

export async function measureLogAppend(effort: Effort): Promise<Scenario[]> {
  const { owner, pool, delay, append, close } = await createLogWorld();
  try {
    await owner.script(chainTables);
    const beside = (name: string, theirs: () => Promise<unknown>) => ({ ours: append, theirs, baseline: name });
    const chain = beside("chain-per-row", () => appendToChain(pool));
    const near = [
      await measureAt("log-append", chain, effort),
      await measureAt(
        "log-append, added",
        beside("round-trip", () => pool.query("select now()")),
        effort,
      ),
    ];
    delay(oneWayMs);
    return [...near, await measureAt("log-append, 10 ms away", chain, effort)];
  } finally {
    await close();
  }
}

interface Work {
  readonly ours: () => Promise<unknown>;
  readonly theirs: () => Promise<unknown>;
  /** What theirs is called. */
  readonly baseline: string;
}

async function measureAt(name: string, { ours, theirs, baseline }: Work, { rounds, seconds, connections }: Effort): Promise<Scenario> {
  const measured = { ours: new Times(), theirs: new Times() };
  let cpuMicros = 0;
  for (const work of [theirs, ours]) await run(work, connections, warmUpSeconds, new Times());
  for (let round = 0; round < rounds; round++) {
    await run(theirs, connections, seconds, measured.theirs);
    const before = process.cpuUsage();
    await run(ours, connections, seconds, measured.ours);
    const { user, system } = process.cpuUsage(before);
    cpuMicros += user + system;
  }
  const of = (times: Times) => ({ ...times.summary(), rps: Number((times.count() / (rounds * seconds)).toFixed(1)) });
  const entries = of(measured.ours);
  const others = of(measured.theirs);
  return {
    name,
    connections,
    ...entries,
    rss_mb: Number((process.memoryUsage.rss() / 2 ** 20).toFixed(1)),
    cpu_us: Math.round(cpuMicros / measured.ours.count()),
    baseline: { name: baseline, ...others },
    ratio: Number((entries.rps / others.rps).toFixed(1)),
  };
}

/** Answers how many became durable. */
export async function appendFor(append: () => Promise<unknown>, callers: number, seconds: number): Promise<number> {
  const times = new Times();
  await run(append, callers, seconds, times);
  return times.count();
}

/** So many callers, each of whom asks again when it is answered; what ends after the time is not counted. */
async function run(work: () => Promise<unknown>, callers: number, seconds: number, times: Times): Promise<void> {
  const end = performance.now() + seconds * 1_000;
  const one = async () => {
    for (let start = performance.now(); start < end; ) {
      await work();
      const now = performance.now();
      if (now <= end) times.add(now - start);
      start = now;
    }
  };
  await Promise.all(Array.from({ length: callers }, one));
}

const chainTables = `create schema bench;
create table bench.head (log text primary key, n bigint not null, hash bytea not null);
create table bench.chain (log text, n bigint, entry text not null, hash bytea not null, primary key (log, n));
insert into bench.head values ('${log}', 0, '');`;

/** The lock is held from the first statement to the end of the commit. */
function appendToChain(database: Database): Promise<unknown> {
  return database.transaction(async (tx) => {
    const [head] = await tx.query("select n, hash from bench.head where log = $1 for update", [log]);
    const [n, previous] = [Number(head?.[0]) + 1, head?.[1]];
    const entry = JSON.stringify({ ...draft, n, time: new Date().toISOString() });
    const hash = sha256(utf8(`${previous instanceof Uint8Array ? Buffer.from(previous).toString("hex") : ""}${entry}`));
    await tx.query(
      "with moved as (update bench.head set n = $2, hash = $4 where log = $1) insert into bench.chain (log, n, entry, hash) values ($1, $2, $3, $4)",
      [log, n, entry, hash],
    );
  });
}
