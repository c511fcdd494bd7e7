/** An agent asks a merchant's own database by way of the gateway: by keys and by what is equal, as a role that reads, and gets what the policy says. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { databaseProblems } from "../src/directory/database-problems.ts";
import { openPostgres } from "../src/storage/postgres.ts";
import { createNodeDatabaseReach, type OpenDatabase } from "../src/upstream/node-database-reach.ts";
import { bringIntoForce, expectStatus, problemOf } from "./support/agreement.ts";
import { exampleTables } from "./support/example-tables.ts";
import { openClear } from "./support/false-servers.ts";
import { compiled, type KioskWorld, kioskFile, openKioskWorld, signed } from "./support/kiosk.ts";
import { type Merchant, merchantHost, northwind, readerPassword } from "./support/merchant-database.ts";
import { promiseNorthwind } from "./support/northwind.ts";
import { hasShared } from "./support/shared.ts";
import { shippedConnector } from "./support/shop.ts";

let world: KioskWorld;
let merchant: Merchant;
let { ask, read, register, lastEntry } = {} as KioskWorld;

beforeAll(async () => {
  world = await openKioskWorld();
  ({ merchant, ask, read, register, lastEntry } = world);
});
afterAll(() => world.close());

describe("an agent asks a merchant's database", () => {
  it("for a record by its key, and gets each field by the policy, with no bytes, no points and nothing that no field names", async () => {
    const { buyer } = JSON.parse(await read("/buyers/b-1"));
    expect(buyer).toEqual({ id: "b-1", name: "林**", phone: "138****8000", mail: "k***@kiosk.example", level: 3, tags: ["new", "vip"] });
    expect(merchant.resolved).toContain(merchantHost);
  });

  it("and leaves one entry that names the record, before it comes", async () => {
    await expectStatus(ask("/sales/9007199254740993"), 200);
    const entry = await lastEntry();
    expect(entry).toMatchObject({ event: "record.read", outcome: { effect: "allow" }, facts: { upstream: "kiosk" } });
    expect(entry?.resource).toMatchObject({ type: "sale", fields: { total: "reveal", "receiver.name": "mask" } });
    expect(entry?.resource?.records).toEqual([{ locator: expect.stringMatching(/^r_/), subject: expect.stringMatching(/^s_/) }]);
  });

  it("with numbers as they lie there, rows of another table inside in their order, times in UTC", async () => {
    const text = await read("/sales/9007199254740993");
    expect(text).toContain('"id":9007199254740993,');
    expect(text).toContain('"paid_at":"2026-07-01T00:00:00+00:00","receiver":{"mobile":"138****8000","name":"林**"},"share":0.1,');
    expect(text).toContain('"total":47.840');
    expect(text).toContain('"lines":[{"line":1,"price":1.500,"sku":"sku-1"},{"line":2,');
    expect(await read("/sales/9007199254740995")).toMatch(/"share":"NaN",.*"total":10{400}\b/);
  });

  it("for the records of somebody, in pages in the order of the key, of which one entry names every record", async () => {
    const page = (text: string) => [...text.matchAll(/"id":(\d+)/g)].map(([, id]) => id);
    expect(page(await read("/buyers/b-1/sales"))).toEqual(["9007199254740993", "9007199254740995"]);
    const entry = await lastEntry();
    expect(entry?.event).toBe("record.searched");
    expect(entry?.resource?.records).toHaveLength(2);
    expect(new Set(entry?.resource?.records.map(({ subject }) => subject)).size).toBe(1);
    expect(page(await read("/buyers/b-1/sales?limit=1"))).toEqual(["9007199254740993"]);
    expect(page(await read("/buyers/b-1/sales?limit=1&after=9007199254740993"))).toEqual(["9007199254740995"]);
    expect(page(await read("/buyers/b-1/sales?state=closed"))).toEqual(["9007199254740995"]);
    expect(await read("/buyers/nobody/sales")).toBe("[]");
  });

  it("by a protected value where the policy has it searchable, not by what is masked, and never for a whole table", async () => {
    expect(JSON.parse(await read("/buyers?phone=13800138000"))).toMatchObject({ buyers: [{ id: "b-1" }] });
    expect((await lastEntry())?.facts).toMatchObject({ searched_by: "phone" });
    expect(JSON.parse(await read("/buyers?phone=138%"))).toEqual({ buyers: [] });
    expect(JSON.parse(await read("/buyers?level=3&phone=13900139000"))).toEqual({ buyers: [] });
    expect((await problemOf(ask("/buyers?name=abc"), 403)).errors).toEqual([{ pointer: "query:name", code: "not_shown" }]);
    expect((await problemOf(ask("/phones/13800138000/guests"), 403)).errors).toEqual([{ pointer: "path", code: "not_shown" }]);
    expect((await problemOf(ask("/buyers"), 400)).errors).toEqual([{ pointer: "query", code: "missing" }]);
    expect((await problemOf(ask("/buyers/b-1?fields=photo"), 400)).errors).toEqual([{ pointer: "query", code: "unknown" }]);
  });

  it("and of what is not there, or is of another type than the column, is told that it is not there", async () => {
    for (const path of ["/buyers/b-9", "/sales/1", "/sales/abc", "/sales/99999999999999999999999999"]) await problemOf(ask(path), 404);
    expect(JSON.parse(await read("/buyers/b-1/sales?state=nothing"))).toEqual([]);
  });
});

/** In places where a value goes. */
const injections = [
  "' or '1'='1",
  "'; drop table kiosk.buyers; --",
  "$1",
  "$$; delete from kiosk.buyers; $$",
  "13800138000' union select 1 --",
  "b-1--",
  '" or ""="',
  "%27%20or%201=1",
  "E'\\x27'",
  "b-1/*",
];

describe("nothing that an agent writes is ever a part of a statement", () => {
  it.each(injections)("%s is a value that nothing has, or is no value", async (text) => {
    const value = encodeURIComponent(text);
    const paths = [
      ...["phone", "mail", "level", "name"].map((name) => `/buyers?${name}=${value}`),
      `/buyers?${value}=1`,
      `/buyers/${value}`,
      `/buyers/${value}/sales`,
      ...["state", "limit", "after"].map((name) => `/buyers/b-1/sales?${name}=${value}`),
    ];
    const answers = await Promise.all(paths.map(async (path) => ({ path, answer: await ask(path) })));
    for (const { path, answer } of answers) {
      const said = await answer.text();
      if (answer.status === 200) expect(said, path).toBe(path.startsWith("/buyers?") ? '{"buyers":[]}' : "[]");
      else expect([400, 403, 404], path).toContain(answer.status);
      expect(said).not.toMatch(/13[89]00|syntax|relation|SQLSTATE|kanarie/);
    }
    expect(await merchant.admin.query("select count(*)::int, now() from kiosk.buyers")).toEqual([[2, expect.anything()]]);
  });

  it("and who tries much that is not there is told of, once", async () => {
    const tries = Array.from({ length: 50 }, (_, n) => ask(n % 2 === 0 ? `/buyers/${n}` : `/buyers?phone=130000000${n}`));
    for (const answer of await Promise.all(tries)) expect([200, 404]).toContain(answer.status);
    expect((await world.entries()).filter(({ event }) => event === "seat.guessing")).toHaveLength(1);
  });

  it("and the server's log has the statements without a value", async () => {
    await read("/buyers?phone=13900139000");
    await read("/buyers/b-1/sales?state=open&limit=7");
    const texts = (await merchant.log.statements(merchant.admin)).filter(({ role }) => role === "reader").map(({ text }) => text);
    const asked = texts.filter((text) => text.includes("json_agg"));
    expect(new Set(asked).size).toBeGreaterThan(4);
    for (const text of asked) {
      expect(text).toMatch(/^select case when octet_length/);
      expect(text.replaceAll("'[]'", "")).not.toContain("'");
      expect(text).not.toMatch(/1390|b-1|open|limit 7/);
    }
    expect(texts.filter((text) => /\b(insert|update|delete|set|begin)\b/i.test(text.replaceAll(/'[^']*'/g, "")))).toEqual([]);
  });
});

describe("a merchant's database that does not behave", () => {
  const outcome = async (path: string, name?: string) => {
    const began = Date.now();
    const answer = await ask(path, name);
    const text = await answer.text();
    expect(text).not.toMatch(/kanarie|reader|kiosk\.(?!example)|postgres|SQLSTATE|127\.0\.0\.1/);
    expect(Date.now() - began).toBeLessThan(3_500);
    return [answer.status, (await lastEntry())?.outcome.code, (await lastEntry())?.facts?.upstream_fault];
  };

  it("that is slow is late, and its statement is ended", async () => {
    expect(await outcome("/slow/b-1")).toEqual([504, "upstream_late", undefined]);
    const under = () => merchant.admin.query("select pid, now() from pg_stat_activity where usename = 'reader' and state = 'active'");
    await expect.poll(under).toEqual([]);
  });

  it("whose view would write does not: the session only reads", async () => {
    expect(await outcome("/writing/b-1")).toEqual([502, "upstream_failed", "database refused with SQLSTATE 25006"]);
    expect(await merchant.admin.query("select count(*)::int, now() from kiosk.lines where line = 0")).toEqual([[0, expect.anything()]]);
  });

  it("that has more rows than the limit, a longer list or a longer text gives nothing, and no part of it", async () => {
    expect(await outcome("/sales/9007199254740997")).toEqual([502, "upstream_failed", "a list is too long"]);
    await merchant.admin.script("insert into kiosk.buyers (id, phone) select 'c-' || n, '13700137000' from generate_series(1, 11) n");
    expect((await outcome("/buyers?phone=13700137000")).slice(0, 2)).toEqual([502, "upstream_failed"]);
    await merchant.admin.script("insert into kiosk.buyers (id, name) values ('d-1', repeat('kanarie', 1000))");
    expect(await outcome("/buyers/d-1")).toEqual([502, "upstream_failed", "its answer is too large, or is no JSON"]);
    await merchant.admin.script("delete from kiosk.buyers where id ~ '^[cd]'");
  });

  it("whose key is that of two records gives neither", async () => {
    await merchant.admin.script("create view kiosk.twice as select * from kiosk.buyers union all select * from kiosk.buyers");
    await merchant.admin.script("grant select on kiosk.twice to reader");
    await expectStatus(register("second", kioskFile.replace("from: kiosk.buyers", "from: kiosk.twice")), 200);
    expect(await outcome("/buyers/b-1", "second")).toEqual([502, "upstream_failed", "its key is not that of one record"]);
  });

  it("that hangs is late, and is asked again once it goes on", async () => {
    merchant.cluster.hang();
    expect(await outcome("/buyers/b-1").finally(() => merchant.cluster.goOn())).toEqual([504, "upstream_late", undefined]);
    await expect.poll(async () => (await ask("/buyers/b-1")).status, { timeout: 5_000 }).toBe(200);
  });

  it("whose role was given more is asked nothing any more", async () => {
    const own = kioskFile.replace("seconds: 1", "seconds: 3");
    await expectStatus(register("second", own), 200);
    await merchant.admin.script("grant insert on kiosk.buyers to reader");
    expect(await outcome("/buyers/b-1", "second")).toEqual([
      502,
      "upstream_failed",
      "its role may do more than read: it may write kiosk.buyers",
    ]);
    await merchant.admin.script("revoke insert on kiosk.buyers from reader");
    expect((await outcome("/buyers/b-1", "second"))[0]).toBe(200);
  });

  it("that changed its password, or lost a column, says so to the owner, and nothing of it to the agent", async () => {
    const own = kioskFile.replace("seconds: 1", "seconds: 4");
    await expectStatus(register("second", own), 200);
    await merchant.admin.script("alter role reader password 'another'");
    expect(await outcome("/buyers/b-1", "second")).toEqual([
      502,
      "upstream_failed",
      "the database server does not take this role's password (SQLSTATE 28P01)",
    ]);
    const listed = await world.gateway.call("GET", "/v1/contracts/c-test/connectors/second", { as: "owner-1" });
    expect(await listed.json()).toMatchObject({ authentication: "role", refused_at: expect.stringMatching(/^20/) });
    await merchant.admin.script(`alter role reader password '${readerPassword}'`);
    await expect.poll(async () => (await ask("/buyers/b-1", "second")).status).toBe(200);
    await merchant.admin.script("alter table kiosk.buyers rename column level to grade");
    expect((await outcome("/buyers/b-1", "second")).slice(0, 2)).toEqual([502, "upstream_failed"]);
    await merchant.admin.script("alter table kiosk.buyers rename column grade to level");
  });
});

describe("an owner who registers a database", () => {
  const problems = async (text: string, credential?: string) => (await problemOf(register("other", text, credential), 422)).errors ?? [];

  it.each([
    ["a role that may write", "clerk", "it may write kiosk.sales"],
    ["a superuser", "chief", "it has the powers of"],
  ])("is refused %s, and told why", async (_what, role, said) => {
    const [first] = await problems(kioskFile, `${role}:${readerPassword}`);
    expect(first?.message).toMatch(/^other\.yaml:2:1: the role may do more than read: /);
    expect(first?.message).toContain(said);
  });

  it("is refused a role that may create, a password that is none, and a credential of another kind", async () => {
    await merchant.admin.script("grant create on schema kiosk to reader");
    expect((await problems(kioskFile))[0]?.message).toContain("it may create in kiosk");
    await merchant.admin.script("revoke create on schema kiosk from reader");
    expect((await problems(kioskFile, "reader:wrong"))[0]?.message).toContain("does not take this role's password");
    expect((await problems(kioskFile, readerPassword))[0]).toMatchObject({ pointer: "/credential", code: "grammar" });
  });

  it.each([
    ["from: kiosk.sales", "from: kiosk.nothing", "kiosk.nothing has no column id that the role may read"],
    ["photo, spot, level", "photo, spots, level", "kiosk.buyers has no column spots that the role may read"],
    ["{ filter: level, as: number }", "{ filter: photo, as: id }", "is compared with nothing"],
    ["key: line", "key: nothing", "kiosk.lines has no column nothing that the role may read"],
    ["resource: sale }", "resource: nothing }", "no such resource"],
    ["{ search: mail }", "{ search: spot2 }", "is no column of buyers"],
  ])("is told by line what the database does not have: %s as %s", async (from, to, said) => {
    const [first] = await problems(kioskFile.replace(from, to));
    expect(first?.pointer).toMatch(/^other\.yaml:\d+:\d+$/);
    expect(first?.message).toContain(said);
  });

  it("has it refused where nobody asks databases", async () => {
    const [first] = await databaseProblems(undefined, compiled(kioskFile), `reader:${readerPassword}`);
    expect(first).toMatchObject({ line: 2, message: "no database is asked from Workers" });
  });

  it("has none of a network that is not public, whatever its name led to before, and none whose certificate is another's", async () => {
    const { connector } = compiled(signed(merchant, kioskFile));
    const insecureClear = merchant.certificate === null;
    const open: OpenDatabase = (options) => openPostgres({ ...options, url: merchant.urlFor(options.url) });
    const trying = async (rules: object, asked = connector) =>
      createNodeDatabaseReach({ open, insecureClear, ...rules })(asked, `reader:${readerPassword}`).query("select now()");
    const leading = (...addresses: string[]) => ({ resolve: () => Promise.resolve(addresses.map((address) => ({ address, family: 4 }))) });
    for (const rules of [leading("127.0.0.1"), leading("127.0.0.1", "93.184.216.34"), leading("::ffff:127.0.0.1"), leading()])
      await expect(trying(rules)).rejects.toThrow("the database cannot be reached");
    const loopback = { ...leading("127.0.0.1"), isAllowed: () => true };
    await expect(trying(loopback)).resolves.toHaveLength(1);
    if (insecureClear) return;
    const { ca: _, ...unsigned } = connector;
    for (const other of [unsigned, { ...connector, host: "other.kiosk.example" }])
      await expect(trying(loopback, other)).rejects.toThrow("the database cannot be reached");
  });

  it("and says nothing in the clear to a server that speaks no TLS", async () => {
    const clear = await openClear();
    const open: OpenDatabase = (options) => openPostgres({ ...options, url: options.url.replace(":5432", `:${clear.port}`) });
    const resolve = () => Promise.resolve([{ address: "127.0.0.1", family: 4 }]);
    const reach = createNodeDatabaseReach({ open, resolve, isAllowed: () => true });
    await expect(reach(compiled(kioskFile).connector, `reader:${readerPassword}`).query("select now()")).rejects.toThrow(
      "cannot be reached",
    );
    expect(clear.heard().length).toBeGreaterThan(8);
    expect(clear.heard()).not.toMatch(/reader|kanarie|shop|now\(\)/);
    await clear.close();
  });
});

describe.runIf(hasShared(northwind))("Northwind, served by a page of YAML", () => promiseNorthwind(() => world));

describe("the connector that comes with Postern", () => {
  it("serves the tables that it is written for, by the policy that it is written for", async () => {
    await merchant.admin.script(exampleTables);
    await bringIntoForce(world.gateway, { contract: "c-shop" });
    const place = `postgres:\n  host: ${merchantHost}\n  database: shop\n`;
    const text = shippedConnector("postgres").replace(/^postgres: .*\nsettings: .*\n/m, place);
    await expectStatus(register("shop", text, undefined, "c-shop"), 200);
    const said = async (path: string) => JSON.parse(await read(path, "shop", "c-shop"));
    const customer = { name: "欧阳**", phone: "139****8000", email: "o***@shop.example", vip: true, level: "gold" };
    expect(await said("/customers/c-1")).toMatchObject(customer);
    expect(await said("/customers?phone=13900138000")).toEqual({ customers: [expect.objectContaining(customer)] });
    const order = { order_no: "A-7", status: "paid", amount: 259.9, receiver: { name: "欧阳**" }, items: [{ sku: "S-1", quantity: 2 }] };
    expect(await said("/orders/A-7")).toMatchObject(order);
    expect(await said("/customers/c-1/orders?status=paid&limit=5")).toMatchObject({ orders: [order] });
  });
});
