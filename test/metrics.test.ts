/** What the gateway counts, and who may read it. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createMetrics } from "../src/http/index.ts";
import { bringIntoForce, importLines, search } from "./support/agreement.ts";
import { documentedAsk, readDocument } from "./support/documented.ts";
import { createGateway, type Gateway } from "./support/gateway.ts";

const policy = `resources:
  customer:
    subject: id
    fields:
      phone: { class: phone, search: true }
      city: { class: plain }
roles:
  first_line:
    customer: { phone: mask, city: reveal }
`;
const canary = "13827465190";

let gateway: Gateway;
beforeAll(async () => {
  gateway = await createGateway();
  const seats = "demo,agent-1,first_line,林\n";
  await bringIntoForce(gateway, { policy, roles: "[first_line]", ceiling: "{ phone: mask, plain: reveal }", seats });
});
afterAll(() => gateway.close());

/** name{labels} → count */
async function counts(): Promise<Map<string, number>> {
  const answer = await gateway.call("GET", "/metrics", { as: "operator" });
  const lines = (await answer.text()).split("\n").filter((line) => line !== "" && !line.startsWith("#"));
  return new Map(lines.map((line) => [line.slice(0, line.lastIndexOf(" ")), Number(line.slice(line.lastIndexOf(" ") + 1))]));
}

const unknown = (at: string) => `postern_unknown_field_total{contract="c-test",type="customer",at="${at}"}`;
const requests = (route: string, status: string) => `postern_requests_total{route="${route}",status="${status}"}`;

describe("what nobody named", () => {
  it("is counted where it is not stored, and where a read withholds it, by contract and type", async () => {
    const before = await counts();
    const lines = [
      // Two fields that no policy names, and a phone of another shape, which is stored whole and leaves in no part.
      { id: "U1", phone: canary, city: "杭州市", new_contact: canary, [`contact_${canary}`]: "x" },
      { id: "U2", phone: { raw: canary }, city: { of: canary } },
    ];
    await importLines(gateway, lines);
    expect((await counts()).get(unknown("import"))).toBe((before.get(unknown("import")) ?? 0) + 2);
    expect((await search(gateway, { id: "U1" })).records).toHaveLength(1);
    expect((await counts()).get(unknown("read"))).toBeUndefined();
    expect((await search(gateway, { id: "U2" })).records[0]?.fields).toEqual({ phone: null, city: null });
    expect((await counts()).get(unknown("read"))).toBe(2);
  });

  it("is not named: no value, no key, no locator, no person", async () => {
    await search(gateway, { phone: canary });
    await gateway.call("GET", `/v1/contracts/${canary}/records/customer/${canary}`, { as: "agent-1" });
    await gateway.call("GET", `/${canary}`);
    const text = await (await gateway.call("GET", "/metrics", { as: "operator" })).text();
    // Seven digits come up by chance in a number that is measured.
    expect(text.replaceAll(/ [0-9.e+-]+$/gm, "")).not.toMatch(/1382746|contact|r_[a-z2-7]{26}|agent-1|owner|杭州/);
  });
});

describe("requests", () => {
  it("are counted by the route as it is documented, and by class of status", async () => {
    const before = await counts();
    await gateway.call("GET", "/healthz");
    await gateway.call("GET", "/healthz?x=1");
    await gateway.call("DELETE", "/healthz");
    await gateway.call("GET", "/nowhere");
    const after = await counts();
    const grown = (key: string) => (after.get(key) ?? 0) - (before.get(key) ?? 0);
    expect([grown(requests("GET /healthz", "2xx")), grown(requests("GET /healthz", "4xx")), grown(requests("none", "4xx"))]).toEqual([
      1, 1, 2,
    ]);
    expect(grown(requests("GET /metrics", "2xx"))).toBe(1);
  });
});

describe("the counters", () => {
  it("are for operators alone, and look the same on every door", async () => {
    const ask = documentedAsk(gateway, await readDocument(gateway));
    for (const as of ["agent-1", "officer", "owner-1", "nobody"])
      expect(await ask("GET", "/metrics", { as })).toMatchObject({ status: 403 });
    expect((await gateway.call("GET", "/metrics")).status).toBe(401);
    expect(await ask("POST", "/metrics", { as: "operator" })).toMatchObject({ status: 405 });
    const { answer } = await ask("GET", "/metrics", { as: "operator" });
    expect([answer.status, answer.headers.get("content-type")]).toEqual([200, "text/plain; version=0.0.4; charset=utf-8"]);
  });

  it("are text that a collector reads: each name once with its kind, labels escaped", () => {
    const metrics = createMetrics();
    metrics.requests.add(1, 'GET /"\\\n', "2xx");
    metrics.requests.add(2, "GET /a", "2xx");
    metrics.requests.add(3, "GET /a", "2xx");
    metrics.requests.add(0, "GET /b", "2xx");
    expect(metrics.text()).toBe(`# HELP postern_requests_total Answers by route and class of status.
# TYPE postern_requests_total counter
postern_requests_total{route="GET /\\"\\\\\\n",status="2xx"} 1
postern_requests_total{route="GET /a",status="2xx"} 5
# HELP postern_unknown_field_total Fields and shapes that no policy names, withheld at a read or not stored at an import.
# TYPE postern_unknown_field_total counter
`);
  });
});
