/**
 * A merchant's API is not asked again for minutes, where the contract says so: what it said lies sealed, and goes with a write, the hour, and the contract.
 * And what of it an agent sees whom two owners let see one person.
 */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { because, bringIntoForce, expectStatus, problemOf, shippedPolicy } from "./support/agreement.ts";
import type { Gateway } from "./support/gateway.ts";
import {
  ceiling,
  customer,
  customerPath,
  openShopWorld,
  ordersPath,
  register,
  type Shop,
  type ShopWorld,
  saying,
  shippedConnector,
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

describe("an answer that the contract lets be kept", () => {
  const kept = { contract: "c-kept", as: "agent-2" };
  const path = "/api/v2/tickets/35436.json";
  const ticket = (status: string) => saying({ ticket: { id: 35436, status, priority: "kanarie-kept", requester_id: 7 } });
  const read = (as = "agent-2") => ask(path, { ...kept, name: "zendesk", as });
  const statusOf = async (answer: Promise<Response>) =>
    ((await (await expectStatus(answer, 200)).json()) as { ticket: { status: string } }).ticket.status;

  beforeAll(async () => {
    const more = "upstream: { cache_minutes: 5 }\n";
    await bringIntoForce(gateway, { contract: "c-kept", policy: shippedPolicy("western-shop"), ceiling, more });
    await register(gateway, "zendesk", { contract: "c-kept" });
  });

  it("is not asked for again, by nobody, and has its entry each time", async () => {
    shop.answer = ticket("open");
    const before = shop.asked.length;
    for (const as of ["agent-2", "agent-2", "agent-1"]) expect(await statusOf(read(as))).toBe("open");
    expect(shop.asked).toHaveLength(before + 1);
    const told = (await entries("c-kept")).filter(({ event }) => event === "record.read");
    expect(told.map(({ facts }) => facts?.upstream_kept)).toEqual([undefined, 1, 1]);
    expect(told.every(({ resource }) => resource?.records.length === 1)).toBe(true);
  });

  it("lies there sealed", async () => {
    const rows = await gateway.database.query("select name, answer from postern.upstream_answer");
    expect(rows.length).toBeGreaterThan(0);
    expect(JSON.stringify(rows.map((row) => row.map((cell) => Buffer.from(cell as Uint8Array).toString("latin1"))))).not.toContain(
      "kanarie",
    );
  });

  it("counts no more once something is written there, once it is minutes old, or by another credential", async () => {
    shop.answer = ticket("solved");
    const body = { ticket: { status: "solved" } };
    await expectStatus(ask(path, { ...kept, name: "zendesk", method: "PUT", body }), 200);
    expect(await statusOf(read())).toBe("solved");
    shop.answer = ticket("open");
    expect(await statusOf(read())).toBe("solved");
    await gateway.database.query("update postern.upstream_answer set asked_at = asked_at - interval '6 minutes'");
    expect(await statusOf(read())).toBe("open");
    shop.answer = ticket("closed");
    await register(gateway, "zendesk", { contract: "c-kept", text: shippedConnector("zendesk").replace("seconds: 10", "seconds: 9") });
    expect(await statusOf(read())).toBe("closed");
  });

  it("is none where the contract says nothing, where it was an error, or for who may not come in", async () => {
    const rows = () => gateway.database.query("select count(*)::int from postern.upstream_answer where contract_id = 'c-test'");
    shop.answer = ticket("open");
    await expectStatus(ask(path, { name: "zendesk", as: "agent-2" }), 200);
    expect(await rows()).toEqual([[0]]);
    const missing = "/api/v2/tickets/1.json";
    shop.answer = saying({ error: "x" }, 404);
    await problemOf(ask(missing, { ...kept, name: "zendesk" }), 404);
    shop.answer = saying({ ticket: { id: 1, status: "open" } });
    await expectStatus(ask(missing, { ...kept, name: "zendesk" }), 200);
    await expectStatus(gateway.call("POST", "/v1/contracts/c-kept/suspend", { as: "owner-1", body: { reason: "incident" } }), 200);
    expect((await problemOf(read(), 403)).code).toBe("contract_suspended");
  });

  it("goes with the hour, at the keeper's tick", async () => {
    await gateway.database.query("update postern.upstream_answer set asked_at = asked_at - interval '2 hours'");
    await gateway.keeper.tick();
    expect(await gateway.database.query("select count(*)::int from postern.upstream_answer")).toEqual([[0]]);
  });
});

describe("an agent whom two owners let see one person, behind glass", () => {
  const headers = { "postern-purpose": "emergency" };
  const orders = [
    { id: 1, status: "open", closed_at: null, customer: { id: customer.id } },
    { id: 2, status: "open", closed_at: null, customer: { id: 5 } },
    { id: 3, status: "open", closed_at: null },
  ];

  it("gets that person's records from the merchant's own API, in lists as well, and nobody else's", async () => {
    shop.answer = saying({ customer });
    expect(await problemOf(ask(customerPath, { headers }), 403)).toMatchObject({ code: "break_glass_needed" });
    const body = {
      seat: { issuer: "demo", subject: "agent-1" },
      purpose: "emergency",
      person: { type: "shopify_customer", id: String(customer.id) },
    };
    const asked = gateway.call("POST", "/v1/contracts/c-test/break-glass", { as: "owner-1", body, ...because });
    const { approval, found } = (await (await expectStatus(asked, 202)).json()) as { approval: { id: string }; found: boolean };
    expect(found).toBe(false);
    await expectStatus(gateway.call("POST", `/v1/approvals/${approval.id}/approve`, { as: "owner-2" }), 200);
    await expectStatus(ask(customerPath, { headers }), 200);
    expect((await entries()).at(-1)).toMatchObject({ facts: { upstream: "shopify", break_glass: [approval.id] } });
    shop.answer = saying({ orders });
    const list = (await (await expectStatus(ask(ordersPath, { headers }), 200)).json()) as { orders: { id: number }[] };
    expect(list.orders.map(({ id }) => id)).toEqual([1]);
    shop.answer = saying({ customer: { ...customer, id: 5 } });
    expect(await problemOf(ask(customerPath.replace("207119551", "5"), { headers }), 404)).toMatchObject({ code: "not_found" });
  });
});
