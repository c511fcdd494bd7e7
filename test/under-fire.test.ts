/**
 * P1 while things die: no masked answer without its durable entry, counted from both sides. Clients keep the promise of each answer they got whole;
 * afterwards the log that an officer takes away holds each of them once. About 1,000 reads; 10,000 with POSTERN_TEST_LONG=1.
 */
import { fileURLToPath } from "node:url";
import { afterEach, describe, expect, it } from "vitest";
import { countBothSides, type House, type HouseOptions, openHouse } from "./support/house.ts";
import { isLong } from "./support/long.ts";
import { type Readers, startReaders } from "./support/readers.ts";

const readsWanted = process.env.POSTERN_TEST_LONG ? 10_000 : 1_000;
const connections = 32;
const minutes = 60_000;

let house: House | null = null;
afterEach(async () => {
  await house?.remove();
  house = null;
});

async function open(options: HouseOptions = {}): Promise<House> {
  house = await openHouse(options);
  return house;
}

async function killPostgres({ cluster }: House): Promise<void> {
  await cluster.kill();
  await cluster.start();
}

async function killGateway({ gateway }: House): Promise<void> {
  await gateway.kill();
  await gateway.start();
}

async function killBoth({ cluster, gateway }: House): Promise<void> {
  await Promise.all([gateway.kill(), cluster.kill()]);
  await cluster.start();
  await gateway.start();
}

const turns = [killPostgres, killGateway, killBoth];

/** By turns, one after each `every` answers, until there are `total`. Answers how many died. */
async function killByTurns(target: House, readers: Readers, { total, every }: { total: number; every: number }): Promise<number> {
  let kills = 0;
  for (; readers.released() < total; kills++) {
    await readers.releasedReaches(Math.min(total, readers.released() + every));
    await turns[kills % turns.length]?.(target);
  }
  return kills;
}

describe("masked reads while Postgres and the gateway are killed by turns", () => {
  it("were each in the log before they left, and stand there once", { timeout: 10 * minutes }, async () => {
    const target = await open();
    const readers = startReaders(target.read, connections);
    const kills = await killByTurns(target, readers, { total: readsWanted, every: Math.min(500, readsWanted / 4) });
    await readers.releasedReaches(readers.released() + 100);
    await readers.stop();

    expect(kills).toBeGreaterThanOrEqual(4);
    const tally = readers.tally();
    expect(Object.keys(tally).filter((what) => !["200", "503", "closed", "cut"].includes(what))).toEqual([]);
    expect(tally[503] ?? 0).toBeGreaterThan(0);
    expect(new Set(readers.promises).size).toBe(tally[200]);
    const { missing, twice, reads, verdict } = await countBothSides(target, readers.promises);
    expect({ missing, twice }).toEqual({ missing: [], twice: [] });
    // An entry whose answer was lost on the way is no harm; an answer without its entry is.
    expect(reads).toBeGreaterThanOrEqual(readers.promises.length);
    expect(verdict).toMatchObject({ ok: true, problems: [] });
    expect(target.gateway.errors()).not.toMatch(/"level":"error".*TypeError/);
  });
});

/** A gateway that is broken on purpose. */
function broken(file: string): string {
  return fileURLToPath(new URL(`support/${file}`, import.meta.url));
}

describe.runIf(isLong)("and this count would tell", () => {
  it("of a gateway that releases before it appends: the control", { timeout: 2 * minutes }, async () => {
    const target = await open({ script: broken("early-release-process.ts") });
    const readers = startReaders(target.read, connections);
    await killByTurns(target, readers, { total: 200, every: 100 });
    await readers.stop();
    const { missing, verdict } = await countBothSides(target, readers.promises);
    expect(missing.length).toBeGreaterThan(0);
    expect(verdict.problems.map(({ code }) => code)).toContain("seen_missing");
  });

  it("of a Postgres that confirms before it wrote: synchronous_commit = off, and a crash", { timeout: 2 * minutes }, async () => {
    // Nothing else writes the log of transactions out meanwhile, so what was confirmed last is certainly lost.
    const lazy = ["wal_writer_delay=10s", "wal_writer_flush_after=1GB", "wal_buffers=64MB", "autovacuum=off"];
    const sql = "alter role postern_edge set synchronous_commit = off; alter role postern_keeper set synchronous_commit = off";
    const target = await open({ cluster: { settings: lazy }, sql, script: broken("credulous-process.ts") });
    await target.owner.query("checkpoint");
    const readers = startReaders(target.read, connections);
    await readers.releasedReaches(300);
    await killPostgres(target);
    await readers.stop();
    const { missing, verdict } = await countBothSides(target, readers.promises);
    expect(missing.length).toBeGreaterThan(0);
    expect(verdict.problems.map(({ code }) => code)).toContain("seen_missing");
  });
});
