import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Database } from "../src/storage/index.ts";
import {
  applyFiles,
  because,
  bringIntoForce,
  contractText,
  expectStatus,
  importLines,
  problemOf,
  search,
  shippedPolicy,
} from "./support/agreement.ts";
import { createMemoryDatabase } from "./support/databases.ts";
import { createGateway, type Gateway } from "./support/gateway.ts";

let gateway: Gateway;
beforeAll(async () => {
  gateway = await createGateway();
});
afterAll(() => gateway.close());

const apply = (text: string, as?: string, policy?: string) => applyFiles(gateway, text, as, policy);

describe("an owner writes a contract", () => {
  it.each([
    ["without an end", "end: 2099-01-01, ", "", /end/],
    ["with an end before its start", "end: 2099-01-01", "end: 2025-01-01", /before|after/],
    ["with a date that does not exist", "end: 2099-01-01", "end: 2099-02-30", /date/],
    ["with an end that is null", "end: 2099-01-01", "end: null", /./],
    ["with an end in seconds", "end: 2099-01-01", "end: 4070908800", /./],
    ["with an unknown key", "policy:   cs-standard", "polcy: cs-standard\npolicy:   cs-standard", /polcy|policy/],
  ])("and is told where it is wrong: %s", async (_what, from, to, message) => {
    const problem = await problemOf(apply(contractText({ contract: "c-wrong" }).replace(from, to)), 422);
    expect(problem.code).toBe("unacceptable");
    expect(problem.errors?.[0]?.pointer).toMatch(/^contract\.yaml:\d+:\d+$/);
    expect(problem.errors?.[0]?.message).toMatch(message);
  });

  it("and is told the line of a policy that names an unknown class", async () => {
    const policy = shippedPolicy("cs-standard").replace(/class: phone/, "class: phon");
    const problem = await problemOf(apply(contractText({ contract: "c-wrong" }), "owner-1", policy), 422);
    expect(problem.errors?.[0]?.pointer).toMatch(/^policy\.yaml:\d+:\d+$/);
    expect(problem.errors?.[0]?.message).toContain("phone");
  });

  it("not for another merchant, not as an officer, not under the gateway's own name", async () => {
    expect((await problemOf(apply(contractText({ merchant: "m-beichen" })), 403)).code).toBe("not_permitted");
    expect((await problemOf(apply(contractText(), "officer"), 403)).code).toBe("not_permitted");
    expect((await problemOf(apply(contractText({ contract: "gateway" })), 422)).code).toBe("unacceptable");
  });
});

describe("a contract comes into force by two owners", () => {
  beforeAll(async () => {
    await expectStatus(apply(contractText({ contract: "c-two" })), 200);
  });

  async function ask(as: string): Promise<string> {
    const answer = await expectStatus(gateway.call("POST", "/v1/contracts/c-two/activate", { as }), 202);
    return ((await answer.json()) as { approval: { id: string } }).approval.id;
  }

  it("and not by one: nobody approves their own request", async () => {
    const id = await ask("owner-1");
    expect((await problemOf(gateway.call("POST", `/v1/approvals/${id}/approve`, { as: "owner-1" }), 403)).code).toBe("own_request");
    const shown = await expectStatus(gateway.call("GET", "/v1/contracts/c-two", { as: "owner-1" }), 200);
    expect(((await shown.json()) as { standing: string }).standing).toBe("draft");
  });

  it("another merchant's owner sees neither the request nor the contract", async () => {
    const id = await ask("owner-1");
    await problemOf(gateway.call("POST", `/v1/approvals/${id}/approve`, { as: "owner-b1" }), 404);
    await problemOf(gateway.call("GET", "/v1/contracts/c-two", { as: "owner-b1" }), 404);
  });

  it("a rejected request is closed, and asking twice is one request", async () => {
    const id = await ask("owner-1");
    expect(await ask("owner-1")).toBe(id);
    await expectStatus(gateway.call("POST", `/v1/approvals/${id}/reject`, { as: "owner-2", ...because }), 200);
    expect((await problemOf(gateway.call("POST", `/v1/approvals/${id}/approve`, { as: "owner-2" }), 409)).code).toBe("approval_closed");
  });

  it("whoever asked takes the request back, and nobody else; then it is closed, and asking again is another request", async () => {
    const id = await ask("owner-1");
    const decide = (word: string, as: string) => gateway.call("POST", `/v1/approvals/${id}/${word}`, { as });
    expect((await problemOf(decide("withdraw", "owner-2"), 403)).code).toBe("not_permitted");
    await problemOf(decide("withdraw", "owner-b1"), 404);
    const withdrawn = (await (await expectStatus(decide("withdraw", "owner-1"), 200)).json()) as { approval: { state: string } };
    expect(withdrawn.approval.state).toBe("withdrawn");
    expect((await problemOf(decide("approve", "owner-2"), 409)).code).toBe("approval_closed");
    expect((await problemOf(decide("withdraw", "owner-1"), 409)).code).toBe("approval_closed");
    expect(await ask("owner-1")).not.toBe(id);
  });

  it("what was approved is what was asked: a draft that changed since is not activated", async () => {
    const id = await ask("owner-1");
    await expectStatus(apply(contractText({ contract: "c-two", roles: "[first_line]" })), 200);
    expect((await problemOf(gateway.call("POST", `/v1/approvals/${id}/approve`, { as: "owner-2" }), 409)).code).toBe("wrong_state");
  });

  it("fifty approvals at once are one", async () => {
    const id = await ask("owner-1");
    const answers = await Promise.all(
      Array.from({ length: 50 }, () => gateway.call("POST", `/v1/approvals/${id}/approve`, { as: "owner-2" })),
    );
    expect(answers.filter((answer) => answer.status === 200)).toHaveLength(1);
    expect(new Set(answers.map((answer) => answer.status))).toEqual(new Set([200, 409]));
    expect((await problemOf(apply(contractText({ contract: "c-two" })), 409)).code).toBe("wrong_state");
  });
});

describe("records come as NDJSON", () => {
  beforeAll(() => bringIntoForce(gateway, { contract: "c-import" }));
  const into = { contract: "c-import" };

  it("a rejected line is named by its number and reason while the rest goes in", async () => {
    const lines = [
      '{"id":"1","name":"林一"}',
      '{"id":"2","name":',
      "[]",
      '{"name":"no id"}',
      '{"id":3}',
      '{"id":"4","name":"a","name":"b"}',
      "",
      `{"id":"5","name":"${"长".repeat(100_000)}"}`,
      '{"id":"6","name":"林六","payment_token":"tok","device":{"13800138000":1}}',
    ];
    const answer = await importLines(gateway, `${lines.join("\n")}\n`, into);
    expect(answer.rejected).toEqual([
      { line: 2, code: "bad_json" },
      { line: 3, code: "not_an_object" },
      { line: 4, code: "bad_id" },
      { line: 5, code: "bad_id" },
      { line: 6, code: "bad_json" },
      { line: 8, code: "line_too_long" },
    ]);
    expect(answer).toMatchObject({ created: 2, updated: 0, rejected_count: 6, unnamed: { payment_token: 1, device: 1 } });
  });

  it("the same id again is an update: the later line stands, and its old phone finds nothing", async () => {
    await importLines(gateway, [{ id: "up", phone: "13911112222" }], into);
    const answer = await importLines(
      gateway,
      [
        { id: "up", phone: "13911113333" },
        { id: "up", phone: "13911114444" },
      ],
      into,
    );
    expect(answer).toMatchObject({ created: 0, updated: 2 });
    expect((await search(gateway, { phone: "13911112222" }, into)).records).toHaveLength(0);
    expect((await search(gateway, { phone: "13911113333" }, into)).records).toHaveLength(0);
    expect((await search(gateway, { phone: "13911114444" }, into)).records).toHaveLength(1);
  });

  it("an order without its customer is rejected; with one it is sealed under that customer's key", async () => {
    const order = { ...into, type: "order" };
    const answer = await importLines(
      gateway,
      [{ id: "o1" }, { id: "o2", customer_id: 7 }, { id: "o3", customer_id: "up", order_no: "1" }],
      order,
    );
    expect(answer.rejected).toEqual([
      { line: 1, code: "no_subject" },
      { line: 2, code: "no_subject" },
    ]);
    const [found] = (await search(gateway, { id: "o3" }, { ...into, type: "order" })).records;
    expect(found?.fields).toMatchObject({ order_no: "1" });
    const subjects = await gateway.database.query(
      "select count(distinct subject), count(*) from postern.record where contract_id = 'c-import' and subject in (select subject from postern.record where type = 'order')",
    );
    expect(subjects).toEqual([["1", "2"]]);
  });

  it("numbers keep their digits", async () => {
    await importLines(gateway, '{"id":"n","customer_id":"up","amount":2188082354079975123,"items":[{"price":47.840}]}\n', {
      ...into,
      type: "order",
    });
    const answer = await gateway.call("POST", "/v1/contracts/c-import/records/order/search", { as: "agent-1", body: { by: { id: "n" } } });
    const text = await answer.text();
    expect(text).toContain('"amount":2188082354079975123');
    expect(text).toContain('"price":47.840');
  });

  it("not into an unknown type, not by an officer or agent, not with another media type", async () => {
    const send = (as: string, type: string, media: string) =>
      gateway.call("POST", `/v1/contracts/c-import/records/${type}/import`, { as, body: "{}", headers: { "content-type": media } });
    await problemOf(send("owner-1", "invoice", "application/x-ndjson"), 404);
    await problemOf(send("officer", "customer", "application/x-ndjson"), 403);
    await problemOf(send("agent-1", "customer", "application/x-ndjson"), 403);
    await problemOf(send("owner-1", "customer", "application/json"), 415);
  });

  it("in constant memory: what is read ahead of the commits stays within a batch, however long the file", async () => {
    const database = await createMemoryDatabase();
    let commits = 0;
    const counting: Database = {
      ...database,
      query: (text, params) => database.query(text, params),
      transaction: (work) => database.transaction(work).finally(() => commits++),
    };
    const counted = await createGateway({ database: counting });
    await bringIntoForce(counted);
    commits = 0;
    let next = 0;
    let ahead = 0;
    const body = new ReadableStream<Uint8Array>(
      {
        pull(controller) {
          if (next === 5_000) controller.close();
          else controller.enqueue(new TextEncoder().encode(`{"id":"s${next++}","name":"林"}\n`));
          ahead = Math.max(ahead, next - commits * 500);
        },
      },
      { highWaterMark: 1 },
    );
    const headers = { authorization: `Bearer ${await counted.token("owner-1")}`, "content-type": "application/x-ndjson" };
    const request = { method: "POST", headers, body, duplex: "half" };
    const pending = counted.app.request("http://127.0.0.1:8787/v1/contracts/c-test/records/customer/import", request);
    expect(await (await expectStatus(Promise.resolve(pending), 200)).json()).toMatchObject({ lines: 5_000, created: 5_000 });
    expect(ahead).toBeLessThan(510);
    await counted.close();
  });
});
