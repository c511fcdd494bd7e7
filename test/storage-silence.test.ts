/**
 * A database that answers nobody: who asks one after another is not made to wait out a deadline each, and it is found again at once.
 * And one that answers, and will not do it now.
 */
import { afterAll, afterEach, beforeAll, describe, expect, inject, it } from "vitest";
import { type Database, DatabaseUnavailable } from "../src/storage/index.ts";
import { openTestPool } from "./support/databases.ts";
import { startTcpProxy, type TcpProxy } from "./support/tcp-proxy.ts";
import { pause, until } from "./support/until.ts";

const deadlineMs = 1_000;
let wire: TcpProxy;
let database: Database;

beforeAll(async () => {
  wire = await startTcpProxy(inject("postgresPort"));
});
afterEach(() => database.close());
afterAll(() => wire.close());

function open(poolSize: number): Database {
  wire.pass();
  database = openTestPool(`postgres://postgres@127.0.0.1:${wire.port}/postgres`, { poolSize, deadlineMs });
  return database;
}

async function failureOf(statement: Promise<unknown>): Promise<{ error: unknown; tookMs: number }> {
  const begun = performance.now();
  const error = await statement.catch((thrown: unknown) => thrown);
  return { error, tookMs: performance.now() - begun };
}

describe("a database behind a wire that swallows everything", () => {
  it.each([
    { name: "with connections that rested", warmUp: 4 },
    { name: "with none", warmUp: 0 },
  ])("costs the first a deadline, and those that come after it hardly anything: $name", async ({ warmUp }) => {
    open(4);
    await Promise.all(Array.from({ length: warmUp }, () => database.query("select 1")));
    await pause(300);
    wire.blackHole();
    const first = await failureOf(database.query("select 1"));
    expect(first.tookMs).toBeGreaterThan(deadlineMs - 100);
    const begun = performance.now();
    for (let i = 0; i < 20; i++) {
      const { error } = await failureOf(database.query("select 1"));
      expect(error).toBeInstanceOf(DatabaseUnavailable);
      expect(error).toMatchObject({ uncertain: false });
    }
    expect(performance.now() - begun).toBeLessThan(deadlineMs);
  });

  it("is found again long before the attempts that hang are over", async () => {
    open(4);
    wire.blackHole();
    await failureOf(database.query("select 1"));
    await failureOf(database.query("select 1"));
    wire.pass();
    const answered = () => database.query("select 1").then(Boolean, () => false);
    await until("an answer", answered, deadlineMs - 200);
  });
});

describe("a statement that overruns its deadline", () => {
  it("is no reason to refuse others while others are answered", async () => {
    open(2);
    await Promise.all([database.query("select 1"), database.query("select 1")]);
    await pause(300);
    let running = true;
    const slow = failureOf(database.query("select pg_sleep(5)")).finally(() => {
      running = false;
    });
    const failures: unknown[] = [];
    while (running) await database.query("select pg_sleep(0.05)").catch((error: unknown) => failures.push(error));
    for (let i = 0; i < 20; i++) await database.query("select 1");
    expect((await slow).error).toMatchObject({ name: "DatabaseUnavailable", uncertain: true });
    // One may have been sent behind it.
    expect(failures.length).toBeLessThanOrEqual(1);
  });
});

describe("a server that lets somebody else go first, or takes no writes", () => {
  it.each(["40001", "40P01", "25006", "53100", "58030"])("is unavailable, and nothing was carried out (SQLSTATE %s)", async (state) => {
    const refusal = open(1).query(`do $$ begin raise exception using errcode = '${state}'; end $$`);
    await expect(refusal).rejects.toMatchObject({ name: "DatabaseUnavailable", uncertain: false });
  });

  it("is looked for anew once it takes no writes: its successor may go by its name", async () => {
    open(1);
    const pidOf = async () => (await database.query("select pg_backend_pid(), now()"))[0]?.[0];
    const first = await pidOf();
    await expect(database.query("do $$ begin raise exception using errcode = '25006'; end $$")).rejects.toThrow("25006");
    expect(await pidOf()).not.toBe(first);
  });
});
