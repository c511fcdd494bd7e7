/** The file of a connector that asks a database: what may be written in it, and the one statement that follows from it. */
import fc from "fast-check";
import { describe, expect, it, vi } from "vitest";
import { parseConnector, settle, statementFor } from "../src/connectors/index.ts";
import { describeProblem } from "../src/policy/index.ts";
import { attemptDatabase } from "../src/upstream/database.ts";
import { createNodeDatabaseReach, type OpenDatabase } from "../src/upstream/node-database-reach.ts";
import { refusedUrls } from "./support/refused-urls.ts";

const own = `connector: shop
postgres: { host: db.example.com, port: 5432, database: shop }
tables:
  orders:
    from: sales.orders
    key: id
    columns: [id, status, phone]
    lists: { items: { from: items, by: order_id, key: line, columns: [line, sku] } }
routes:
  - { get: "/orders/{id}", table: orders, resource: order }
  - { get: /orders, table: orders, resource: order, parameters: { phone: { search: phone }, since: after } }
`;

function said(text: string): string[] {
  const parsed = parseConnector(text, "c.yaml");
  return parsed.ok ? [] : parsed.refusal.map(describeProblem);
}

function settled() {
  const parsed = parseConnector(own, "c.yaml");
  const made = parsed.ok ? settle(parsed.value, {}) : parsed;
  if (!made.ok || !("tables" in made.value)) throw new Error("not a database's");
  return made.value;
}

describe("the file of a connector that asks a database", () => {
  it("says where it is, what is asked for, and by what; a table without a schema is one of public", () => {
    expect(said(own)).toEqual([]);
    expect(settled()).toMatchObject({
      host: "db.example.com",
      tables: { orders: { schema: "sales", name: "orders", lists: { items: { schema: "public", name: "items", records: 100 } } } },
      routes: [
        { by: "id", id: "id", records: { keys: [], list: false } },
        { id: "id", records: { keys: [], list: true }, parameters: { since: { after: "id" } } },
      ],
    });
  });

  it.each(refusedUrls.flatMap((url) => /^https:\/\/([^/#?\\]+)$/.exec(url)?.[1] ?? []))("may not lead to %s", (host) => {
    expect(said(own.replace("db.example.com", JSON.stringify(host)))).toEqual([expect.stringMatching(/^c\.yaml:2:19: /)]);
  });

  it.each([
    ["database: shop", "database: shop?sslmode=disable", "c.yaml:2:57: not the name of a database"],
    ["port: 5432", "port: 0", "c.yaml:2:41: "],
    ["port: 5432", "tls: false", 'c.yaml:2:35: unknown key "tls"'],
    ["port: 5432", "ca: nobody", "c.yaml:2:39: not certificates"],
    ["from: sales.orders", "from: 'sales.orders; drop table x'", "c.yaml:5:11: not the name of a table"],
    ["from: sales.orders", "from: 'a\"b'", "c.yaml:5:11: not the name of a table"],
    ["from: sales.orders", "from: pg_catalog.pg_authid", "c.yaml:5:11: a table of the database's own"],
    ["from: items", "from: information_schema.tables", "c.yaml:8:29: a table of the database's own"],
    ["id, status, phone]", "id, phone, 'x\"y']", "c.yaml:7:26: not the name of a column"],
    ["id, status, phone]", "id, phone, 'count(*)']", "c.yaml:7:26: not the name of a column"],
    ["id, status, phone]", "id, phone, phone]", "c.yaml:7:26: stands twice"],
    ["id, status, phone]", "status, phone]", 'c.yaml:6:10: "id" is none of the columns'],
    ["id, status, phone]", "id, items, phone]", "c.yaml:8:14: a column has this name already"],
    ["{ search: phone }", "{ search: mobile }", 'c.yaml:11:84: "mobile" is no column of orders'],
    ["{ search: phone }", "number", "c.yaml:11:74: limit, after, { search: email }"],
    ["{ phone: { search: phone }, since: after }", "{ since: after }", "c.yaml:11:12: asks for the whole table"],
    ['"/orders/{id}", table: orders', '"/orders/{id}", table: others', 'c.yaml:10:35: no table "others"'],
    ["resource: order }", 'resource: order, records: "body[]" }', "c.yaml:10:69: one record is no list"],
    ["resource: order }", "resource: order, parameters: { limit: limit } }", "c.yaml:10:60: one record is asked for by its key alone"],
    ["resource: order, parameters", "resource: order, by: phone, parameters", "c.yaml:11:53: the path has no {id}"],
    ["connector: shop", "connector: shop\nauthentication: basic", 'c.yaml:2:1: unknown key "authentication"'],
  ])("with %j as %j is refused by line and column", (from, to, problem) => {
    expect(said(own.replace(from, to)).join("\n")).toContain(problem);
  });

  it("makes one statement of one question, in whatever order it is asked, with nothing of the question in it", () => {
    const [, list] = settled().routes;
    if (!list) throw new Error("no such route");
    fc.assert(
      fc.property(fc.string(), fc.string(), (phone, since) => {
        const one = statementFor(settled(), list, { id: null, query: { phone, since } }, () => true);
        const other = statementFor(settled(), list, { id: null, query: { since, phone } }, () => true);
        expect(one).toEqual(other);
        expect(one.text).toMatch(/^select case when octet_length\(b\.body\) <= \$1::int then b\.body end, /);
        expect(one.params).toEqual(["1048576", phone, since, "101", "250"]);
        expect(one.text).toBe(statementFor(settled(), list, { id: null, query: { phone: "", since: "" } }, () => true).text);
      }),
    );
  });

  it("is asked nowhere that has no way to databases, as Workers have none", async () => {
    const asked = await attemptDatabase(undefined, settled(), { path: "/orders/1", query: {}, credential: "reader:x", nowMs: 0 });
    expect(asked).toEqual({ ok: false, fault: "unusable", detail: "databases are not asked from here" });
  });

  it("has its sessions for as long as somebody asks within a minute, and its role looked at each minute", async () => {
    vi.useFakeTimers();
    const closed: string[] = [];
    const looked: string[] = [];
    const open: OpenDatabase = ({ url, session }) => ({
      query: (text) => {
        looked.push(text);
        return Promise.resolve([]);
      },
      transaction: () => Promise.reject(new Error("no transactions")),
      script: () => Promise.reject(new Error("no scripts")),
      close: () => Promise.resolve(void closed.push(`${url} ${session.default_transaction_read_only}`)),
    });
    const reach = createNodeDatabaseReach({ open });
    const first = reach(settled(), "reader:a");
    expect(reach(settled(), "reader:b")).not.toBe(first);
    await first.examined();
    const once = looked.length;
    for (const seconds of [40, 40]) {
      vi.advanceTimersByTime(seconds * 1_000);
      expect(reach(settled(), "reader:a")).toBe(first);
      await first.examined();
    }
    expect(looked).toHaveLength(2 * once);
    expect(closed).toEqual(["postgres://reader:b@db.example.com:5432/shop on"]);
    vi.advanceTimersByTime(60_000);
    expect(closed).toHaveLength(2);
    expect(reach(settled(), "reader:a")).not.toBe(first);
    vi.useRealTimers();
  });

  it("has no statement made of a name that its language would not have taken", () => {
    const { tables, limits, routes } = settled();
    const [route] = routes;
    if (!route || !tables.orders) throw new Error("no such route");
    for (const key of ['id"', "id; --", "", "1id", "id\u0000", "a".repeat(64)]) {
      const changed = { limits, tables: { orders: { ...tables.orders, key } } };
      expect(() => statementFor(changed, route, { id: "1", query: {} }, () => true), key).toThrow("not a name");
    }
  });
});
