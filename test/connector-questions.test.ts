/** What a caller may ask of a connector's routes, by which fields, and what of it goes up; and what a link to another page may say. */
import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { type Connector, linksIn, parseConnector, parseConnectorText, readQuestion, routeOf, settle } from "../src/connectors/index.ts";

describe("a caller's query", () => {
  const shipped = (name: string, settings: Record<string, string>) => {
    const parsed = parseConnector(readFileSync(`policies/connectors/${name}.yaml`, "utf8"), name);
    const settled = parsed.ok ? settle(parsed.value, settings) : parsed;
    if (!settled.ok) throw new Error("not settled");
    return parseConnectorText(JSON.stringify(settled.value));
  };
  const magento = shipped("magento", { host: "shop.example.com" });
  const taobao = shipped("taobao", {});
  const shopify = shipped("shopify", { shop: "acme" });
  const read = (made: Connector, path: string, query: Record<string, string>) => {
    const route = routeOf(made, path, query);
    if (!route) throw new Error("no route");
    return readQuestion({ connector: made, route, query, openCursor: (sealed) => (sealed === "sealed" ? "cursor" : null) });
  };
  const filter = (field: string, value: string, more: Record<string, string> = {}, place = "[filterGroups][0][filters][0]") => ({
    [`searchCriteria${place}[field]`]: field,
    [`searchCriteria${place}[value]`]: value,
    ...more,
  });

  it("of Magento's criteria says by which fields it asks, in both spellings, and goes up as it came", () => {
    const query = {
      ...filter("increment_id", "000000012"),
      ...filter(
        "created_at",
        "2026-01-01 00:00:00",
        { "searchCriteria[filter_groups][1][filters][0][condition_type]": "gteq" },
        "[filter_groups][1][filters][0]",
      ),
      "searchCriteria[sortOrders][0][field]": "created_at",
      "searchCriteria[sortOrders][0][direction]": "DESC",
      "searchCriteria[pageSize]": "20",
    };
    const question = read(magento, "/rest/V1/orders", query);
    expect(question.ok && question.value.query).toEqual(query);
    expect(question.ok && question.value.conditions).toEqual([
      { kind: "search", pointer: "query:searchCriteria", field: "increment_id", value: "000000012" },
      { kind: "compare", pointer: "query:searchCriteria", field: "created_at", value: "2026-01-01 00:00:00" },
      { kind: "compare", pointer: "query:searchCriteria", field: "created_at", value: "created_at" },
    ]);
  });

  it.each([
    ["by a field that is no criterion", filter("customer_lastname", "Quill")],
    ["by what is like a value", filter("customer_email", "a%", { "searchCriteria[filterGroups][0][filters][0][conditionType]": "like" })],
    [
      "by what is like it, in the other spelling beside a harmless one",
      filter("customer_email", "a%", {
        "searchCriteria[filterGroups][0][filters][0][conditionType]": "eq",
        "searchCriteria[filterGroups][0][filters][0][condition_type]": "like",
      }),
    ],
    ["by one of two", { ...filter("status", "new"), ...filter("increment_id", "1", {}, "[filterGroups][0][filters][1]") }],
    ["without a value", { "searchCriteria[filterGroups][0][filters][0][field]": "status" }],
    ["in the order of what nobody may compare", { "searchCriteria[sortOrders][0][field]": "customer_email" }],
    ["with another part", { "searchCriteria[filterGroups][0][filters][0][expr]": "1" }],
    ["for only some of the fields", { fields: "items[customer_email]" }],
  ])("does not ask Magento %s", (_what, query) => {
    expect(read(magento, "/rest/V1/orders", query as Record<string, string>).ok).toBe(false);
  });

  it("names the route where all have one path; what the client says beside that is not sent on, and what the gateway wants is", () => {
    const query = {
      method: "taobao.refund.get",
      refund_id: "7",
      fields: "address",
      app_key: "1",
      sign: "F",
      session: "theirs",
      format: "xml",
    };
    const question = read(taobao, "/router/rest", query);
    const { method, refund_id, fields, ...rest } = question.ok ? question.value.query : {};
    expect([method, refund_id, rest]).toEqual(["taobao.refund.get", "7", {}]);
    expect(fields).not.toContain("address");
    expect(routeOf(taobao, "/router/rest", { method: "taobao.user.buyer.get" })).toBeNull();
    expect(routeOf(taobao, "/router/rest", {})).toBeNull();
  });

  it("sorts by words that have a field, and pages by a cursor of ours alone", () => {
    const path = "/admin/api/2026-07/orders.json";
    const sorted = read(shopify, path, { order: "created_at desc" });
    expect(sorted.ok && sorted.value.conditions).toMatchObject([{ kind: "compare", field: "created_at" }]);
    const byId = read(shopify, path, { order: "id desc" });
    expect(byId.ok && byId.value.conditions).toEqual([]);
    expect(read(shopify, path, { order: "email asc" }).ok).toBe(false);
    const paged = read(shopify, path, { page_info: "sealed" });
    expect(paged.ok && paged.value.query).toEqual({ page_info: "cursor" });
    expect(read(shopify, path, { page_info: "eyJsYXN0X2lkIjoxfQ" })).toMatchObject({ ok: false, refusal: { pointer: "query:page_info" } });
  });

  it("is in a link to the next page only where it says nothing of a person, and the link is of that very path", () => {
    const path = "/admin/api/2026-07/orders.json";
    const route = routeOf(shopify, path, {});
    if (!route) throw new Error("no route");
    const links = (header: string | null) => linksIn(header, { connector: shopify, route, path, seal: (cursor) => `sealed-${cursor}` });
    const here = `https://acme.myshopify.com${path}`;
    expect(links(`<${here}?limit=2&page_info=abc>; rel="previous", <${here}?page_info=def>; rel="next"`)).toEqual([
      { rel: "previous", query: { limit: "2", page_info: "sealed-abc" } },
      { rel: "next", query: { page_info: "sealed-def" } },
    ]);
    for (const other of [
      `<${here}?page_info=abc>; rel="last"`,
      `<https://evil.example${path}?page_info=a>; rel="next"`,
      `<https://acme.myshopify.com/admin/api/2026-07/customers.json?page_info=a>; rel="next"`,
      `<${here}?name=%231017&page_info=a>; rel="next"`,
      `<${here}?email=ann%40mail.example>; rel="next"`,
      `<${here}?limit=ann>; rel="next"`,
      `<${here}?limit=%>; rel="next"`,
      null,
    ])
      expect(links(other), other ?? "none").toEqual([]);
  });
});
