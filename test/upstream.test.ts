/** An agent's program asks the merchant's own API by way of the gateway, and gets what the policy says. */
import { EventEmitter } from "node:events";
import { Agent, request as inClear } from "node:http";
import type { LookupFunction } from "node:net";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { isPublicAddress } from "../src/upstream/index.ts";
import { createNodeReach } from "../src/upstream/node-reach.ts";
import { expectStatus, problemOf } from "./support/agreement.ts";
import type { Gateway } from "./support/gateway.ts";
import {
  credential,
  customer,
  customerPath,
  openShopWorld,
  ordersPath,
  register,
  type Shop,
  type ShopWorld,
  saying,
  shippedConnector,
  shopDoors,
} from "./support/shop.ts";

let shop: Shop;
let gateway: Gateway;
let ask: ShopWorld["ask"];
let entries: ShopWorld["entries"];

beforeAll(async () => {
  ({ shop, gateway, ask, entries } = await openShopWorld());
});
afterAll(async () => {
  await gateway.close();
  await shop.close();
});

/** What the contract's log says last. */
const lastEntry = async () => (await entries()).at(-1);

describe("an agent asks the merchant's own API", () => {
  it("and gets the record in that API's shape, each field by the policy, unknown ones not at all", async () => {
    shop.answer = saying({ customer: { ...customer, new_contact: "kanarie", default_address: { city: "Ottawa" } }, shop_owner: "kanarie" });
    const answer = await expectStatus(ask(customerPath), 200);
    const { customer: shown, ...beside } = (await answer.json()) as { customer: Record<string, unknown> };
    expect(beside).toEqual({});
    expect(shown).toMatchObject({ email: "b***@mail.example", first_name: "B***", total_spent: "199.65", orders_count: 1, note: null });
    expect(Object.keys(shown)).not.toContain("new_contact");
    expect(answer.headers.get("audit-promise")).not.toBeNull();
    expect(answer.headers.get("cache-control")).toBe("no-store");
  });

  it("and leaves one entry that names the record, how its fields left and what the upstream answered", async () => {
    shop.answer = saying({ customer });
    const before = await entries();
    await expectStatus(ask(customerPath), 200);
    const after = await entries();
    expect(after).toHaveLength(before.length + 1);
    const entry = after.at(-1);
    expect(entry).toMatchObject({
      event: "record.read",
      outcome: { effect: "allow" },
      facts: { upstream: "shopify", upstream_status: 200 },
    });
    expect(entry?.resource).toMatchObject({ type: "shopify_customer", fields: { email: "mask", total_spent: "reveal" } });
    expect(entry?.resource?.records).toEqual([{ locator: expect.stringMatching(/^r_/), subject: expect.stringMatching(/^s_/) }]);
  });

  it("with numbers as they came", async () => {
    shop.answer = saying('{"customer":{"id":2188082354079975123,"orders_count":47.840,"email":null}}');
    expect(await (await expectStatus(ask(customerPath), 200)).text()).toContain('"orders_count":47.840');
  });

  it("in a list, of which one entry names every record, and of which a row rule takes what is not there for them", async () => {
    const orders = [1, 2, 3].map((id) => ({
      id,
      order_number: 1000 + id,
      closed_at: id === 3 ? "2020-01-01" : null,
      customer: { id: 7 },
      total_price: "5.00",
    }));
    shop.answer = saying({ orders });
    const answer = (await (await expectStatus(ask(`${ordersPath}?status=any&limit=3`), 200)).json()) as {
      orders: { order_number: number }[];
    };
    expect(answer.orders.map(({ order_number }) => order_number)).toEqual([1001, 1002]);
    expect(shop.asked.at(-1)?.path).toBe(`${ordersPath}?status=any&limit=3`);
    const entry = await lastEntry();
    expect(entry?.event).toBe("record.searched");
    expect(entry?.resource?.records).toHaveLength(2);
    expect(new Set(entry?.resource?.records.map(({ subject }) => subject)).size).toBe(1);
    expect(entry?.facts).toMatchObject({ rows_not_held: 1, upstream_status: 200 });
  });

  it("by a token where the client of that shop brings one, and for the connector's purpose", async () => {
    const token = await gateway.token("agent-1");
    const call = (name: string, path: string, headers: Record<string, string>) =>
      gateway.call("GET", `/v1/contracts/c-test/upstream/${name}${path}`, { headers });
    shop.answer = saying({ customer });
    await expectStatus(call("shopify", customerPath, { "x-shopify-access-token": token }), 200);
    expect((await lastEntry())?.reason?.purpose).toBe("after_sales");
    const basic = `Basic ${Buffer.from(`ck_any:${token}`).toString("base64")}`;
    expect((await problemOf(call("shopify", customerPath, { authorization: basic }), 401)).code).toBe("token_missing");
    shop.answer = saying({ id: 5, email: "a@b.example" });
    await expectStatus(call("woocommerce", "/wp-json/wc/v3/customers/5", { authorization: basic }), 200);
    for (const headers of [{ authorization: "Basic !!!" }, { authorization: "Basic Og==" }, { "x-shopify-access-token": "nothing" }, {}])
      expect((await call("shopify", customerPath, headers as never)).status).toBe(401);
  });

  it("by a protected value only exactly, where the policy has it searchable, and not by what is masked", async () => {
    const found = { id: 5, email: "ann@mail.example", first_name: "Ann" };
    shop.answer = saying([found, { id: 6, email: "ann@mail.example.org", first_name: "Bea" }]);
    const answer = await expectStatus(ask("/wp-json/wc/v3/customers?email=Ann@Mail.example", { name: "woocommerce" }), 200);
    expect((await answer.json()) as unknown[]).toHaveLength(1);
    expect((await lastEntry())?.facts).toMatchObject({ searched_by: "email", upstream: "woocommerce" });
    const compare = shippedConnector("woocommerce").replace(
      "customer: id\n",
      "customer: id\n      max: { filter: billing.phone, as: number }\n",
    );
    await register(gateway, "woocommerce", { text: compare });
    const refused = await problemOf(ask("/wp-json/wc/v3/orders?max=5", { name: "woocommerce" }), 403);
    expect(refused.errors).toEqual([{ pointer: "query:max", code: "not_shown" }]);
  });
});

describe("on the way up", () => {
  it("goes nothing of the client's: the gateway's credential, to that host, and no other header", async () => {
    shop.answer = saying({ customer });
    const headers = {
      cookie: "a=kanarie",
      "x-api-key": "kanarie",
      "x-forwarded-for": "1.2.3.4",
      connection: "authorization",
      "x-shopify-access-token": "kanarie",
    };
    await expectStatus(ask(customerPath, { headers }), 200);
    const up = shop.asked.at(-1)?.headers ?? {};
    const ofNode = shopDoors.onNode ? ["accept-encoding", "connection"] : [];
    expect(Object.keys(up).sort()).toEqual(["accept", ...ofNode, "host", "user-agent", "x-shopify-access-token"]);
    expect(up["x-shopify-access-token"]).toBe(credential);
    expect(JSON.stringify(up)).not.toMatch(/kanarie(?!-credential)|eyJ/);
    expect(up.host).toMatch(/^acme\.myshopify\.com(:\d+)?$/);
    // On Workers the platform looks where it leads.
    if (shopDoors.onNode) expect(shop.resolved.at(-1)).toBe("acme.myshopify.com");
  });

  it.each([
    ["another path", "/admin/api/2026-07/shop.json", 404],
    ["a path behind the one", `${customerPath}/metafields.json`, 404],
    ["an id that climbs", "/admin/api/2026-07/customers/..json", 400],
    ["an id with an end of its own", "/admin/api/2026-07/customers/1.css", 404],
    ["a percent sign", "/admin/api/2026-07/customers/1%2e%2e.json", 400],
    ["a semicolon", "/admin/api/2026-07/customers/1;.json", 400],
    ["a slash of another script", "/admin/api/2026-07/customers/1∕2.json", 400],
    ["a full-width slash", "/admin/api/2026-07/customers/1／2.json", 400],
    ["a fragment that is spelt out", "/admin/api/2026-07/customers/1%23b.json", 400],
    ["a question mark that is spelt out", "/admin/api/2026-07/customers/1%3f.css", 400],
    ["a style sheet behind the one", "/admin/api/2026-07/customers/1/x.css", 404],
    ["a parameter that it does not name", `${customerPath}?fields=email`, 400],
    ["a parameter twice", `${ordersPath}?limit=1&limit=2`, 400],
    ["a value of another kind", `${ordersPath}?limit=1e9`, 400],
    ["a value with another parameter in it", `${ordersPath}?status=any%26fields%3Demail`, 400],
  ])("goes nothing to %s", async (_what, path, status) => {
    const before = shop.asked.length;
    await problemOf(ask(path), status);
    expect(shop.asked).toHaveLength(before);
  });

  it("goes nothing by another method, to a connector that is not there, or for who has no seat", async () => {
    const before = shop.asked.length;
    const other = await expectStatus(ask(customerPath, { method: "DELETE" }), 405);
    expect(other.headers.get("allow")).toBe("GET, POST, PUT, PATCH");
    const form = { "content-type": "application/x-www-form-urlencoded" };
    await problemOf(ask(customerPath, { method: "POST", headers: form, body: "a=1" }), 405);
    await problemOf(ask(customerPath, { method: "POST", headers: { "content-type": "text/plain" }, body: "{}" }), 415);
    await problemOf(ask(customerPath, { method: "POST", headers: { "content-type": "application/json" }, body: "{}" }), 404);
    expect((await ask(customerPath, { method: "HEAD" })).status).toBe(405);
    await problemOf(ask(customerPath, { name: "other" }), 404);
    await problemOf(ask(customerPath, { as: "agent-20" }), 404);
    await problemOf(ask(customerPath, { as: "owner-1" }), 403);
    await problemOf(ask(customerPath, { headers: { "postern-purpose": "curiosity" } }), 422);
    expect(shop.asked).toHaveLength(before);
  });

  it("is told to the log once, where somebody tries one number after another", async () => {
    const told = async () => (await entries()).filter(({ event }) => event === "seat.guessing");
    expect(await told()).toEqual([]);
    shop.answer = saying({ errors: "Not Found" }, 404);
    for (let id = 1; id <= 60; id++) await problemOf(ask(`/admin/api/2026-07/orders/${id}.json`, { as: "agent-2" }), 404);
    const [entry, ...more] = await told();
    expect(more).toEqual([]);
    expect(entry).toMatchObject({ outcome: { effect: "allow", code: "noted" }, facts: { misses: expect.any(Number) } });
  });

  it("goes nothing where a name leads into a network that is not public, whatever it led to before", async () => {
    const led: string[] = [];
    const leading = (...addresses: string[]) =>
      createNodeReach({
        resolve: () => Promise.resolve(addresses.map((address) => ({ address, family: address.includes(":") ? 6 : 4 }))),
        request: ((options: { host: string }) => led.push(options.host)) as never,
      });
    const outgoing = { method: "GET", host: "shop.example.com", path: "/", headers: {} } as const;
    for (const addresses of [
      ["127.0.0.1"],
      ["93.184.216.34", "10.0.0.1"],
      ["::1"],
      ["::ffff:127.0.0.1"],
      ["169.254.169.254"],
      ["fd00::1"],
      [],
    ])
      await expect(leading(...addresses)(outgoing, AbortSignal.timeout(1_000)), addresses.join()).rejects.toThrow("no public address");
    expect(led).toEqual([]);
    for (const address of [
      "100.100.100.200",
      "0.0.0.0",
      "64:ff9b::7f00:1",
      "2002:7f00:1::",
      "fe80::1",
      "nonsense",
      "192.168.1.1",
      "168.63.129.16",
    ])
      expect(isPublicAddress(address), address).toBe(false);
    for (const address of ["93.184.216.34", "2606:4700:4700::1111"]) expect(isPublicAddress(address), address).toBe(true);
  });

  it("asks again over the connection that stands, which leads where it led, and looks at the name for every other one", async () => {
    shop.answer = saying({ customer });
    const resolved: string[] = [];
    let leadsTo = "127.0.0.1";
    const agent = new Agent({ keepAlive: true });
    const rules = {
      resolve: async (host: string) => {
        resolved.push(host);
        return [{ address: leadsTo, family: 4 }];
      },
      isAllowed: (address: string) => address === "127.0.0.1",
    };
    const outgoing = { method: "GET", host: "shop.example.com", path: "/", headers: {} } as const;
    const asking = async (request: unknown = inClear) => {
      const ending = new AbortController();
      const reach = createNodeReach({ ...rules, agent, port: shop.port, request: request as never });
      const said = await (await reach(outgoing, ending.signal)).read(10_000, () => true);
      ending.abort();
      await new Promise(setImmediate);
      return said?.length;
    };
    const length = JSON.stringify({ customer }).length;
    expect(await asking()).toBe(length);
    leadsTo = "10.0.0.1";
    expect(await asking()).toBe(length);
    expect(resolved).toEqual(["shop.example.com"]);
    // It rests until it is taken; had it ended in between, Node would make another.
    const ends = ({ lookup, host }: { lookup: LookupFunction; host: string }) => {
      const request = new EventEmitter();
      lookup(host, {}, (fault, address) => request.emit("error", fault ?? new Error(`led to ${address}`)));
      return Object.assign(request, { end: () => undefined });
    };
    await expect(asking(ends)).rejects.toThrow("no public address");
    agent.destroy();
    await expect(asking()).rejects.toThrow("no public address");
    expect(resolved).toHaveLength(3);
  });
});
