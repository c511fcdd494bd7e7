/** A connector's file: what may be written in it, and what is refused with its line and column. */
import { readdirSync, readFileSync } from "node:fs";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  bodyOf,
  type Connector,
  type ConnectorRoute,
  errorIn,
  parseConnector,
  recordsIn,
  routeOf,
  settle,
  takesValue,
} from "../src/connectors/index.ts";
import { type JsonObject, parseJson, printJson } from "../src/kernel/index.ts";
import { describeProblem, parsePolicy } from "../src/policy/index.ts";
import { refusedUrls } from "./support/refused-urls.ts";

const file = `connector: shop
base: https://{shop}.example.com/api
settings: { shop: label }
authentication: bearer
routes:
  - get: /orders/{id}.json
    resource: order
    records: body.order
    parameters: { limit: number, phone: { search: phone } }
`;

function said(text: string): string[] {
  const parsed = parseConnector(text, "c.yaml");
  return parsed.ok ? [] : parsed.refusal.map(describeProblem);
}

function connector(text = file, settings: Record<string, string> = { shop: "acme" }) {
  const parsed = parseConnector(text, "c.yaml");
  if (!parsed.ok) throw new Error(parsed.refusal.map(describeProblem).join("\n"));
  return settle(parsed.value, settings);
}

describe("a connector's file", () => {
  it("says where it goes, what may be asked for and where records lie", () => {
    const settled = connector();
    expect(settled.ok && settled.value).toMatchObject({ host: "acme.example.com", base: "/api", caller: "bearer" });
  });

  it.each(refusedUrls)("may not lead to %s", (url) => {
    const problems = said(file.replace("https://{shop}.example.com/api", JSON.stringify(url)).replace("settings: { shop: label }\n", ""));
    expect(problems).toHaveLength(1);
    expect(problems[0]).toMatch(/^c\.yaml:2:7: /);
  });

  it.each(["127.0.0.1", "a.b", "acme.evil", "acme/", "acme#", "ACME", "", "a@b", "x".repeat(64)])("takes no shop called %j", (shop) => {
    const settled = connector(file, { shop });
    expect(settled.ok ? [] : settled.refusal.map(describeProblem)).toEqual([expect.stringMatching(/^c\.yaml:3:13: the setting shop/)]);
  });

  it("takes no host of somebody's network for one that is given", () => {
    const own = file.replace("{shop}.example.com", "{host}").replace("shop: label", "host: host");
    for (const host of ["127.0.0.1", "localhost", "db.internal", "shop.example.com:22", "10.0.0.1"])
      expect(connector(own, { host }).ok, host).toBe(false);
    expect(connector(own, { host: "shop.example.com" }).ok).toBe(true);
  });

  it.each([
    ["get: /orders/{id}.json", "get: /{account}/orders/{id}.json", 'c.yaml:6:10: no setting "account"'],
    ["get: /orders/{id}.json", "get: /{shop}/orders/{id}.json", 'c.yaml:6:10: no setting "shop"'],
    ["limit: number", 'limit: { sort: { date: "a b" } }', 'c.yaml:9:26: "a b" is not a path'],
    ["limit: number", "limit: { criteria: { a: { search: '*' } } }", 'c.yaml:9:26: "*" is not a path'],
    ["get: /orders/{id}.json", "get: /orders/../{id}.json", "c.yaml:6:10: not the path of a route"],
    ["get: /orders/{id}.json", "get: /orders/{id}?x=1", "c.yaml:6:10: not the path of a route"],
    ["get: /orders", "post: /orders", 'c.yaml:6:5: missing key "get"'],
    ["records: body.order", "records: order", "c.yaml:8:14: not a place in a body"],
    ["limit: number", "limit: anything", "c.yaml:9:26: number, id, ids"],
    ["search: phone", "search: '*'", 'c.yaml:9:41: "*" is not a path'],
    ["settings: { shop: label }", "settings: { shop: label, other: label }", "c.yaml:3:26: a setting that stands nowhere"],
    ["authentication: bearer", "authentication: query", "c.yaml:4:17: bearer, basic"],
    ["connector: shop", "connector: shop\ncredential: secret", 'c.yaml:2:1: unknown key "credential"'],
    ["connector: shop", "connector: &a shop", "c.yaml:1:15: anchors are not accepted"],
  ])("with %j as %j is refused by line and column", (from, to, problem) => {
    expect(said(file.replace(from, to)).join("\n")).toContain(problem);
  });

  it("has its routes found by whole segments, and ids by their grammar", () => {
    const settled = connector();
    if (!settled.ok) throw new Error("not settled");
    expect(routeOf(settled.value, "/orders/12.json", {})?.resource).toBe("order");
    for (const path of [
      "/orders/.json",
      "/orders/...json",
      "/orders/1/2.json",
      "/orders/1.json/",
      "/orders/1;.json",
      "/orders/1.css",
      "/orders/a.b.json",
      "/Orders/1.json",
    ])
      expect(routeOf(settled.value, path, {}), path).toBeNull();
  });

  it("takes of a parameter only values of its kind", () => {
    expect(["10", "0", "-1", "1e9", "", "01", "10 "].map((value) => takesValue("number", value))).toEqual([
      true,
      true,
      ...Array(5).fill(false),
    ]);
    expect(["1,2", "1,,2", "a&b", "1,2,"].map((value) => takesValue("ids", value))).toEqual([true, false, false, false]);
    expect(["2026-07-01T00:00:00Z", "yesterday"].map((value) => takesValue("instant", value))).toEqual([true, false]);
    expect(["138 0013 8000", "a\u0000b", "", "a\u202eb", "x".repeat(257)].map((value) => takesValue({ search: "phone" }, value))).toEqual([
      true,
      ...Array(4).fill(false),
    ]);
  });

  it("is sound where it comes with Postern, and asks only for resources and fields of the policy that it is for", () => {
    for (const name of readdirSync("policies/connectors")) {
      const file = ["postgres.yaml", "taobao.yaml"].includes(name) ? "cs-standard.yaml" : "western-shop.yaml";
      const policy = parsePolicy(readFileSync(`policies/${file}`, "utf8"), file);
      if (!policy.ok) throw new Error("the policy is broken");
      const parsed = parseConnector(readFileSync(`policies/connectors/${name}`, "utf8"), name);
      expect(parsed.ok ? [] : parsed.refusal.map(describeProblem), name).toEqual([]);
      for (const { resource } of parsed.ok ? parsed.value.connector.routes : [])
        expect(Object.keys(policy.value.resources)).toContain(resource);
    }
  });
});

describe("the records in a body", () => {
  const list: ConnectorRoute = {
    path: "/orders",
    resource: "order",
    id: "id",
    records: { keys: ["orders"], list: true },
    where: {},
    adds: {},
    parameters: {},
    line: 1,
  };
  const of = (records: number, lists: Connector["lists"] = {}) => ({ lists, limits: { seconds: 1, bytes: 1, records } });
  const one: ConnectorRoute = { ...list, records: { keys: ["order"], list: false } };
  const bare: ConnectorRoute = { ...list, records: { keys: [], list: true } };

  it("are named by their ids, whose digits stay", () => {
    const body = parseJson('{"orders":[{"id":2188082354079975123,"total":47.840},{"id":"#W2611340"}]}');
    expect(recordsIn(body, list, of(2))?.map(({ id }) => id)).toEqual(["2188082354079975123", "#W2611340"]);
    expect(printJson(bodyOf(list, of(2), recordsIn(body, list, of(2))?.map(({ document }) => document) ?? []))).toBe(printJson(body));
  });

  it.each([
    ["no records", "{}"],
    ["another shape", '{"orders":{"id":1}}'],
    ["a record that is none", '{"orders":[{"id":1},"two"]}'],
    ["a record without an id", '{"orders":[{"id":1},{"name":"x"}]}'],
    ["an id that is none", '{"orders":[{"id":{"value":1}}]}'],
    ["an id of a prototype's", '{"orders":[{"__proto__":{"id":1}}]}'],
    ["more records than the connector has", '{"orders":[{"id":1},{"id":2},{"id":3}]}'],
    ["a body of nothing", "null"],
  ])("are none of them in a body with %s", (_what, text) => {
    expect(recordsIn(parseJson(text), list, of(2))).toBeNull();
  });

  it("are all that comes back of a body, whatever stands beside them", () => {
    const name = fc.string().filter((key) => key !== "orders" && key !== "order");
    fc.assert(
      fc.property(fc.dictionary(name, fc.jsonValue(), { noNullPrototype: true }), fc.integer({ min: 1 }), (beside, id) => {
        const record = { id };
        const shown: JsonObject = { status: "open" };
        for (const [route, body] of [
          [list, { ...beside, orders: [record] }],
          [one, { ...beside, order: record }],
          [bare, [record]],
        ] as const) {
          const found = recordsIn(parseJson(JSON.stringify(body)), route, of(10));
          expect(found).toHaveLength(1);
          expect(JSON.stringify(bodyOf(route, of(10), [shown]))).toBe(
            JSON.stringify(route === list ? { orders: [shown] } : route === one ? { order: shown } : [shown]),
          );
        }
      }),
    );
  });

  it("are not looked for in an answer that is an error inside", () => {
    const at = { errorAt: ["error_response"] };
    const errorCodes = { at: [["error_response", "code"]], limited: ["7"], refused: ["27"], missing: ["isv.none"] };
    expect(errorIn(parseJson('{"error_response":{"code":27}}'), at)).toBe("other");
    expect(errorIn(parseJson('{"error_response":{"code":27}}'), { ...at, errorCodes })).toBe("refused");
    expect(errorIn(parseJson('{"error_response":{"code":"7"}}'), { ...at, errorCodes })).toBe("limited");
    expect(errorIn(parseJson('{"error_response":{"code":70}}'), { ...at, errorCodes })).toBe("other");
    expect(errorIn(parseJson('{"error_response":null}'), at)).toBeNull();
    expect(errorIn(parseJson('{"error_response":1}'), {})).toBeNull();
  });

  it("are lists to the policy where the platform wraps them, and are wrapped again", () => {
    const body = parseJson('{"order":{"id":1,"lines":{"line":[{"sku":"A"}]},"other":{"line":[1]}}}');
    const shape = of(1, { lines: "line", absent: "x" });
    const [record] = recordsIn(body, one, shape) ?? [];
    expect(record?.document).toEqual(parseJson('{"id":1,"lines":[{"sku":"A"}],"other":{"line":[1]}}'));
    expect(printJson(bodyOf(one, shape, [record?.document ?? {}]))).toBe(printJson(body));
  });
});
