/** Platforms whose APIs have ways of their own: signed queries, errors inside an answer, search criteria, pages. */
import { createHmac } from "node:crypto";
import { once } from "node:events";
import { connect } from "node:net";
import { createAdminRestApiClient } from "@shopify/admin-api-client";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Json, JsonObject } from "../src/kernel/index.ts";
import { signedForTaobao } from "../src/upstream/taobao-query.ts";
import { expectStatus, problemOf } from "./support/agreement.ts";
import { bodyFrom, chatwootSchemas, magentoSchemas, misfitsOf } from "./support/documented-bodies.ts";
import type { Gateway } from "./support/gateway.ts";
import { hasShapes } from "./support/platform-shapes.ts";
import { credential, customer, openShopWorld, ordersPath, type Shop, type ShopWorld, saying, shopDoors } from "./support/shop.ts";

let shop: Shop;
let gateway: Gateway;
let ask: ShopWorld["ask"];
let entries: ShopWorld["entries"];
let listen: ShopWorld["listen"];

beforeAll(async () => {
  ({ shop, gateway, ask, entries, listen } = await openShopWorld());
});
afterAll(async () => {
  await gateway.close();
  await shop.close();
});

/** What the contract's log says last. */
const lastEntry = async () => (await entries()).at(-1);

describe("a platform with ways of its own", () => {
  const trade = {
    tid: 2188082354079975,
    status: "TRADE_FINISHED",
    payment: "359.00",
    buyer_nick: "海边的猫",
    receiver_mobile: "13800138000",
  };
  const top = (method: string, more = "") =>
    ask(`/router/rest?method=${method}&app_key=1&sign=FFFF&timestamp=2020-01-01&v=2.0&format=xml&session=theirs${more}`, {
      name: "taobao",
      contract: "c-taobao",
    });

  it("is asked in its own signature, by the merchant's key, whatever the client signed", async () => {
    const orders = { order: [{ oid: 1, status: "TRADE_FINISHED", outer_sku_id: "SLK-QH-90", logistics_company: "kanarie" }] };
    shop.answer = saying({ trade_fullinfo_get_response: { trade: { ...trade, orders }, request_id: "kanarie" } });
    const answer = await expectStatus(top("taobao.trade.fullinfo.get", "&tid=2188082354079975&fields=alipay_id"), 200);
    expect(await answer.json()).toMatchObject({
      trade_fullinfo_get_response: {
        trade: {
          ...{ tid: 2188082354079975, status: "TRADE_FINISHED", payment: "359.00", buyer_nick: "海**猫", receiver_mobile: "138****8000" },
          orders: { order: [{ oid: 1, status: "TRADE_FINISHED", outer_sku_id: "SLK-QH-90" }] },
        },
      },
    });
    const up = new URL(`https://eco.taobao.com${shop.asked.at(-1)?.path}`).searchParams;
    const { sign, ...signed } = Object.fromEntries(up);
    const text = Object.keys(signed)
      .sort()
      .map((name) => `${name}${signed[name]}`)
      .join("");
    expect(sign).toBe(createHmac("sha256", credential).update(text).digest("hex").toUpperCase());
    expect(signed).toMatchObject({ app_key: "12345678", session: "session-1", tid: "2188082354079975", format: "json" });
    expect(signed.timestamp).toMatch(/^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d$/);
    expect(signed.fields).not.toContain("alipay_id");
    expect(shop.asked.at(-1)?.path).not.toContain(credential);
  });

  it("is asked by a form as well, where its clients do so, each parameter once", async () => {
    shop.answer = saying({ trade_fullinfo_get_response: { trade } });
    const headers = { "content-type": "application/x-www-form-urlencoded;charset=utf-8" };
    const form = (body: string, query = "") =>
      ask(`/router/rest${query}`, { name: "taobao", contract: "c-taobao", method: "POST", headers, body });
    const asked = "method=taobao.trade.fullinfo.get&tid=2188082354079975&sign=F&fields=alipay_id";
    const answer = await expectStatus(form(asked), 200);
    expect(await answer.json()).toMatchObject({ trade_fullinfo_get_response: { trade: { receiver_mobile: "138****8000" } } });
    expect(new URL(`https://eco.taobao.com${shop.asked.at(-1)?.path}`).searchParams.get("tid")).toBe("2188082354079975");
    expect((await entries("c-taobao")).at(-1)).toMatchObject({ event: "record.read", outcome: { effect: "allow" } });
    const before = shop.asked.length;
    await problemOf(form(asked, "?tid=1"), 400);
    await problemOf(form(`${asked}&tid=1`), 400);
    await problemOf(form(`${asked}&buyer_nick=%00`), 400);
    await problemOf(form(`${asked}&x=${"x".repeat(70_000)}`), 413);
    expect(shop.asked).toHaveLength(before);
  });

  it("signs as its documentation does", () => {
    const query = { method: "taobao.item.seller.get", fields: "num_iid,title,nick,price,num", num_iid: "11223344" };
    const key = { key: "12345678", secret: "helloworld", session: "test" };
    const at = Date.UTC(2016, 0, 1, 4);
    expect(signedForTaobao(query, key, { digest: "md5", nowMs: at }).sign).toBe("66987CB115214E59E6EC978214934FB8");
    const { sign, ...signed } = signedForTaobao(query, key, { digest: "hmac", nowMs: at });
    const text = Object.entries(signed)
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .flat()
      .join("");
    expect(sign).toBe(createHmac("md5", "helloworld").update(text).digest("hex").toUpperCase());
  });

  it.each([
    ["a session that has ended", { code: 27, msg: "Invalid session kanarie" }, [502, "upstream_failed"]],
    ["nothing there", { code: 15, sub_code: "isv.trade-not-exist" }, [404, "not_found"]],
    ["anything else", { code: 50, sub_msg: "kanarie" }, [502, "upstream_failed"]],
    ["too many, after which it is left alone", { code: 7, msg: "App Call Limited" }, [429, "upstream_limited"]],
  ] as const)("that answers 200 with an error inside, %s, has answered an error", async (_what, error, [status, code]) => {
    shop.answer = saying({ error_response: error, trade_fullinfo_get_response: { trade } });
    const answer = await top("taobao.trade.fullinfo.get", "&tid=1");
    expect([answer.status, await answer.text()]).toEqual([status, expect.stringMatching(new RegExp(`^(?!.*kanarie).*${code}`))]);
    expect((await entries("c-taobao")).at(-1)).toMatchObject({ outcome: { code }, facts: { upstream_status: 200 } });
  });

  it("is asked for by a method that the connector has, and by no other", async () => {
    const before = shop.asked.length;
    await problemOf(top("taobao.user.buyer.get"), 404);
    await problemOf(top("taobao.trade.fullinfo.get", "&tid=1&buyer_nick=a"), 400);
    expect(shop.asked).toHaveLength(before);
  });

  it("is searched by criteria, of which what comes back is held to each", async () => {
    const order = { status: "processing", grand_total: 5, customer_email: "ann@mail.example" };
    const items = [
      { ...order, entity_id: 1, increment_id: "000000012" },
      { ...order, entity_id: 2, increment_id: "0000000120" },
    ];
    shop.answer = saying({ items, search_criteria: { filter_groups: [] }, total_count: 2 });
    const by = (field: string, value: string, more = "") =>
      ask(
        `/rest/V1/orders?searchCriteria[filterGroups][0][filters][0][field]=${field}&searchCriteria[filterGroups][0][filters][0][value]=${value}${more}`,
        {
          name: "magento",
        },
      );
    const answer = await expectStatus(by("increment_id", "000000012"), 200);
    expect(await answer.json()).toMatchObject({
      items: [{ entity_id: 1, increment_id: "000000012", status: "processing", grand_total: 5, customer_email: "a***@mail.example" }],
    });
    expect((await lastEntry())?.facts).toMatchObject({ searched_by: "increment_id" });
    await problemOf(by("customer_lastname", "Quill"), 400);
    await problemOf(by("status", "new", "&searchCriteria[sortOrders][0][field]=customer_email"), 400);
  });

  it("is not sorted by what is masked, nor counted", async () => {
    const before = shop.asked.length;
    const sorted = await problemOf(ask("/wp-json/wc/v3/customers?orderby=name", { name: "woocommerce" }), 403);
    expect(sorted.errors).toEqual([{ pointer: "query:orderby", code: "not_shown" }]);
    expect(shop.asked).toHaveLength(before);
    shop.answer = saying({ count: 17 });
    await problemOf(ask("/admin/api/2026-07/orders/count.json"), 502);
    shop.answer = saying([], 200, { "x-wp-total": "17", "x-wp-totalpages": "2" });
    const answer = await expectStatus(ask("/wp-json/wc/v3/customers?orderby=registered_date", { name: "woocommerce" }), 200);
    expect(JSON.stringify([...answer.headers])).not.toContain("x-wp");
  });

  it("says what comes behind by a link of ours, whose cursor nobody reads or writes, and holds the next page to what was searched", async () => {
    const cursor = Buffer.from(JSON.stringify({ last_id: 7, last_value: "kanarie@mail.example" })).toString("base64url");
    const order = (id: number, name: string) => ({ id, name, order_number: id, closed_at: null });
    const link = `<https://acme.myshopify.com${ordersPath}?limit=1&page_info=${cursor}>; rel="next"`;
    shop.answer = saying({ orders: [order(1, "#1017")] }, 200, { link });
    const first = await expectStatus(ask(`${ordersPath}?name=%231017&limit=1`), 200);
    const [, next = ""] = /^<([^>]+)>; rel="next"$/.exec(first.headers.get("link") ?? "") ?? [];
    expect(next).toMatch(/^http:\/\/127\.0\.0\.1:8787\/v1\/contracts\/c-test\/upstream\/shopify\/admin\//);
    expect(Buffer.from(new URL(next).searchParams.get("page_info") ?? "", "base64url").toString("latin1")).not.toContain("kanarie");
    shop.answer = saying({ orders: [order(2, "#1017"), order(3, "#10170")] });
    const { pathname, search } = new URL(next);
    const second = await expectStatus(gateway.call("GET", `${pathname}${search}`, { as: "agent-1" }), 200);
    expect(await second.json()).toMatchObject({ orders: [{ order_number: 2 }] });
    expect(shop.asked.at(-1)?.path).toContain(`page_info=${cursor}`);
    const before = shop.asked.length;
    await problemOf(ask(`${ordersPath}?page_info=${cursor}`), 400);
    await problemOf(ask(`/admin/api/2026-07/customers.json${search}`), 400);
    expect(shop.asked).toHaveLength(before);
  });

  it("says in its body whether there is more, and where", async () => {
    const ticket = { id: 5, status: "open", subject: "kanarie" };
    const meta = { has_more: true, after_cursor: "kanarie-cursor", before_cursor: null };
    shop.answer = saying({ tickets: [ticket], meta, links: { next: "https://acme.zendesk.com/kanarie" }, count: 17 });
    const answer = await expectStatus(ask("/api/v2/tickets.json?sort=-updated_at&page[size]=1", { name: "zendesk" }), 200);
    const body = (await answer.json()) as { meta: { after_cursor: string } };
    expect(body).toMatchObject({ tickets: [{ id: 5, status: "open" }], meta: { has_more: true, after_cursor: expect.any(String) } });
    expect(Object.keys(body)).toEqual(["tickets", "meta"]);
    expect(JSON.stringify(body)).not.toContain("kanarie");
    await expectStatus(ask(`/api/v2/tickets.json?page[after]=${body.meta.after_cursor}`, { name: "zendesk" }), 200);
    expect(shop.asked.at(-1)?.path).toBe("/api/v2/tickets.json?page%5Bafter%5D=kanarie-cursor");
    await problemOf(ask("/api/v2/tickets.json?page[after]=kanarie-cursor", { name: "zendesk" }), 400);
  });

  it("has a part of its path that is the merchant's own", async () => {
    shop.answer = saying({
      payload: [{ id: 9, name: "Nora Quill", email: "nora@mail.example", custom_attributes: { a: "kanarie" } }],
      meta: { count: 1 },
    });
    const answer = await expectStatus(ask("/api/v1/accounts/3/contacts/search?q=nora@mail.example", { name: "chatwoot" }), 200);
    expect(await answer.json()).toEqual({ payload: [{ id: 9, name: "N*** Q***", email: "n***@mail.example" }] });
    expect(shop.asked.at(-1)?.headers.api_access_token).toBe(credential);
    await problemOf(ask("/api/v1/accounts/4/contacts/9", { name: "chatwoot" }), 404);
  });
});

describe.runIf(hasShapes)("an answer", () => {
  const typed: Readonly<Record<string, Json>> = { integer: 7, number: 7.5, boolean: true, object: {}, array: [] };
  const leaf = (type: Json | undefined) => typed[String(type)] ?? "ann.quill@mail.example";

  it.each([
    ["magento", "sales-data-order-interface", "/rest/V1/orders/7", magentoSchemas, []],
    ["magento", "customer-data-customer-interface", "/rest/V1/customers/7", magentoSchemas, []],
    ["chatwoot", "conversation_show", "/api/v1/accounts/3/conversations/7", chatwootSchemas, []],
    ["chatwoot", "contact_show_response", "/api/v1/accounts/3/contacts/7", chatwootSchemas, ["payload"]],
  ] as const)("of %s, %s, is still what the platform's own document says", async (name, schema, path, schemas, keys) => {
    const body = bodyFrom(schemas(), schema, leaf);
    expect(misfitsOf(schemas(), schema, body)).toEqual([]);
    shop.answer = saying(body);
    const answer = (await (await expectStatus(ask(path, { name }), 200)).json()) as Json;
    expect(misfitsOf(schemas(), schema, answer)).toEqual([]);
    const record = keys.reduce<Json>((at, key) => (at as JsonObject)[key] ?? null, answer) as JsonObject;
    expect(Object.values(record).filter((value) => value !== null).length).toBeGreaterThan(3);
  });
});

describe("an unchanged client of a shop, whose base is the gateway's", () => {
  const base = "v1/contracts/c-test/upstream/shopify/admin/api/2026-07";
  let server: Awaited<ReturnType<typeof listen>>;
  let client: ReturnType<typeof createAdminRestApiClient>;
  beforeAll(async () => {
    server = await listen();
    const accessToken = await gateway.token("agent-1");
    const logger = () => undefined;
    const where = { storeDomain: `http://127.0.0.1:${server.port}`, scheme: "http", formatPaths: false } as const;
    client = createAdminRestApiClient({ ...where, apiVersion: "2026-07", accessToken, logger });
  });
  afterAll(() => server.close());

  it("reads orders, goes from one to who ordered it, and sees both masked", async () => {
    const order = {
      id: 450789469,
      order_number: 1001,
      total_price: "409.94",
      closed_at: null,
      email: "bob.norman@mail.example",
      customer: { id: 207119551, first_name: "Bob" },
    };
    shop.answer = (path, response) =>
      saying(path.includes("orders") ? { orders: [order] } : { customer: { ...customer, note: "kanarie" } })(path, response);
    const listed = await client.get(`${base}/orders.json`, { searchParams: { status: "any", limit: 5 } });
    expect(listed.status).toBe(200);
    const { orders } = (await listed.json()) as { orders: { id: number; email: string; total_price: string; customer: { id: number } }[] };
    expect(orders).toMatchObject([{ id: 450789469, email: "b***@mail.example", total_price: "409.94", customer: { id: 207119551 } }]);
    const one = await client.get(`${base}/customers/${orders[0]?.customer.id}.json`);
    expect(await one.json()).toMatchObject({
      customer: { id: 207119551, first_name: "B***", email: "b***@mail.example", total_spent: "199.65" },
    });
    expect(shop.asked.at(-1)?.headers["x-shopify-access-token"]).toBe(credential);
    expect(shop.asked.at(-1)?.path).toBe("/admin/api/2026-07/customers/207119551.json");
  });

  it.each([
    [
      "names headers of its own as the connection's",
      ["Connection: authorization, x-shopify-access-token", "Keep-Alive: timeout=9"],
      /^HTTP\/1.1 200 /,
    ],
    ["wants trailers and another encoding", ["TE: trailers", "Trailer: x", "Proxy-Authorization: Basic kanarie"], /^HTTP\/1.1 200 /],
    ["wants another protocol", ["Connection: Upgrade, HTTP2-Settings", "Upgrade: h2c", "HTTP2-Settings: kanarie"], /^HTTP\/1.1 200 /],
    ["expects what nobody knows", ["Expect: 200-ok"], shopDoors.onNode ? /^HTTP\/1.1 417 / : /^HTTP\/1.1 200 /],
    ["says another host", ["X-Forwarded-Host: kanarie.example", "Forwarded: host=kanarie.example"], /^HTTP\/1.1 200 /],
  ] as const)("that %s has none of it go up, or come back", async (_what, headers, status) => {
    const link = `<https://acme.myshopify.com/admin/api/2026-07/orders.json?limit=1&page_info=x>; rel="next"`;
    shop.answer = saying({ orders: [{ id: 1, closed_at: null }] }, 200, { link });
    const before = shop.asked.length;
    const token = `Authorization: Bearer ${await gateway.token("agent-1")}`;
    const socket = connect(server.port, "127.0.0.1");
    const lines = [`GET /${base}/orders.json?limit=1 HTTP/1.1`, "Host: 127.0.0.1", token, ...headers, "", ""];
    socket.write(lines.join("\r\n"));
    const [said] = (await once(socket, "data")) as [Buffer];
    socket.destroy();
    expect(said.toString()).toMatch(status);
    expect(said.toString()).not.toContain("kanarie");
    expect(JSON.stringify(shop.asked.slice(before))).not.toMatch(/kanarie\b(?!-credential)|h2c|trailers/);
  });
});
