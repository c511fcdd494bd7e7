/** A merchant's API in trouble is left alone: it is asked again with patience, then less often, then not; and its owner is told what is the owner's to mend. */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import type { ContractId } from "../src/kernel/index.ts";
import { createGates, type Gates } from "../src/upstream/index.ts";
import { expectStatus } from "./support/agreement.ts";
import type { Gateway } from "./support/gateway.ts";
import { customer, customerPath, openShopWorld, registerQuick, type Shop, type ShopWorld, saying } from "./support/shop.ts";

let shop: Shop;
let gateway: Gateway;
let ask: ShopWorld["ask"];
let entries: ShopWorld["entries"];

beforeAll(async () => {
  ({ shop, gateway, ask, entries } = await openShopWorld());
});
beforeEach(() => registerQuick(gateway));
afterAll(async () => {
  await gateway.close();
  await shop.close();
});

/** How often the shop was asked, and what the agent was told. */
async function asked(): Promise<readonly [number, number, string | null, string | null]> {
  const before = shop.asked.length;
  const { status, headers } = await ask(customerPath);
  return [shop.asked.length - before, status, headers.get("retry-after"), headers.get("ratelimit")];
}

const broken: Shop["answer"] = (_path, response) => void response.destroy();

describe("an upstream in trouble", () => {
  it("is asked again where nothing answered, or something in front of it did, and the agent has its answer", async () => {
    for (const trouble of [broken, saying("", 502), saying("", 503), saying("", 504)]) {
      let left = 2;
      shop.answer = (path, response) => (left-- > 0 ? trouble : saying({ customer }))(path, response);
      expect(await asked()).toEqual([3, 200, null, null]);
    }
  });

  it.each([
    ["an error of its own", saying("", 500), [1, 502, null, null]],
    ["a page that is none", saying("<html>", 200, { "content-type": "text/html" }), [1, 502, null, null]],
    ["nothing there", saying("", 404), [1, 404, null, null]],
    ["a credential that it refuses", saying("", 401), [1, 502, null, null]],
    ["too many questions", saying("", 429, { "retry-after": "30" }), [1, 429, "30", '"upstream";r=0;t=30']],
    ["a limit that says nothing more", saying("", 429, { "retry-after": "soon" }), [1, 429, "1", expect.any(String)]],
    ["a rest for ever", saying("", 503, { "retry-after": "999999999" }), [1, 503, "3600", expect.any(String)]],
  ] as const)("that answers %s is asked once", async (_what, answer, told) => {
    shop.answer = answer;
    expect(await asked()).toEqual(told);
  });

  it("that rests until a date is asked once", async () => {
    shop.answer = (path, response) => saying("", 503, { "retry-after": new Date(Date.now() + 900_000).toUTCString() })(path, response);
    const [count, status, retryAfter] = await asked();
    expect([count, status]).toEqual([1, 503]);
    expect(Math.abs(Number(retryAfter) - 895)).toBeLessThan(6);
  });

  it("that wants to be left alone is, for so long, and nobody waits for it", async () => {
    shop.answer = saying("", 429, { "retry-after": "30" });
    await asked();
    shop.answer = saying({ customer });
    const [count, status, retryAfter] = await asked();
    expect([count, status]).toEqual([0, 429]);
    expect(Number(retryAfter)).toBeGreaterThan(25);
    expect((await entries()).at(-1)).toMatchObject({ outcome: { effect: "deny", code: "upstream_limited" } });
  });

  it("makes no storm: while it answers nothing each question is asked once, and after five none", async () => {
    shop.answer = broken;
    const counts: number[] = [];
    for (let question = 0; question < 6; question++) counts.push((await asked())[0]);
    expect(counts).toEqual([3, 1, 1, 1, 1, 0]);
    expect(await asked()).toEqual([0, 503, "5", '"upstream";r=0;t=5']);
  });

  it("that refuses the credential says so to its owner, once, and to the agent nothing", async () => {
    shop.answer = saying({ errors: "[API] Invalid API key" }, 401);
    const before = (await entries()).length;
    for (let question = 0; question < 8; question++) expect((await ask(customerPath)).status).toBeGreaterThanOrEqual(502);
    const told = (await entries()).slice(before);
    expect(told.filter(({ event }) => event === "connector.refused")).toMatchObject([
      {
        actor: { role: "system" },
        outcome: { effect: "deny", code: "credential_refused" },
        facts: { connector: "shopify", upstream_status: 401 },
      },
    ]);
    const refusedAt = async () => {
      const shown = await gateway.call("GET", "/v1/contracts/c-test/connectors/shopify", { as: "owner-1" });
      return ((await shown.json()) as { refused_at: string | null }).refused_at;
    };
    expect(await refusedAt()).toMatch(/^20/);
    await registerQuick(gateway);
    expect(await refusedAt()).toBeNull();
    shop.answer = saying({ customer });
    await expectStatus(ask(customerPath), 200);
  });
});

describe("the gates before a merchant's API", () => {
  const place = (contract: string) => ({ contract: contract as ContractId, name: "shop", credential: new Uint8Array(40) });

  it("let so many through at once for a contract, and another contract is none the worse for it", () => {
    let now = 0;
    const gates = createGates(() => now);
    const entered = Array.from({ length: 64 }, () => gates.enter(place("c-1")));
    expect(entered.every(({ ok }) => ok)).toBe(true);
    expect(gates.enter(place("c-1"))).toEqual({ ok: false, refusal: { code: "upstream_limited", retryAfterSeconds: 1 } });
    expect(gates.enter(place("c-2")).ok).toBe(true);
    const [first] = entered;
    if (first?.ok) first.value.leave({ kind: "answered" });
    expect(gates.enter(place("c-1")).ok).toBe(true);
    expect(gates.enter(place("c-1")).ok).toBe(false);
    now = 60_000;
    expect(gates.enter(place("c-1")).ok).toBe(true);
  });

  const megabyte = 2 ** 20;
  const enter = (gates: Gates, contract: string) => {
    const gate = gates.enter(place(contract));
    if (!gate.ok) throw new Error("the gate is closed");
    return gate.value;
  };

  it("let a contract's answers together be so large, and another contract is none the worse for it", () => {
    const gates = createGates(() => 0);
    const [one, two, other] = [enter(gates, "c-1"), enter(gates, "c-1"), enter(gates, "c-2")];
    const held = [one.mayHold(10 * megabyte), two.mayHold(6 * megabyte), two.mayHold(1), other.mayHold(7 * megabyte)];
    expect(held).toEqual([true, true, false, true]);
    one.leave({ kind: "answered" });
    expect(two.mayHold(megabyte)).toBe(true);
  });

  it("let the answers of all contracts together be no larger than the process may hold, and then nobody else through", () => {
    let now = 0;
    const gates = createGates(() => now);
    const [one, other] = [enter(gates, "c-1"), enter(gates, "c-2")];
    expect([one.mayHold(16 * megabyte), other.mayHold(8 * megabyte), other.mayHold(1)]).toEqual([true, true, false]);
    expect(gates.enter(place("c-3"))).toEqual({ ok: false, refusal: { code: "upstream_busy", retryAfterSeconds: 1 } });
    one.leave({ kind: "answered" });
    expect(gates.enter(place("c-3")).ok).toBe(true);
    expect(other.mayHold(8 * megabyte)).toBe(true);
    // On Workers nobody says that a question was cut off.
    now = 60_000;
    expect(enter(gates, "c-4").mayHold(16 * megabyte)).toBe(true);
  });
});
