/** What a second owner is told, and what becomes of a request that nobody decides. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { bringIntoForce, contractText, expectStatus, problemOf, shippedPolicy } from "./support/agreement.ts";
import { createGateway, type Gateway } from "./support/gateway.ts";
import { entriesOf } from "./support/log-writers.ts";

const why = "张伟 (13800138000) complained twice; 100 % sure";
const terminate = { confirm: "c-test", at: "2098-01-01", reason: "convenience" };

let gateway: Gateway;
beforeAll(async () => {
  gateway = await createGateway();
  await bringIntoForce(gateway);
});
afterAll(() => gateway.close());

const saying = (reason: string) => ({ "postern-reason": encodeURIComponent(reason) });

async function ask(headers: Record<string, string> = {}): Promise<string> {
  const asked = gateway.call("POST", "/v1/contracts/c-test/terminate", { as: "owner-1", body: terminate, headers });
  return ((await (await expectStatus(asked, 202)).json()) as { approval: { id: string } }).approval.id;
}

const decide = (id: string, word: string, headers: Record<string, string> = {}) =>
  gateway.call("POST", `/v1/approvals/${id}/${word}`, { as: word === "withdraw" ? "owner-1" : "owner-2", headers });

interface Listed {
  readonly id: string;
  readonly state: string;
  readonly reason: string | null;
  readonly decided_reason: string | null;
}

async function listed(id: string): Promise<Listed | undefined> {
  const answer = await expectStatus(gateway.call("GET", "/v1/approvals", { as: "owner-2" }), 200);
  return ((await answer.json()) as { approvals: Listed[] }).approvals.find((one) => one.id === id);
}

async function log(event: string) {
  const all = await entriesOf({ owner: gateway.database }, "c-test");
  return all.map(({ entry }) => entry).filter((entry) => entry.event === event);
}

async function officersView(event: string): Promise<(string | null)[]> {
  await gateway.keeper.sequence();
  const answer = await expectStatus(gateway.call("GET", "/v1/contracts/c-test/audit/entries?limit=100", { as: "officer" }), 200);
  const { entries } = (await answer.json()) as { entries: { event: string; reason: string | null }[] };
  return entries.filter((entry) => entry.event === event).map(({ reason }) => reason);
}

describe("why somebody asks, and why another one decides so", () => {
  it("is shown to both, and to the officer in the log", async () => {
    const id = await ask(saying(why));
    expect(await listed(id)).toMatchObject({ state: "requested", reason: why, decided_reason: null });
    await expectStatus(decide(id, "reject", saying("  not before the season ends  ")), 200);
    expect(await listed(id)).toMatchObject({ state: "rejected", reason: why, decided_reason: "not before the season ends" });
    expect(await officersView("contract.termination_requested")).toEqual([why]);
    expect(await officersView("approval.rejected")).toEqual(["not before the season ends"]);
  });

  it("need not be said where an end is moved", async () => {
    const id = await ask();
    expect(await listed(id)).toMatchObject({ reason: null });
    await expectStatus(decide(id, "withdraw"), 200);
    expect(await listed(id)).toMatchObject({ state: "withdrawn", decided_reason: null });
  });

  it("lies sealed: neither the table nor the log holds a word of it", async () => {
    const rows = await gateway.database.query("select to_jsonb(a)::text, now() from postern.approval a");
    const entries = (await entriesOf({ owner: gateway.database }, "c-test")).map(({ text }) => text);
    const held = [...rows.map(([row]) => String(row)), ...entries].join();
    for (const word of ["13800138000", "complained", "season", "张伟"]) expect([word, held.includes(word)]).toEqual([word, false]);
  });

  it("is nobody's to move to another request", async () => {
    const [moved, onto] = [await ask(saying(why)), "x"];
    await expectStatus(decide(moved, "withdraw"), 200);
    const other = await ask(saying(onto));
    await gateway.database.query(
      "update postern.approval set reason = (select reason from postern.approval where approval_id = $1) where approval_id = $2",
      [moved, other],
    );
    expect(await listed(other)).toMatchObject({ reason: null });
    await expectStatus(decide(other, "withdraw"), 200);
  });

  it.each([
    ["nothing", ""],
    ["spaces", "%20%20"],
    ["a line of its own", "a%0Ab"],
    ["a letter that turns the line round", "a%E2%80%AEb"],
    ["what is no UTF-8", "%FF"],
    ["half an escape", "a%E5%B"],
    ["more than 500 characters", "a".repeat(501)],
  ])("is refused where it is %s, and nothing is asked", async (_what, text) => {
    const before = (await log("contract.termination_requested")).length;
    const headers = { "postern-reason": text };
    const asked = await gateway.call("POST", "/v1/contracts/c-test/terminate", { as: "owner-1", body: terminate, headers });
    expect([asked.status, await asked.json()]).toMatchObject([
      400,
      { code: "bad_header", errors: [{ pointer: "header:postern-reason", code: "grammar" }] },
    ]);
    expect(await log("contract.termination_requested")).toHaveLength(before);
  });
});

describe("what needs a reason", () => {
  const policy = (text: string, headers = {}) => {
    const files = { contract: { name: "contract.yaml", text: contractText() }, policy: { name: "policy.yaml", text } };
    return gateway.call("PUT", "/v1/contracts/c-test/policy", { as: "owner-1", body: files, headers });
  };

  it("is not asked for without one: a purge, a part of one, a wider policy; what is narrower needs none", async () => {
    const body = { confirm: "c-test" };
    for (const [path, order] of [
      ["purges", body],
      ["partial-purges", { ...body, older_than_days: 30 }],
    ] as const) {
      const asked = gateway.call("POST", `/v1/contracts/c-test/${path}`, { as: "owner-1", body: order });
      expect((await problemOf(asked, 422)).code).toBe("reason_required");
    }
    const shipped = shippedPolicy("cs-standard");
    await expectStatus(policy(shipped.replace("      name: mask", "      name: withhold")), 200);
    expect((await problemOf(policy(shipped), 422)).code).toBe("reason_required");
    expect(await gateway.database.query("select action, now() from postern.approval where action in ('change_policy', 'purge')")).toEqual(
      [],
    );
    await expectStatus(policy(shipped, saying(why)), 202);
  });

  it("nor is a request turned down without one; it stays open", async () => {
    const id = await ask();
    expect((await problemOf(decide(id, "reject"), 422)).code).toBe("reason_required");
    expect(await listed(id)).toMatchObject({ state: "requested" });
    await expectStatus(decide(id, "withdraw"), 200);
  });
});

describe("a request that nobody decides within seven days", () => {
  it("is closed, and the contract's log says so once", async () => {
    const id = await ask();
    await gateway.database.query("update postern.approval set expires_at = now() - interval '1 second' where approval_id = $1", [id]);
    expect((await decide(id, "approve")).status).toBe(409);
    await gateway.keeper.tick();
    await gateway.keeper.tick();
    expect(await listed(id)).toMatchObject({ state: "expired" });
    expect((await log("approval.expired")).map(({ actor, facts }) => [actor.role, facts?.approval])).toEqual([["system", id]]);
    for (const word of ["approve", "reject", "withdraw"]) {
      const answer = await decide(id, word);
      expect([word, answer.status, ((await answer.json()) as { code: string }).code]).toEqual([word, 409, "approval_closed"]);
    }
  });

  it("does not stand in the way of asking again", async () => {
    const id = await ask();
    await expectStatus(decide(id, "approve"), 200);
  });
});
