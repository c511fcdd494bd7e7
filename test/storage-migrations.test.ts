/** Migrations: once, in order, whole or not at all, by one process at a time; and the drizzle schemas say what they say. */
import { is } from "drizzle-orm";
import { getTableConfig, PgTable } from "drizzle-orm/pg-core";
import { afterEach, describe, expect, it } from "vitest";
import * as approvals from "../src/approvals/schema.ts";
import * as audit from "../src/audit/schema.ts";
import * as glasses from "../src/break-glass/schema.ts";
import * as contracts from "../src/contracts/schema.ts";
import * as copies from "../src/copies/schema.ts";
import * as disclosure from "../src/disclosure/schema.ts";
import * as erasure from "../src/erasure/schema.ts";
import * as idempotency from "../src/idempotency/schema.ts";
import * as identity from "../src/identity/schema.ts";
import * as keys from "../src/keys/schema.ts";
import * as passkeys from "../src/passkeys/schema.ts";
import { dyingStores, stores } from "../src/purge/plan.ts";
import * as purge from "../src/purge/schema.ts";
import * as records from "../src/records/schema.ts";
import * as requests from "../src/requests/schema.ts";
import * as revocations from "../src/revocations/schema.ts";
import * as rotation from "../src/rotation/schema.ts";
import * as scim from "../src/scim/schema.ts";
import * as serviceKeys from "../src/service-keys/schema.ts";
import * as sessions from "../src/sessions/schema.ts";
import { checkMigrations, type Database, type Migration, MigrationRefused, migrate } from "../src/storage/index.ts";
import { readMigrations } from "../src/storage/node-migrations.ts";
import * as upstream from "../src/upstream/schema.ts";
import { createMemoryDatabase, createOwnerDatabase, createPostgresDatabase, openTestPool } from "./support/databases.ts";

const closers: (() => Promise<void>)[] = [];

afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

const one: Migration = { number: 1, name: "0001-one.sql", text: "create table one (n int); insert into one values (1);" };
const two: Migration = { number: 2, name: "0002-two.sql", text: "create table two (n int);" };

/** A database that no migration has left anything in. */
async function emptyDatabase(driver: "postgres" | "pglite"): Promise<Database> {
  const database = await (driver === "pglite" ? createMemoryDatabase() : createOwnerDatabase());
  closers.push(() => database.close());
  await database.script("drop schema postern cascade; drop schema audit cascade; drop table public.postern_migration;");
  return database;
}

describe.each(["postgres", "pglite"] as const)("migrations on %s", (driver) => {
  it("run once, and are known afterwards", async () => {
    const database = await emptyDatabase(driver);
    await expect(checkMigrations(database, [one])).rejects.toThrow("lacks migration 0001-one.sql");
    expect(await migrate(database, [one])).toEqual(["0001-one.sql"]);
    expect(await migrate(database, [one, two])).toEqual(["0002-two.sql"]);
    expect(await migrate(database, [one, two])).toEqual([]);
    await checkMigrations(database, [one, two]);
    expect(await database.query("select n from one")).toEqual([[1]]);
  });

  it("leave nothing of a file that fails halfway, and go on once it is mended", async () => {
    const database = await emptyDatabase(driver);
    const broken = { ...two, text: "create table two (n int); select 1 / 0;" };
    await expect(migrate(database, [one, broken])).rejects.toMatchObject({
      name: "MigrationFailed",
      message: "migration 0002-two.sql was not applied: the database refused it with SQLSTATE 22012",
    });
    expect(await database.query("select to_regclass('two'), (select count(*)::int from public.postern_migration)")).toEqual([[null, 1]]);
    expect(await migrate(database, [one, two])).toEqual(["0002-two.sql"]);
  });

  it("refuse a file that was changed after it ran, and a database newer than the build", async () => {
    const database = await emptyDatabase(driver);
    await migrate(database, [one, two]);
    const changed = { ...one, text: `${one.text} ` };
    const refusals: [readonly Migration[], string][] = [
      [[changed, two], "migration 0001-one.sql was changed after it was applied to this database"],
      [[one], "the database is newer than this build: it has migration 0002-two.sql"],
    ];
    for (const [migrations, message] of refusals) {
      for (const act of [migrate, checkMigrations]) {
        const error = await act(database, migrations).catch((thrown: unknown) => thrown);
        expect(error).toBeInstanceOf(MigrationRefused);
        expect(error).toMatchObject({ message });
      }
    }
  });
});

describe("migrations of this build", () => {
  it("run by several processes at once, each file by exactly one", async () => {
    const database = await emptyDatabase("postgres");
    const slow = { ...two, text: `select pg_sleep(0.2); ${two.text}` };
    const applied = await Promise.all(Array.from({ length: 4 }, () => migrate(database, [one, slow])));
    expect(applied.flat().sort()).toEqual(["0001-one.sql", "0002-two.sql"]);
  });

  it("leave nothing of a file in the midst of which the connection ends, and go on from there", async () => {
    const database = await emptyDatabase("postgres");
    const slow = { ...two, text: `${two.text} select pg_sleep(20);` };
    const interrupted = migrate(database, [one, slow]).catch((error: unknown) => error);
    const asleep = "select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database() and wait_event = 'PgSleep'";
    await expect.poll(() => database.query(asleep), { timeout: 10_000, interval: 20 }).toEqual([[true]]);
    expect(await interrupted).toMatchObject({ name: "DatabaseUnavailable" });
    expect(await database.query("select to_regclass('two'), (select count(*)::int from public.postern_migration)")).toEqual([[null, 1]]);
    expect(await migrate(database, [one, two])).toEqual(["0002-two.sql"]);
  });

  it("are those of the database the tests use", async () => {
    const server = await createPostgresDatabase();
    const database = openTestPool(server.ownerUrl);
    closers.push(server.drop, () => database.close());
    await checkMigrations(database, readMigrations());
    expect(await migrate(database, readMigrations())).toEqual([]);
  });

  it("give every growing table a primary key that starts with its contract or log", async () => {
    const database = await createMemoryDatabase();
    closers.push(() => database.close());
    const rows = await database.query(primaryKeys);
    expect(rows.length).toBeGreaterThan(15);
    const bounded = ["clock", "idempotency", "passkey", "revocation", "scim_token", "scim_user", "session", "spent_proof"];
    const growing = rows.filter(([, table]) => !bounded.includes(String(table)));
    const strays = growing.filter(([, , columns]) => !/^(contract_id|log)(,|$)/.test(String(columns)));
    expect(strays).toEqual([]);
  });

  it("leave a planner that knows nothing yet of what is held of customers no other way to a row than its primary key", async () => {
    const server = await createPostgresDatabase();
    const database = openTestPool(server.ownerUrl);
    closers.push(server.drop, () => database.close());
    const strays: string[] = [];
    for (const [table, key, columns] of await database.query(primaryKeyTypes)) {
      const asked = (JSON.parse(String(columns)) as [name: string, type: string][]).map(
        ([name, type]) => `${name} = (select null::${type})`,
      );
      const plan = (await database.query(`explain select from ${table} where ${asked.join(" and ")}`)).flat().join("\n");
      if (!plan.includes(` using ${key} on `)) strays.push(`${table}: ${plan}`);
    }
    expect(strays).toEqual([]);
  });

  it("give every table that dies the primary key in whose order the purge deletes", async () => {
    const database = await createMemoryDatabase();
    closers.push(() => database.close());
    const keys = (await database.query(primaryKeys)).map(([schema, table, columns]) => [`${schema}.${table}`, columns]);
    const planned = dyingStores.map((table) => [table, ["contract_id", ...stores[table].key].join(",")]);
    expect(Object.fromEntries(keys)).toMatchObject(Object.fromEntries(planned));
  });

  it("are what the drizzle schemas say: every table, column, type, nullability and primary key", async () => {
    const database = await createMemoryDatabase();
    closers.push(() => database.close());
    const modules: Record<string, unknown>[] = [
      contracts,
      approvals,
      keys,
      records,
      requests,
      purge,
      audit,
      copies,
      disclosure,
      rotation,
      erasure,
      idempotency,
      identity,
      revocations,
      serviceKeys,
      sessions,
      glasses,
      passkeys,
      scim,
      upstream,
    ];
    const tables = modules.flatMap((module) => Object.values(module)).filter((value) => is(value, PgTable));
    expect(tables.flatMap(columnsOf).sort()).toEqual((await database.query(columns)).map(String).sort());
    expect(tables.map(primaryKeyOf).sort()).toEqual(
      (await database.query(primaryKeys)).map(([schema, table, key]) => `${schema}.${table} ${key}`).sort(),
    );
  });
});

const columns = `select format('%s.%s.%s %s%s', n.nspname, c.relname, a.attname, format_type(a.atttypid, a.atttypmod), case when a.attnotnull then ' not null' else '' end)
  from pg_attribute a join pg_class c on c.oid = a.attrelid join pg_namespace n on n.oid = c.relnamespace
  where n.nspname in ('postern', 'audit') and c.relkind in ('r', 'p') and a.attnum > 0 and not a.attisdropped`;

const primaryKeys = `select n.nspname, c.relname, string_agg(a.attname, ',' order by k.at)
  from pg_constraint p join pg_class c on c.oid = p.conrelid join pg_namespace n on n.oid = c.relnamespace
  cross join unnest(p.conkey) with ordinality k(attnum, at) join pg_attribute a on a.attrelid = c.oid and a.attnum = k.attnum
  where p.contype = 'p' and n.nspname in ('postern', 'audit') group by 1, 2`;

/** Of the tables that have a row or more for each customer. */
const primaryKeyTypes = `select c.conrelid::regclass::text, c.conname, json_agg(json_build_array(a.attname, format_type(a.atttypid, a.atttypmod)))::text
  from pg_constraint c join pg_attribute a on a.attrelid = c.conrelid and a.attnum = any(c.conkey)
  where c.contype = 'p' and c.conrelid in ('postern.record'::regclass, 'postern.blind_index'::regclass, 'postern.subject_key'::regclass)
  group by 1, 2 order by 1`;

function columnsOf(table: PgTable): string[] {
  const { schema, name, columns: own, primaryKeys: composite } = getTableConfig(table);
  const inKey = new Set(composite.flatMap((key) => key.columns.map((column) => column.name)));
  return own.map((column) => {
    const required = column.notNull || column.primary || inKey.has(column.name);
    return `${schema}.${name}.${column.name} ${column.getSQLType()}${required ? " not null" : ""}`;
  });
}

function primaryKeyOf(table: PgTable): string {
  const { schema, name, columns: own, primaryKeys: composite } = getTableConfig(table);
  const key = composite[0]?.columns ?? own.filter((column) => column.primary);
  return `${schema}.${name} ${key.map((column) => column.name).join(",")}`;
}
