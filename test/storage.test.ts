/** The same promises on both drivers: what goes in, what comes out, transactions, errors without values, drizzle. */
import { and, eq, sql } from "drizzle-orm";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { flush, log } from "../src/audit/schema.ts";
import { contract } from "../src/contracts/schema.ts";
import { blindIndex } from "../src/records/schema.ts";
import { type Database, DatabaseError, DatabaseUnavailable, orm } from "../src/storage/index.ts";
import { createMemoryDatabase, createPostgresDatabase, openTestPool, type PostgresDatabase } from "./support/databases.ts";

const canary = "CANARY-7f3a9c1e55";

describe.each(["postgres", "pglite"] as const)("a database on %s", (driver) => {
  let server: PostgresDatabase | null = null;
  let database: Database;

  beforeAll(async () => {
    if (driver === "pglite") database = await createMemoryDatabase();
    else {
      server = await createPostgresDatabase();
      database = openTestPool(server.ownerUrl);
    }
    await database.script(
      "create table public.thing (id int primary key, name text unique, body jsonb, at timestamptz); create table public.counter (n int);",
    );
  });

  afterAll(async () => {
    await database.close();
    await server?.drop();
  });

  it("answers cells of the promised types", async () => {
    const rows = await database.query(
      "select 1::int2, 2::int4, 3::int8, 1.5::float8, 12345678901234567890.5::numeric, 'x'::text, true, null::text, '\\x00ff'::bytea, '2026-01-02 03:04:05.123456+00'::timestamptz, '{\"a\": 1}'::jsonb",
    );
    const instant = rows[0]?.[9];
    expect(rows).toEqual([[1, 2, "3", 1.5, "12345678901234567890.5", "x", true, null, new Uint8Array([0, 255]), instant, '{"a": 1}']]);
    expect(rows[0]?.[8]?.constructor).toBe(Uint8Array);
    expect(new Date(String(instant)).toISOString()).toBe("2026-01-02T03:04:05.123Z");
    expect(instant).toMatch(/\.123456\+/);
  });

  it("takes every kind of parameter, and the server infers its type", async () => {
    const bytes = crypto.getRandomValues(new Uint8Array(3000));
    const [row] = await database.query(
      "select $1::text, $2::int4, $3::int8, $4::bool, $5::bytea, $6::timestamptz = '2026-01-02 03:04:05.123456+00', $7::jsonb ->> 'a', $8::text, $9::float8, $10::bool",
      ["a\\b'\"𠮷", 7, 9_007_199_254_740_991, true, bytes, "2026-01-02T03:04:05.123456Z", '{"a": "b"}', null, 0.25, false],
    );
    expect(row).toEqual(["a\\b'\"𠮷", 7, "9007199254740991", true, bytes, true, "b", null, 0.25, false]);
  });

  it("takes a list as JSON text with a cast", async () => {
    const rows = await database.query("select value from json_array_elements_text($1::json)", ['["x","y"]']);
    expect(rows).toEqual([["x"], ["y"]]);
  });

  it("answers bytes that share memory with nothing else", async () => {
    const [row] = await database.query("select '\\x0102'::bytea");
    expect(row?.[0] instanceof Uint8Array && row[0].buffer.byteLength).toBe(2);
  });

  it("commits what a transaction did when its work resolves", async () => {
    const value = await database.transaction(async (tx) => {
      await tx.query("insert into public.thing (id, name) values ($1, $2)", [1, "one"]);
      return "done";
    });
    expect(value).toBe("done");
    expect(await database.query("select name from public.thing where id = 1")).toEqual([["one"]]);
  });

  it("rolls back when the work throws, and passes its error on", async () => {
    const error = new Error("of the work");
    const attempt = database.transaction(async (tx) => {
      await tx.query("insert into public.thing (id) values (2)");
      throw error;
    });
    await expect(attempt).rejects.toBe(error);
    expect(await database.query("select from public.thing where id = 2")).toHaveLength(0);
  });

  it("does not call it committed when the work swallowed a failed statement", async () => {
    const attempt = database.transaction(async (tx) => {
      await tx.query("insert into public.thing (id) values (3)");
      await tx.query("select 1 / 0").catch(() => {});
    });
    await expect(attempt).rejects.toMatchObject({ sqlState: "25P02" });
    expect(await database.query("select from public.thing where id = 3")).toHaveLength(0);
  });

  it("takes no statement of a transaction that has ended", async () => {
    const tx = await database.transaction(async (inner) => inner);
    await expect(tx.query("insert into public.thing (id) values (4)")).rejects.toBeInstanceOf(DatabaseError);
    expect(await database.query("select from public.thing where id = 4")).toHaveLength(0);
  });

  it("loses no update of transactions that run at the same time", async () => {
    await database.query("insert into public.counter values (0)");
    const add = () =>
      database.transaction(async (tx) => {
        const [row] = await tx.query("select n from public.counter for update");
        await tx.query("update public.counter set n = $1", [Number(row?.[0]) + 1]);
      });
    await Promise.all(Array.from({ length: 30 }, add));
    expect(await database.query("select n from public.counter")).toEqual([[30]]);
  });

  it("names state and constraint of a refused statement, never a value", async () => {
    await database.query("insert into public.thing (id, name) values (10, $1)", [canary]);
    const error = await database.query("insert into public.thing (id, name) values (11, $1)", [canary]).catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(DatabaseError);
    expect(error).toMatchObject({ sqlState: "23505", constraint: "thing_name_key" });
    expect(everythingIn(error)).not.toContain(canary);
  });

  it("runs a script of several statements in one transaction", async () => {
    await expect(database.script("insert into public.thing (id) values (20); select 1 / 0;")).rejects.toMatchObject({ sqlState: "22012" });
    expect(await database.query("select from public.thing where id = 20")).toHaveLength(0);
    expect(await database.query("select 1")).toEqual([[1]]);
  });

  it("speaks drizzle: insert, conflict, returning, select, update, delete", async () => {
    const db = orm(database);
    const values = {
      contractId: "c-1",
      merchant: "m",
      vendor: "v",
      state: "draft",
      startsAt: "2026-01-01T00:00:00Z",
      endsAt: "2027-01-01T00:00:00Z",
      purgeDueAt: "2027-01-08T00:00:00Z",
      bundleDigest: "d",
    } as const;
    expect(await db.insert(contract).values(values).returning({ id: contract.contractId })).toEqual([{ id: "c-1" }]);
    expect(await db.insert(contract).values(values).onConflictDoNothing().returning()).toEqual([]);
    await db
      .insert(contract)
      .values({ ...values, vendor: "w" })
      .onConflictDoUpdate({ target: contract.contractId, set: { vendor: sql`excluded.vendor` } });
    await db.update(contract).set({ state: "active" }).where(eq(contract.contractId, "c-1"));
    const [found] = await db.select().from(contract).where(eq(contract.state, "active"));
    expect(found).toMatchObject({ contractId: "c-1", vendor: "w", state: "active" });
    expect(new Date(found?.endsAt ?? "").toISOString()).toBe("2027-01-01T00:00:00.000Z");

    const bytes = new Uint8Array([0, 1, 254, 255]);
    await db.insert(blindIndex).values({ contractId: "c-1", type: "customer", field: "phone", value: bytes, locator: "r", generation: 1 });
    const hit = and(eq(blindIndex.contractId, "c-1"), eq(blindIndex.value, bytes));
    expect(await db.select({ value: blindIndex.value }).from(blindIndex).where(hit)).toEqual([{ value: bytes }]);
    expect(await db.delete(blindIndex).where(hit).returning({ locator: blindIndex.locator })).toEqual([{ locator: "r" }]);

    const size = 2 ** 40;
    await db.insert(log).values({ log: "l", origin: "o", state: "open", size, root: bytes, range: new Uint8Array() });
    expect(await db.select({ size: log.size, range: log.range }).from(log)).toEqual([{ size, range: new Uint8Array() }]);
  });

  it("speaks drizzle inside a transaction, and rolls it back", async () => {
    const attempt = database.transaction(async (tx) => {
      await orm(tx).insert(flush).values({ log: "l", flushId: "e", head: "", entries: new Uint8Array() });
      throw new Error("stop");
    });
    await expect(attempt).rejects.toThrow("stop");
    expect(await orm(database).select().from(flush)).toEqual([]);
  });

  it("keeps drizzle from wrapping errors in the statement's values", async () => {
    const row = { log: canary, flushId: "e", head: "", entries: new Uint8Array() };
    await orm(database).insert(flush).values(row);
    const error = await orm(database)
      .insert(flush)
      .values(row)
      .catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ name: "DatabaseError", sqlState: "23505" });
    expect(everythingIn(error)).not.toContain(canary);
  });
});

describe.each(["postgres", "pglite"] as const)("a closed database on %s", (driver) => {
  it("says so, and that nothing ran", async () => {
    const server = driver === "postgres" ? await createPostgresDatabase() : null;
    const database = server ? openTestPool(server.ownerUrl) : await createMemoryDatabase();
    await database.query("select 1");
    await database.close();
    await database.close();
    const error = await database.query("select 1").catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(DatabaseUnavailable);
    expect(error).toMatchObject({ uncertain: false });
    await server?.drop();
  });
});

/** Also what a logger that prints hidden properties and causes would show. */
function everythingIn(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const own = Object.getOwnPropertyNames(error).map((name) => String(Reflect.get(error, name)));
  return [...own, error.cause === undefined ? "" : everythingIn(error.cause)].join("\n");
}
