/**
 * What may stand between us and the database (Hyperdrive, a pooler in transaction mode) forbids: session state, and reads that a cache could answer.
 * Held to by every statement that a server was sent while everything happened that somebody comes for, as the server's own log has them.
 */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createPostgresShareStore, shareStoreSchema } from "../src/keys/postgres-share-store.ts";
import { checkMigrationDigests, type Database, migrate, migrationsOfThisBuild } from "../src/storage/index.ts";
import { readMigrations } from "../src/storage/node-migrations.ts";
import { type Agreement, bringIntoForce, search } from "./support/agreement.ts";
import { type Cluster, openTestPool, startCluster } from "./support/databases.ts";
import { createGateway, createMemoryAnchor } from "./support/gateway.ts";
import { createServerLog, type LoggedStatement, logEverything } from "./support/server-log.ts";
import { breachesOf, isRead, spreadOver } from "./support/statement-rules.ts";
import { watchRoutes } from "./support/watch-routes.ts";
import { journeyBeforeThePurge, journeyToANewEpoch, journeyToTheCertificate } from "./support/whole-journey.ts";

const serving = ["postern_edge", "postern_keeper", "share_keeper"];
/** Of the tables whose primary key begins with a contract or a log: that column. */
const firstKeys = `select c.conrelid::regclass::text, a.attname, now() from pg_constraint c
  join pg_attribute a on a.attrelid = c.conrelid and a.attnum = c.conkey[1]
  where c.contype = 'p' and a.attname in ('contract_id', 'log')`;
const outlived = { contract: "c-outlived" } as const satisfies Agreement;

describe("every statement that the gateway sends, whatever somebody comes for", () => {
  const log = createServerLog();
  const opened: Database[] = [];
  let cluster: Cluster;
  let statements: LoggedStatement[];
  let unserved: string[];
  let keys: ReadonlyMap<string, string>;

  const open = (database: string, role?: string) => {
    const pool = openTestPool(cluster.urlOf(database, role), { deadlineMs: 30_000 });
    opened.push(pool);
    return pool;
  };

  beforeAll(async () => {
    cluster = await startCluster({ settings: ["fsync=off", ...logEverything], onLog: log.hear });
    const owner = open("postgres");
    await migrate(owner, readMigrations());
    await owner.script("create role share_keeper login");
    await owner.query("create database shares");
    await open("shares").script(
      `${shareStoreSchema} grant select, insert, update, delete on postern_share, postern_deletion to share_keeper`,
    );
    const shares = open("shares", "share_keeper");
    const [edge, keeper] = [open("postgres", "postern_edge"), open("postgres", "postern_keeper")];
    const anchor = createMemoryAnchor();
    const common = { shares: createPostgresShareStore(shares) };
    const gateway = await watchRoutes(await createGateway({ database: keeper, edgeDatabase: edge, common, keeper: { anchor } }));
    for (const side of [edge, keeper]) await checkMigrationDigests(side, migrationsOfThisBuild);
    await journeyBeforeThePurge(gateway);
    await journeyToTheCertificate(gateway);
    await bringIntoForce(gateway, outlived);
    await owner.query(
      "update postern.contract set ends_at = now() - interval '8 days', purge_due_at = now() where contract_id = 'c-outlived'",
    );
    await gateway.keeper.tick();
    await search(gateway, { id: "U1" }, outlived).catch(() => null);
    await gateway.keeper.sequence();
    await journeyToANewEpoch(gateway, anchor, "gateway");
    expect(gateway.faults).toEqual([]);
    unserved = gateway.unserved();
    keys = new Map((await owner.query(firstKeys)) as [string, string][]);
    const heard = await log.statements(owner);
    statements = heard.filter(({ role }) => serving.includes(role));
  }, 60_000);

  afterAll(async () => {
    await Promise.all(opened.map((database) => database.close()));
    await cluster.remove();
  });

  it("was seen: each documented route answered at least once, and hundreds of statements came", () => {
    expect(unserved).toEqual([]);
    expect(new Set(statements.map(({ role }) => role))).toEqual(new Set(serving));
    expect(new Set(statements.map(({ text }) => text)).size).toBeGreaterThan(80);
    expect(statements.filter(isRead).length).toBeGreaterThan(100);
  });

  it("leaves no state in its session, and no read lets a cache answer it", () => {
    expect(breachesOf(statements)).toEqual([]);
  });

  it("says on the way of an agent's request of which contract or log it is, so that a database spread by that asks one machine", () => {
    const asked = [...new Set(statements.filter(({ role }) => role === "postern_edge").map(({ text }) => text))];
    expect(asked.filter((text) => spreadOver(text, keys).length === 0).length).toBeGreaterThan(10);
    const spread = asked.map((text) => spreadOver(text, keys)).filter((tables) => tables.length > 0);
    expect(new Set(spread.map(String)), "the contracts of an agent, and two looks of the readiness check").toEqual(
      new Set(["postern.seat,postern.contract", "audit.log,audit.upkeep,audit.pending", "audit.upkeep"]),
    );
  });

  it("goes alone: several at once and without parameters only as the driver's greeting", () => {
    const simple = statements.filter(({ protocol }) => protocol === "simple");
    expect(new Set(simple.map(({ text }) => text))).toEqual(new Set(["select now()"]));
  });
});

describe("the rules notice", () => {
  it.each([
    ["session", "set statement_timeout = '5s'"],
    ["session", "SET SESSION CHARACTERISTICS AS TRANSACTION READ ONLY"],
    ["session", "reset all"],
    ["session", "discard all"],
    ["session", "listen wake"],
    ["session", "notify wake, 'x'"],
    ["session", "select pg_notify('wake', 'x'), now()"],
    ["session", "select pg_advisory_lock(1), now()"],
    ["session", "select pg_try_advisory_xact_lock(1), now()"],
    ["session", "select set_config('a.b', 'c', false), now()"],
    ["session", "create temp table t (n int)"],
    ["session", "create temporary table t as select now()"],
    ["session", "declare c cursor for select now()"],
    ["session", "fetch 10 from c"],
    ["session", "prepare p as select now()"],
    ["session", "execute p"],
    ["session", "deallocate p"],
    ["session", "load 'x'"],
    ["session", "select currval('s'), now()"],
    ["session", "lock table postern.contract"],
    ["cacheable", "select state from postern.contract where contract_id = $1"],
    ["cacheable", "SELECT 'now()' as \"now()\" from postern.contract -- now()"],
    ["cacheable", "with c as (select 1) select * from c"],
    ["cacheable", "with c as (select 'insert into x') select * from c"],
    ["cacheable", "table postern.contract"],
    ["cacheable", "values (1)"],
    ["cacheable", "show server_version"],
  ])("%s: %s", (breach, text) => {
    expect(breachesOf([{ role: "postern_edge", protocol: "extended", text }])).toEqual([`${breach}: ${text}`]);
  });

  it.each([
    "select state, now() from postern.contract",
    "with e as (insert into postern.seat values ('x') returning 1) select state from audit.log",
    "insert into postern.seat select * from x",
    "update postern.contract set state = 'ended'",
    "delete from audit.pending",
    "begin",
    "commit",
    "rollback",
    "select value, now() from audit.log where prepare = 'set listen'",
  ])("nothing in: %s", (text) => {
    expect(breachesOf([{ role: "postern_edge", protocol: "extended", text }])).toEqual([]);
  });
});

describe("a statement is spread over machines", () => {
  const keys = new Map([
    ["postern.seat", "contract_id"],
    ["audit.log", "log"],
  ]);

  it.each([
    ["select 1 from postern.seat where subject = $1", ["postern.seat"]],
    ["select 1 from postern.seat s join audit.log l on l.log = s.contract_id where l.log = $1", []],
    ["select 1 from postern.seat s join audit.log l on l.log = s.contract_id", ["postern.seat", "audit.log"]],
    ["select 1 from postern.seat s join audit.log l on l.log = $1 where s.subject = $2", ["postern.seat"]],
    ['select 1 from "postern"."seat" where "postern"."seat"."contract_id" = $1', []],
    ["update postern.seat set name = $2 where contract_id = $1", []],
    ["update postern.seat set contract_id = contract_id where subject = $1", ["postern.seat"]],
    ["insert into postern.seat (contract_id, name) values ($1, $2)", []],
    ["insert into postern.seat (name) values ($1)", ["postern.seat"]],
    ["select 1 from postern.other where x = $1", []],
    ["select extract(epoch from postern.seat.seen_at) from postern.seat where postern.seat.contract_id = $1", []],
  ])("%s: %j", (text, tables) => {
    expect(spreadOver(text, keys)).toEqual(tables);
  });
});
