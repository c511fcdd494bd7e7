import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Admitted, matrix } from "../src/offices/matrix.ts";
import { bringIntoForce } from "./support/agreement.ts";
import { createGateway, type Gateway } from "./support/gateway.ts";

let gateway: Gateway;
beforeAll(async () => {
  gateway = await createGateway();
  await bringIntoForce(gateway);
});
afterAll(() => gateway.close());

const inside: Readonly<Record<string, Admitted>> = {
  "agent-1": "agent",
  "owner-1": "merchant_owner",
  officer: "officer",
  operator: "operator",
};
const outside = ["agent-9", "owner-b1", "officer-b"];

/** Every cell that the matrix closes, in a contract in force: who comes, and to which route. */
const closed = Object.entries(matrix).flatMap(([route, roles]) => {
  if (roles.includes("anyone")) return [];
  const people = Object.entries(inside).flatMap(([name, role]) => (roles.includes(role) ? [] : [name]));
  return [...people, ...(/\{(contract|log)\}/.test(route) && !roles.includes("operator") ? outside : [])].map((as) => ({ as, route }));
});

function pathOf(template: string): string {
  return template
    .replace(/\{(contract|log)\}/g, "c-test")
    .replace("{tile}", "0/000")
    .replace(/\{\w+\}/g, "x-1");
}

describe("the authorization matrix", () => {
  it("has a row for every route that is served, and no other", async () => {
    const answer = await gateway.call("GET", "/openapi.json");
    const { paths } = (await answer.json()) as { paths: Record<string, object> };
    const served = Object.entries(paths).flatMap(([path, methods]) =>
      Object.keys(methods).map((method) => `${method.toUpperCase()} ${path}`),
    );
    expect(Object.keys(matrix).sort()).toEqual([...served, "POST /v1/demo/tamper"].sort());
  });

  it("is kept by the gateway: nothing is done for whom it does not admit", async () => {
    const open: string[] = [];
    for (const { as, route } of closed) {
      const [method = "", path = ""] = route.split(" ");
      const { status } = await gateway.call(method, pathOf(path), { as });
      if (status < 400 || status >= 500) open.push(`${as}: ${route}: ${status}`);
    }
    expect(closed.length).toBeGreaterThan(280);
    expect(open).toEqual([]);
  });
});
