import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Database } from "../src/storage/index.ts";
import { bringIntoForce, contractText, expectStatus, importLines, search, shippedPolicy } from "./support/agreement.ts";
import { createMemoryDatabase } from "./support/databases.ts";
import { createGateway, type Gateway } from "./support/gateway.ts";
import { entriesOf } from "./support/log-writers.ts";

interface Problem {
  readonly code: string;
  readonly errors?: readonly { pointer: string; code: string; message?: string }[];
}

let gateway: Gateway;
beforeAll(async () => {
  const vendors = { "v-yunfu": { issuers: ["demo"] }, "v-own": { issuers: ["own"] } };
  gateway = await createGateway({ common: { vendors } });
});
afterAll(() => gateway.close());

async function apply(text: string, as = "owner-1", policy = shippedPolicy("cs-standard")): Promise<Response> {
  const body = { contract: { name: "contract.yaml", text }, policy: { name: "policy.yaml", text: policy } };
  return gateway.call("POST", "/v1/contracts", { as, body });
}

async function problemOf(answer: Promise<Response>, status: number): Promise<Problem> {
  return (await (await expectStatus(answer, status)).json()) as Problem;
}

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
    await expectStatus(gateway.call("POST", `/v1/approvals/${id}/reject`, { as: "owner-2" }), 200);
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

describe("seats come as a CSV, all or nothing", () => {
  beforeAll(() => bringIntoForce(gateway, { contract: "c-seats", seats: "" }));

  function send(csv: string): Promise<Response> {
    return gateway.call("POST", "/v1/contracts/c-seats/agents", { as: "owner-1", body: csv, headers: { "content-type": "text/csv" } });
  }

  it.each([
    ["an unknown role", "demo,a,boss,x", "unknown_role"],
    ["an unknown issuer", "elsewhere,a,first_line,x", "unknown_issuer"],
    ["somebody twice, in another case", "demo,b,first_line,x\ndemo,B,first_line,x", "duplicate"],
    ["somebody twice, composed and decomposed", "demo,\u00e9va,first_line,x\ndemo,e\u0301va,first_line,x", "duplicate"],
    ["somebody twice, with letters of Cyrillic", "demo,cope,first_line,x\ndemo,соре,first_line,x", "duplicate"],
    ["a Cyrillic letter in a Latin word", "demo,аgent,first_line,x", "mixed_alphabets"],
    ["a Greek letter after a Latin one", "demo,agοnt,first_line,x", "mixed_alphabets"],
    ["an invisible character", "demo,a\u202e,first_line,x", "bad_subject"],
    ["a name that a program could not read", "demo,a,first_line,\ufffd\ufffd", "bad_name"],
    ["a byte order mark before a later row", "\ufeffdemo,a,first_line,x", "bad_issuer"],
    ["a name that is a formula", "demo,a,first_line,=1+1", "formula"],
    ["a name that is a formula in full width", "demo,a,first_line,＝1+1", "formula"],
    ["a subject that is a formula", "demo,@SUM(1),first_line,x", "formula"],
    ["a subject that subtracts", "demo,-1+1,first_line,x", "formula"],
    ["an officer of the merchant", "demo,officer,first_line,x", "holds_office"],
    ["a missing column", "demo,a,first_line", "bad_row"],
    ["a quote that never ends", 'demo,a,first_line,"x', "csv"],
  ])("%s is named by its row, and nobody is seated", async (_what, rows, code) => {
    const problem = await problemOf(send(`issuer,subject,role,name\ndemo,ok,first_line,好\n${rows}\n`), 422);
    expect(problem.errors?.map((error) => error.code)).toContain(code);
    const me = await expectStatus(gateway.call("GET", "/v1/me", { as: "ok" }), 200);
    expect(((await me.json()) as { contracts: unknown[] }).contracts).toEqual([]);
  });

  it("every wrong row is named by its line, empty lines counted", async () => {
    const problem = await problemOf(send("issuer,subject,role,name\n\ndemo,a,boss,x\ndemo,b,first_line,好\ndemo,c,first_line,-1\n"), 422);
    expect(problem.errors).toEqual([
      { pointer: "row:3", code: "unknown_role" },
      { pointer: "row:5", code: "formula" },
    ]);
  });

  it.each([
    ["in another case", "Twin"],
    ["in full width", "ｔｗｉｎ"],
    ["in other letters", "TWıN"],
  ])("nobody is seated whose subject looks like a seat's that is there, %s", async (_how, subject) => {
    await expectStatus(send("issuer,subject,role,name\ndemo,twin,first_line,好\ndemo,-Qx_1,first_line,小满Lin\n"), 200);
    const told = async () => {
      const entries = (await entriesOf({ owner: gateway.database }, "c-seats")).map(({ entry }) => entry);
      return entries.filter(({ event }) => event === "seats.imported").map(({ outcome }) => outcome.effect);
    };
    const before = (await told()).length;
    const problem = await problemOf(send(`issuer,subject,role,name\ndemo,other,first_line,好\ndemo,${subject},first_line,x\n`), 422);
    expect(problem.errors).toEqual([{ pointer: "row:3", code: "twin" }]);
    expect((await told()).slice(before)).toEqual(["deny"]);
  });

  it("of two imports at once of people who look alike one is refused as a whole", async () => {
    const rows = Array.from({ length: 20 }, (_, i) => `race-${i}`);
    const csvOf = (name: (row: string) => string) =>
      `issuer,subject,role,name\n${rows.map((row) => `demo,${name(row)},first_line,x\n`).join("")}`;
    const answers = await Promise.all([send(csvOf((row) => row)), send(csvOf((row) => row.toUpperCase()))]);
    expect(answers.map(({ status }) => status).sort()).toEqual([200, 422]);
  });

  it("a vendor's agents come by its own identity provider, not by another organisation's", async () => {
    await expectStatus(apply(contractText({ contract: "c-own" }).replace("v-yunfu", "v-own")), 200);
    const body = "issuer,subject,role,name\ndemo,a,first_line,x\nown,b,first_line,y\n";
    const sent = gateway.call("POST", "/v1/contracts/c-own/agents", { as: "owner-1", body, headers: { "content-type": "text/csv" } });
    expect((await problemOf(sent, 422)).errors).toEqual([{ pointer: "row:2", code: "unknown_issuer" }]);
  });

  it("a byte order mark and 500 rows are no trouble; rows in GBK are named", async () => {
    const rows = Array.from({ length: 500 }, (_, i) => `demo,seat-${i},first_line,客服${i}`).join("\r\n");
    const answer = await expectStatus(send(`\ufeffissuer,subject,role,name\r\n${rows}\r\n`), 200);
    expect(await answer.json()).toEqual({ seats: 500 });
    const gbk = Buffer.concat([
      Buffer.from("issuer,subject,role,name\ndemo,a,first_line,好\ndemo,b,first_line,"),
      Buffer.from([0xc1, 0xd6, 0x0a]),
      Buffer.from("demo,c,first_line,x\ndemo,d,first_line,"),
      Buffer.from([0xd0, 0xa1, 0xc2, 0xfa]),
    ]);
    const headers = { authorization: `Bearer ${await gateway.token("owner-1")}`, "content-type": "text/csv" };
    const refused = gateway.app.request("http://127.0.0.1:8787/v1/contracts/c-seats/agents", { method: "POST", headers, body: gbk });
    expect((await problemOf(Promise.resolve(refused), 422)).errors).toEqual([
      { pointer: "row:3", code: "not_utf8" },
      { pointer: "row:5", code: "not_utf8" },
    ]);
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
