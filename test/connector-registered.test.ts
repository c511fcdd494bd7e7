/** An owner says where the merchant's own API is, and with what it is asked. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { expectStatus, problemOf } from "./support/agreement.ts";
import type { Gateway } from "./support/gateway.ts";
import { credential, customer, customerPath, openShopWorld, type Shop, type ShopWorld, saying, shippedConnector } from "./support/shop.ts";

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

describe("a connector is registered", () => {
  const put = (body: object, as = "owner-1") => gateway.call("PUT", "/v1/contracts/c-test/connectors/shopify", { as, body });
  const file = (text: string) => ({ connector: { name: "shopify.yaml", text }, settings: { shop: "acme" }, credential });

  it("by an owner, who is not shown the credential again, nor is anybody else", async () => {
    const answer = await expectStatus(put(file(shippedConnector("shopify"))), 200);
    const text = await answer.text();
    expect(JSON.parse(text)).toMatchObject({ connector: "shopify", host: "acme.myshopify.com" });
    expect(text).not.toContain(credential);
    expect(await lastEntry()).toMatchObject({ event: "connector.registered", facts: { connector: "shopify", host: "acme.myshopify.com" } });
    expect(JSON.stringify(await lastEntry())).not.toContain(credential);
    await problemOf(put(file(shippedConnector("shopify")), "agent-1"), 403);
  });

  it.each([
    ["https://{shop}.myshopify.com", "https://10.0.0.1", "shopify.yaml:10:7"],
    ["https://{shop}.myshopify.com", "http://{shop}.myshopify.com", "shopify.yaml:10:7"],
    ["resource: shopify_customer", "resource: customer", "shopify.yaml:45:15"],
    ["filter: created_at", "filter: created", "shopify.yaml:"],
    ["purpose: after_sales", "purpose: anything", "shopify.yaml:22:10"],
  ])("not with %j as %j", async (from, to, pointer) => {
    const { errors } = await problemOf(put(file(shippedConnector("shopify").replace(from, to))), 422);
    expect(errors?.[0]?.pointer).toContain(pointer);
  });

  it("not with a credential that is more than one line, or a shop that is another host", async () => {
    await problemOf(put({ ...file(shippedConnector("shopify")), credential: "a\r\nhost: evil" }), 422);
    await problemOf(put({ ...file(shippedConnector("shopify")), settings: { shop: "acme.evil.example/" } }), 422);
    const basic = shippedConnector("shopify").replace("authentication: { header: X-Shopify-Access-Token }", "authentication: basic");
    expect((await problemOf(put(file(basic)), 422)).errors).toEqual([{ pointer: "/credential", code: "grammar" }]);
  });

  it("and is looked at and taken away by an owner, who sees where it leads and what may be asked, and never the credential", async () => {
    const at = (method: string, path = "/shopify", as = "owner-1") =>
      gateway.call(method, `/v1/contracts/c-test/connectors${path}`, { as });
    const list = await (await expectStatus(at("GET", ""), 200)).text();
    const shown = await (await expectStatus(at("GET"), 200)).text();
    expect(JSON.parse(list).connectors.map(({ connector }: { connector: string }) => connector)).toContain("shopify");
    expect(JSON.parse(shown)).toMatchObject({
      ...{ connector: "shopify", host: "acme.myshopify.com", authentication: "header", refused_at: null },
      definition: { routes: expect.arrayContaining([expect.objectContaining({ path: "/admin/api/2026-07/orders.json" })]) },
    });
    expect((await lastEntry())?.event).toBe("connector.read");
    expect(`${list}${shown}`).not.toContain(credential);
    for (const as of ["agent-1", "officer"]) await problemOf(at("GET", "", as), 403);
    await problemOf(at("DELETE", "/nothing"), 404);
    await expectStatus(at("DELETE"), 200);
    expect(await lastEntry()).toMatchObject({ event: "connector.deleted", facts: { connector: "shopify" } });
    const before = shop.asked.length;
    await problemOf(ask(customerPath), 404);
    expect(shop.asked).toHaveLength(before);
    await expectStatus(put(file(shippedConnector("shopify"))), 200);
  });

  it("and does not open any more once somebody changed in the database where it leads", async () => {
    shop.answer = saying({ customer });
    await expectStatus(ask(customerPath), 200);
    const move = (from: string, to: string) =>
      gateway.database.query("update postern.connector set compiled = replace(compiled, $1, $2) where name = 'shopify' returning now()", [
        from,
        to,
      ]);
    const before = shop.asked.length;
    await move("acme.myshopify.com", "evil.myshopify.com");
    await problemOf(ask(customerPath), 404);
    expect(shop.asked).toHaveLength(before);
    await move("evil.myshopify.com", "acme.myshopify.com");
    await expectStatus(ask(customerPath), 200);
  });
});
