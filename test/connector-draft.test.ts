/** A first connector from sample answers: it is one, it repeats no value of a sample, and by the policy beside it nobody sees a field. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { draftConnector, parseConnector, type Sample } from "../src/connectors/index.ts";
import { describeProblem, parsePolicy } from "../src/policy/index.ts";
import { hasShared, readShared } from "./support/shared.ts";

function drafted(samples: readonly Sample[]) {
  const draft = draftConnector("shop", samples);
  if (!draft.ok) throw new Error(draft.refusal);
  const { connector, policy } = draft.value;
  const [parsed, read] = [parseConnector(connector, "c.yaml"), parsePolicy(policy, "p.yaml")];
  if (!parsed.ok) throw new Error(parsed.refusal.map(describeProblem).join("\n"));
  if (!read.ok) throw new Error(read.refusal.map(describeProblem).join("\n"));
  return { ...draft.value, routes: parsed.value.connector.routes, resources: read.value.resources, roles: read.value.roles };
}

const order = {
  id: 17,
  email: "ann@mail.example",
  total: "5.00",
  api_token: "x",
  lines: [
    { sku: "A", note: null },
    { sku: "B", note: { text: "hi" } },
  ],
};

describe("a connector that is drafted from samples", () => {
  it("has a route for each path, with ids in their places, and finds the records", () => {
    const { routes } = drafted([
      { path: "/api/2026-07/orders/17.json", body: { order } },
      { path: "/api/2026-07/orders/18.json?fields=id", body: { order: { ...order, phone: "1" } } },
      { path: "/api/2026-07/orders.json", body: { orders: [order], total: 1 } },
      { path: "/V1/shipments", body: { items: [{ entity_id: 3, tracks: [] }], total_count: 1 } },
      { path: "/customers", body: [{ uuid: "a" }] },
    ]);
    expect(routes.map(({ path, resource, id, records }) => [path, resource, id, records])).toEqual([
      ["/api/2026-07/orders/{id}.json", "shop_order", "id", { keys: ["order"], list: false }],
      ["/api/2026-07/orders.json", "shop_order", "id", { keys: ["orders"], list: true }],
      ["/V1/shipments", "shop_item", "entity_id", { keys: ["items"], list: true }],
      ["/customers", "shop_customer", "uuid", { keys: [], list: true }],
    ]);
  });

  it("names the fields of all samples, guesses their classes, leaves out what opens something, and lets no role see any", () => {
    const { resources, roles } = drafted([
      { path: "/orders/1", body: { order } },
      { path: "/orders/2", body: { order: { id: 1, phone: "1" } } },
    ]);
    const classes = Object.entries(resources.shop_order?.fields ?? {}).map(([path, field]) => [path, "class" in field && field.class]);
    expect(Object.fromEntries(classes)).toEqual({
      ...{ id: "free_text", email: "email", phone: "phone", total: "free_text" },
      ...{ "lines[].sku": "free_text", "lines[].note.text": "free_text" },
    });
    expect(JSON.stringify(roles)).not.toMatch(/reveal|mask|generalize|pseudonymize/);
  });

  it("says which paths hold no records, and is none where none does", () => {
    expect(
      drafted([
        { path: "/orders", body: [order] },
        { path: "/orders/count", body: { count: 5 } },
      ]).without,
    ).toEqual(["/orders/count"]);
    expect(draftConnector("shop", [{ path: "/a", body: { count: 5 } }]).ok).toBe(false);
  });

  it("repeats no value of a sample, whatever its keys are", () => {
    const value = fc.constant("kanarie-zq7w");
    const body = fc.dictionary(
      fc.oneof(fc.string(), fc.constantFrom("email", "a", "b")),
      fc.oneof(value, fc.dictionary(fc.string(), value)),
      { noNullPrototype: true },
    );
    fc.assert(
      fc.property(body, (fields) => {
        const { connector, policy } = drafted([{ path: "/orders/kanarie@zq7w", body: { ...fields, id: "kanarie-zq7w" } }]);
        expect(`${connector}${policy}`).not.toContain("kanarie");
      }),
    );
  });

  it.runIf(hasShared("apis/shopify/rest-2026-07/order.json"))("is sound for every recording of the platforms", () => {
    for (const file of ["shopify/rest-2026-07/order", "shopify/rest-2026-07/customer", "woocommerce/orders", "woocommerce/customers"]) {
      const recorded = JSON.parse(readShared(`apis/${file}.json`)) as { method: string; path: string; response: Sample["body"] }[];
      const samples = recorded.flatMap(({ method, path, response }) => (method === "GET" && response ? [{ path, body: response }] : []));
      expect(drafted(samples).routes.length, file).toBeGreaterThan(1);
    }
  });
});
