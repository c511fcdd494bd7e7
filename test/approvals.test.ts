/** What a second owner is told, what becomes of a request that nobody decides, and what an owner's colleague may not decide at all. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { because, bringIntoForce, contractText, expectStatus, problemOf, shippedPolicy } from "./support/agreement.ts";
import { createGateway, type Gateway } from "./support/gateway.ts";
import { entriesOf } from "./support/log-writers.ts";

const why = "张伟 (13800138000) complained twice; 100 % sure";
const terminate = { confirm: "c-test", at: "2098-01-01", reason: "convenience" };

let gateway: Gateway;
beforeAll(async () => {
  const adminOf = (subject: string) => ({ issuers: ["demo"], admins: [{ issuer: "demo", subject }] });
  gateway = await createGateway({ common: { vendors: { "v-yunfu": adminOf("admin-1"), "v-qinghe": adminOf("admin-7") } } });
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

async function log(event: string, contract = "c-test") {
  const all = await entriesOf({ owner: gateway.database }, contract);
  return all.map(({ entry }) => entry).filter((entry) => entry.event === event);
}

async function officersView(event: string, contract = "c-test"): Promise<(string | null)[]> {
  await gateway.keeper.sequence();
  const answer = await expectStatus(gateway.call("GET", `/v1/contracts/${contract}/audit/entries?limit=100`, { as: "officer" }), 200);
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

describe("an approver of another organisation, where the contract demands one", () => {
  const contract = "c-other";
  const base = `/v1/contracts/${contract}`;
  const demands = (acts: string) => ({ contract, more: `approvals: { ${acts} }\n` });
  const [both, purgeAlone] = ["purge: other_organisation, terminate: other_organisation", "purge: other_organisation"];
  const decideAs = (as: string, id: string, word = "approve") => gateway.call("POST", `/v1/approvals/${id}/${word}`, { as, ...because });
  const codeOf = async (answer: Promise<Response>) => {
    const { status } = await answer;
    return status === 200 ? "200" : `${status} ${((await (await answer).json()) as { code: string }).code}`;
  };
  const idOf = async (asked: Promise<Response>) =>
    ((await (await expectStatus(asked, 202)).json()) as { approval: { id: string } }).approval.id;
  const askToEnd = (at: string) =>
    idOf(gateway.call("POST", `${base}/terminate`, { as: "owner-1", body: { ...terminate, confirm: contract, at }, ...because }));
  /** Of what no contract here says who approves it. */
  const askToResume = async (of: string) => {
    await expectStatus(gateway.call("POST", `/v1/contracts/${of}/suspend`, { as: "owner-1", body: { reason: "audit" } }), 200);
    return idOf(gateway.call("POST", `/v1/contracts/${of}/resume`, { as: "owner-1" }));
  };
  const waitingFor = async (as: string) => {
    const answer = await expectStatus(gateway.call("GET", "/v1/approvals", { as }), 200);
    return ((await answer.json()) as { approvals: (Listed & { contract: string; approver: string })[] }).approvals;
  };
  const change = (more: string) => {
    const files = {
      contract: { name: "c.yaml", text: contractText({ contract, more }).replace("2099", "2098") },
      policy: { name: "p.yaml", text: shippedPolicy("cs-standard") },
    };
    return gateway.call("PUT", `${base}/policy`, { as: "owner-1", body: files, ...because });
  };

  it("is nobody as long as no contract does: its vendor's admin is told what everybody without an office is told", async () => {
    const id = await askToResume("c-test");
    expect(await codeOf(gateway.call("GET", "/v1/approvals", { as: "admin-1" }))).toBe("403 not_permitted");
    for (const word of ["approve", "reject", "withdraw"]) expect(await codeOf(decideAs("admin-1", id, word))).toBe("403 not_permitted");
    expect(await codeOf(gateway.call("POST", "/v1/contracts/c-test/purges/x/approve", { as: "admin-1" }))).toBe("403 not_permitted");
    await expectStatus(decide(id, "approve"), 200);
    await bringIntoForce(gateway, { ...demands(both), seats: "" });
  });

  it("is an admin of the vendor's, and no second owner: theirs is the entry, with their reason", async () => {
    const id = await askToEnd("2098-01-01");
    expect(await codeOf(decideAs("owner-1", id))).toBe("403 own_request");
    expect(await codeOf(decideAs("owner-2", id))).toBe("403 approver_same_organisation");
    expect((await log("request.refused", contract)).at(-1)).toMatchObject({ outcome: { code: "approver_same_organisation" } });
    expect(await waitingFor("admin-1")).toMatchObject([{ id, contract, approver: "other_organisation", reason: "as agreed" }]);
    const answer = gateway.call("POST", `/v1/approvals/${id}/approve`, { as: "admin-1", headers: saying("we are told on paper, too") });
    await expectStatus(answer, 200);
    expect(await log("contract.terminated", contract)).toMatchObject([{ actor: { role: "vendor_admin" }, facts: { approval: id } }]);
    expect(await officersView("contract.terminated", contract)).toEqual(["we are told on paper, too"]);
    expect(await waitingFor("admin-1")).toEqual([]);
    expect(await codeOf(decideAs("admin-1", id))).toBe("409 approval_closed");
  });

  it("may be told twice under one key", async () => {
    const id = await idOf(gateway.call("POST", `${base}/purges`, { as: "owner-1", body: { confirm: contract }, ...because }));
    const headers = { ...because.headers, "idempotency-key": "0123456789abcdef" };
    for (const replayed of [null, "true"]) {
      const answer = await expectStatus(gateway.call("POST", `/v1/approvals/${id}/reject`, { as: "admin-1", headers }), 200);
      expect(answer.headers.get("idempotency-replayed")).toBe(replayed);
    }
  });

  it("is not told of anything else, and decides nothing else: what is not theirs is closed to them, there or not", async () => {
    const [here, elsewhere] = [await idOf(change("")), await askToResume("c-test")];
    const resumption = await askToResume(contract);
    expect((await waitingFor("admin-1")).map(({ id }) => id)).toEqual([here]);
    for (const id of [elsewhere, resumption, "0198c1f0-0000-7000-8000-000000000000"])
      for (const word of ["approve", "reject", "withdraw"])
        expect([word, await codeOf(decideAs("admin-1", id, word))]).toEqual([word, "403 not_permitted"]);
    expect(await codeOf(decideAs("admin-1", here, "withdraw"))).toBe("403 not_permitted");
    for (const word of ["approve", "reject"]) expect(await codeOf(decideAs("admin-7", here, word))).toBe("403 not_permitted");
    expect(await codeOf(gateway.call("POST", `${base}/purges/x/approve`, { as: "admin-1" }))).toBe("403 not_permitted");
    expect(await codeOf(decideAs("owner-2", resumption))).toBe("200");
    await expectStatus(decide(elsewhere, "withdraw"), 200);
    await expectStatus(decideAs("owner-1", here, "withdraw"), 200);
  });

  it("takes nothing from the merchant's: a second owner still turns down what the first one asks for", async () => {
    expect(await codeOf(decideAs("owner-2", await askToEnd("2097-01-01"), "reject"))).toBe("200");
  });

  it("is demanded no more only with their consent, and of something else not at the word of one owner", async () => {
    const dropped = await idOf(change(`approvals: { ${purgeAlone} }\n`));
    expect(await codeOf(decideAs("owner-2", dropped))).toBe("403 approver_same_organisation");
    expect(await codeOf(decideAs("admin-1", dropped))).toBe("200");
    const added = await idOf(change(`approvals: { ${purgeAlone}, change_policy: other_organisation }\n`));
    expect(await codeOf(decideAs("admin-1", added))).toBe("403 not_permitted");
    expect(await codeOf(decideAs("owner-2", added, "reject"))).toBe("200");
  });

  it("orders the purge that an owner asked for, by the purge's own route; not while the vendor is revoked", async () => {
    const asked = await expectStatus(
      gateway.call("POST", `${base}/purges`, { as: "owner-1", body: { confirm: contract }, ...because }),
      202,
    );
    const { job } = (await asked.json()) as { job: string };
    const approve = (as: string) => gateway.call("POST", `${base}/purges/${job}/approve`, { as });
    expect(await codeOf(approve("owner-2"))).toBe("403 approver_same_organisation");
    const word = gateway.call("POST", "/v1/revocations", {
      as: "operator",
      body: { kind: "vendor", vendor: "v-yunfu", reason: "incident" },
    });
    const { revocation } = (await (await expectStatus(word, 201)).json()) as { revocation: string };
    expect(await codeOf(approve("admin-1"))).toBe("401 token_revoked");
    expect(await codeOf(gateway.call("GET", "/v1/approvals", { as: "admin-1" }))).toBe("403 not_permitted");
    await expectStatus(gateway.call("POST", `/v1/revocations/${revocation}/lift`, { as: "operator" }), 200);
    expect(await codeOf(approve("admin-1"))).toBe("200");
    expect(await log("purge.approved", contract)).toMatchObject([{ actor: { role: "vendor_admin" } }]);
  });
});
