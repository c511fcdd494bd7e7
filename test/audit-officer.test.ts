/** An officer asks who saw what, and takes the log away. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { readEntry } from "../src/audit/index.ts";
import { bringIntoForce, expectStatus, importLines, search } from "./support/agreement.ts";
import { createGateway, type Gateway, merchants } from "./support/gateway.ts";
import { agreeOnTrust, verifyLog } from "./support/log-gateway.ts";

interface Entry {
  readonly index: number;
  readonly id: string;
  readonly time: string;
  readonly event: string;
  readonly actor: { readonly role: string; readonly id: string; readonly issuer: string | null; readonly subject: string | null };
  readonly effect: string;
  readonly code: string;
  readonly locators: readonly string[];
  readonly fields: Readonly<Record<string, string>>;
}
interface Page {
  readonly entries: readonly Entry[];
  readonly next: string | null;
}

const demo = (subject: string) => ({ issuer: "demo", subject });
const customers = [
  { id: "buyer-U1", name: "欧阳娜娜", phone: "13800138000" },
  { id: "buyer-U2", name: "林小满", phone: "13900139000" },
];

let gateway: Gateway;
let locators: readonly string[];
beforeAll(async () => {
  const linxi = { ...merchants["m-linxi"], officers: [demo("officer"), demo("officer-2")] };
  gateway = await createGateway({ common: { merchants: { ...merchants, "m-linxi": linxi } } });
  await bringIntoForce(gateway);
  await bringIntoForce(gateway, {
    contract: "c-other",
    merchant: "m-beichen",
    owners: ["owner-b1", "owner-b2"],
    seats: "demo,agent-9,senior,赵六\n",
  });
  await importLines(gateway, customers);
  locators = await Promise.all(customers.map(async ({ id }) => (await search(gateway, { id })).records[0]?.locator ?? ""));
  for (const locator of locators) await read(locator, "agent-1");
  await read(locators[0] ?? "", "agent-2");
  await read(`r_${"a".repeat(26)}`, "agent-2", 404);
  await gateway.keeper.sequence();
});
afterAll(() => gateway.close());

function read(locator: string, as: string, status = 200): Promise<Response> {
  return expectStatus(gateway.call("GET", `/v1/contracts/c-test/records/customer/${locator}`, { as }), status);
}

function ask(query: string, as = "officer", contract = "c-test"): Promise<Response> {
  return gateway.call("GET", `/v1/contracts/${contract}/audit/entries${query}`, { as });
}

async function list(query: string, as = "officer"): Promise<Page> {
  return (await expectStatus(ask(query, as), 200)).json() as Promise<Page>;
}

describe("an officer lists who saw what", () => {
  it("by agent, by the agent's pseudonym, newest first, with who it was and what left how", async () => {
    const byName = await list("?actor=demo/agent-1");
    expect(byName.entries.map(({ event }) => event)).toEqual(["record.read", "record.read", "record.searched", "record.searched"]);
    expect(new Set(byName.entries.map(({ actor }) => `${actor.role} ${actor.issuer}/${actor.subject}`))).toEqual(
      new Set(["agent demo/agent-1"]),
    );
    expect(byName.entries[0]?.fields).toMatchObject({ name: "mask", phone: "mask" });
    expect(byName.entries.map(({ index }) => index)).toEqual(byName.entries.map(({ index }) => index).toSorted((a, b) => b - a));
    const pseudonym = byName.entries[0]?.actor.id ?? "";
    expect(pseudonym).toMatch(/^a_[a-z2-7]{26}$/);
    expect((await list(`?actor=${pseudonym}`)).entries).toEqual(byName.entries);
    expect((await list("?actor=demo/nobody")).entries).toEqual([]);
  });

  it("by data subject, by its locator or its pseudonym", async () => {
    const byLocator = await list(`?subject=${locators[0]}`);
    expect(byLocator.entries.map(({ actor, event }) => `${actor.subject} ${event}`)).toEqual([
      "agent-2 record.read",
      "agent-1 record.read",
      "agent-1 record.searched",
    ]);
    const [row] = await gateway.database.query("select subject from audit.search_subject where log = 'c-test' and index = $1", [
      byLocator.entries[0]?.index ?? -1,
    ]);
    expect(String(row?.[0])).toMatch(/^s_[a-z2-7]{26}$/);
    expect((await list(`?subject=${row?.[0]}`)).entries).toEqual(byLocator.entries);
    expect((await list(`?subject=${locators[1]}&actor=demo/agent-2`)).entries).toEqual([]);
  });

  it("by effect and by time", async () => {
    const denied = await list("?effect=deny");
    expect(denied.entries).toMatchObject([{ event: "record.read", code: "not_found", actor: { subject: "agent-2" } }]);
    const { entries } = await list("?actor=demo/agent-1");
    const [newest, , , oldest] = entries;
    const from = encodeURIComponent(oldest?.time ?? "");
    const to = encodeURIComponent(newest?.time ?? "");
    const until = (await list(`?actor=demo/agent-1&from=${from}&to=${to}`)).entries;
    expect(until.map(({ id }) => id)).toEqual(entries.filter(({ time }) => time < (newest?.time ?? "")).map(({ id }) => id));
    expect((await list(`?from=${encodeURIComponent("2100-01-01T00:00:00Z")}`)).entries).toEqual([]);
    expect((await list(`?actor=demo/agent-1&from=${encodeURIComponent("2000-01-01T08:00:00+08:00")}`)).entries).toEqual(entries);
  });

  it("page by page without a gap, by a cursor of their own", async () => {
    const whole = (await list("?actor=demo/agent-1&limit=200")).entries.map(({ id }) => id);
    const paged: string[] = [];
    let next: string | null = null;
    do {
      const page: Page = await list(`?actor=demo/agent-1&limit=3${next === null ? "" : `&cursor=${next}`}`);
      paged.push(...page.entries.map(({ id }) => id));
      next = page.next;
    } while (next !== null);
    expect(paged).toEqual(whole);
  });

  it("with no other cursor than the one for this officer, contract and filter", async () => {
    const { next } = await list("?actor=demo/agent-1&limit=1");
    const cursor = next ?? "";
    const swapped = cursor.startsWith("A") ? `B${cursor.slice(1)}` : `A${cursor.slice(1)}`;
    await expectStatus(ask(`?actor=demo/agent-1&limit=1&cursor=${cursor}`), 200);
    for (const [query, as] of [
      [`?actor=demo/agent-1&limit=1&cursor=${swapped}`, "officer"],
      [`?actor=demo/agent-1&limit=1&cursor=${cursor}A`, "officer"],
      [`?actor=demo/agent-1&limit=1&cursor=${cursor.slice(0, -1)}`, "officer"],
      ["?actor=demo/agent-1&limit=1&cursor=MQ", "officer"],
      [`?actor=demo/agent-2&limit=1&cursor=${cursor}`, "officer"],
      [`?limit=1&cursor=${cursor}`, "officer"],
      [`?actor=demo/agent-1&effect=allow&limit=1&cursor=${cursor}`, "officer"],
      [`?actor=demo/agent-1&limit=1&cursor=${cursor}`, "officer-2"],
    ] as const) {
      expect((await ask(query, as)).status, query).toBe(400);
    }
    expect((await ask("?actor=demo/agent-1&limit=1", "officer-2")).status).toBe(200);
  });

  it.each([
    "?limit=0",
    "?limit=201",
    "?limit=-1",
    "?limit=1e2",
    "?limit=abc",
    "?limit=",
    "?limit=5&limit=6",
    "?effect=maybe",
    "?from=yesterday",
    "?from=2026-02-30T00:00:00Z",
    "?from=",
    "?to=2026-01-01",
    "?actor=",
    `?actor=${"x".repeat(401)}`,
    `?subject=${"x".repeat(65)}`,
    "?subjekt=r_x",
    "?cursor=",
    "?actor=%00",
    "?actor=demo/%0a",
    "?from=0000-01-01T00:00:00Z",
    "?from=1969-12-31T23:59:59Z",
    "?to=9999-12-31T23:59:59-23:59",
    "?from=2026-01-01T00:00:00%2b24:00",
    "?__proto__=x",
  ])("never guesses what %s means", async (query) => {
    const answer = await ask(query);
    expect(answer.status).toBe(400);
    expect(await answer.json()).toMatchObject({ code: "bad_query" });
  });

  it("and takes the ends of the calendar as they come", async () => {
    for (const query of [
      "?from=9999-12-31T23:59:59Z",
      "?to=2026-01-01T00:00:00-23:59",
      "?from=1970-01-01T00:00:00Z",
      "?to=2026-01-01T00:00:00.123456789Z",
    ])
      expect([query, (await ask(query)).status]).toEqual([query, 200]);
    expect(gateway.faults).toEqual([]);
  });

  it("and never the data", async () => {
    const text = await (await ask("?limit=200")).text();
    for (const value of ["欧阳", "林小满", "13800138000", "138*", "13900139000", "buyer-U1"]) expect(text).not.toContain(value);
    expect((await gateway.call("GET", `/v1/contracts/c-test/records/customer/${locators[0]}`, { as: "officer" })).status).toBe(403);
    const found = await gateway.call("POST", "/v1/contracts/c-test/records/customer/search", {
      as: "officer",
      body: { by: { phone: "13800138000" } },
    });
    expect(found.status).toBe(403);
  });
});

describe("the officer's routes", () => {
  const routes = [
    "/audit/entries",
    "/audit/export?format=bundle",
    "/audit/export?format=csv",
    "/audit/export/manifest?format=csv&bytes=0&cursor=A",
    "/audit/tail",
  ];

  it.each([
    ["an owner", "owner-1", 403],
    ["an agent of the contract", "agent-1", 403],
    ["another merchant's officer", "officer-b", 404],
    ["another merchant's owner", "owner-b1", 404],
    ["an agent of another contract", "agent-9", 404],
    ["a stranger", "stranger", 404],
    ["nobody", undefined, 401],
  ] as const)("are closed to %s", async (_, as, status) => {
    for (const route of routes) {
      const answer = await gateway.call("GET", `/v1/contracts/c-test${route}`, as === undefined ? {} : { as });
      expect([answer.status, answer.headers.get("content-type")]).toEqual([status, "application/problem+json"]);
    }
  });

  it("answer the same for a contract that is not there and one that is another merchant's", async () => {
    for (const route of routes) {
      const bodies = await Promise.all(
        ["c-other", "c-nowhere"].map(async (contract) => {
          const answer = await gateway.call("GET", `/v1/contracts/${contract}${route}`, { as: "officer" });
          const { request_id, ...rest } = (await answer.json()) as Record<string, unknown>;
          expect(request_id).toBe(answer.headers.get("x-request-id"));
          return rest;
        }),
      );
      expect(bodies[0]).toEqual(bodies[1]);
    }
  });

  it("write down who was turned away, with the contract, in the gateway's log", async () => {
    await gateway.call("GET", "/v1/contracts/c-test/audit/export?format=bundle", { as: "stranger-2" });
    await gateway.call("GET", "/v1/contracts/c-test/audit/export?format=bundle");
    await gateway.call("GET", `/v1/contracts/c-test/records/customer/${locators[0]}`);
    await gateway.call("GET", `/v1/contracts/c-test/records/customer/${locators[0]}`, { as: "stranger-2" });
    await gateway.call("GET", `/v1/contracts/13800138000/records/customer/${locators[0]}`, { as: "stranger-2" });
    const rows = await gateway.database.query(
      "select substring(entries from 3) from audit.flush where log = 'gateway' order by flush_id desc limit 5",
    );
    const entries = rows.map(([bytes]) => (bytes instanceof Uint8Array ? readEntry(bytes) : null)).reverse();
    expect(entries.map((entry) => [entry?.outcome.code, entry?.facts?.contract])).toEqual([
      ["not_found", "c-test"],
      ["token_missing", "c-test"],
      ["token_missing", "c-test"],
      ["not_found", "c-test"],
      ["not_found", undefined],
    ]);
    expect(JSON.stringify(entries)).not.toContain("13800138000");
  });
});

describe("an export", () => {
  it("is itself the last entry of the log that it hands out", async () => {
    const before = (await list("?limit=1")).entries[0]?.index ?? 0;
    const answer = await expectStatus(gateway.call("GET", "/v1/contracts/c-test/audit/export?format=bundle", { as: "officer" }), 200);
    expect(answer.headers.get("content-type")).toBe("application/x-tar");
    const bytes = new TextDecoder().decode(await answer.arrayBuffer());
    const exported = (await list("?limit=200")).entries.filter(({ event }) => event === "audit.exported");
    expect(exported[0]).toMatchObject({ actor: { role: "officer", subject: "officer" }, code: "bundle" });
    expect(exported[0]?.index).toBeGreaterThan(before);
    expect(bytes).toContain(exported[0]?.id);
    expect(bytes).toContain(`"size": ${Number(exported[0]?.index) + 1},`);
    for (const value of ["欧阳", "林小满", "13800138000", "agent-1", "officer-2"]) expect(bytes).not.toContain(value);
  });

  it("verifies under the contract's trust file and under no other's", async () => {
    const other = await createGateway();
    const [trust, foreign] = [await agreeOnTrust(other, { contract: "c-new" }), await agreeOnTrust(other, { contract: "c-newer" })];
    expect(await verifyLog(other, trust, { contract: "c-new" })).toMatchObject({ ok: true, origin: "test/postern/c-new" });
    expect((await verifyLog(other, foreign, { contract: "c-new" })).problems.map(({ code }) => code)).toContain("log_not_trusted");
    await other.close();
  });

  it("has a format, which must be named, and as a bundle nothing that would leave something out", async () => {
    for (const query of [
      "",
      "?format=",
      "?format=tar",
      "?format=bundle&format=bundle",
      "?format=bundle&x=1",
      "?format=bundle&effect=deny",
    ]) {
      expect((await gateway.call("GET", `/v1/contracts/c-test/audit/export${query}`, { as: "officer" })).status).toBe(400);
    }
  });
});
