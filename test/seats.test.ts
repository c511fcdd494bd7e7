import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { applyFiles, because, bringIntoForce, contractText, expectStatus, problemOf, shippedPolicy } from "./support/agreement.ts";
import { createGateway, type Gateway } from "./support/gateway.ts";
import { entriesOf } from "./support/log-writers.ts";

let gateway: Gateway;
beforeAll(async () => {
  const vendors = {
    "v-yunfu": { issuers: ["demo"], admins: [{ issuer: "demo", subject: "admin" }] },
    "v-own": { issuers: ["own"], admins: [{ issuer: "own", subject: "admin" }] },
  };
  gateway = await createGateway({ common: { vendors } });
});
afterAll(() => gateway.close());

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
    ["a column that the header has not", "demo,a,first_line,x,2026-01-01", "bad_row"],
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
    await expectStatus(applyFiles(gateway, contractText({ contract: "c-own" }).replace("v-yunfu", "v-own")), 200);
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

describe("an admin of the vendor", () => {
  const contract = "c-admin";
  const path = `/v1/contracts/${contract}/agents`;
  const send = (rows: string, as = "admin", at = path) =>
    gateway.call("POST", at, { as, body: `issuer,subject,role,name\n${rows}\n`, headers: { "content-type": "text/csv" } });
  const agent = { issuer: "demo", subject: "agent-1" };
  const take = (as: string) => gateway.call("POST", `${path}/revoke`, { as, body: { ...agent, reason: "left" } });
  const giveBack = (as: string) => gateway.call("POST", `${path}/restore`, { as, body: agent });
  const ask = (as: string) => gateway.call("POST", `/v1/contracts/${contract}/records/customer/search`, { as, body: { by: { id: "U1" } } });
  beforeAll(async () => {
    await bringIntoForce(gateway, { contract, more: "seats: { roles: [first_line], training: required }\n", seats: "" });
    await applyFiles(gateway, contractText({ contract: "c-sibling" }).replace("v-yunfu", "v-own"));
  });

  it("seats the vendor's people within what the merchant allows, and nobody with an office, itself included", async () => {
    await expectStatus(send("demo,agent-1,first_line,林小满"), 200);
    const refused = await problemOf(send("demo,a,senior,x\ndemo,admin,first_line,x\ndemo,owner-1,first_line,x"), 422);
    expect(refused.errors).toEqual([
      { pointer: "row:2", code: "role_not_allowed" },
      { pointer: "row:3", code: "holds_office" },
      { pointer: "row:4", code: "holds_office" },
    ]);
    await expectStatus(send("demo,a,first_line,x", "admin", "/v1/contracts/c-sibling/agents"), 404);
    const entry = (await entriesOf({ owner: gateway.database }, contract))
      .map(({ entry }) => entry)
      .findLast(({ event }) => event === "seats.imported");
    expect(entry).toMatchObject({ actor: { role: "vendor_admin" }, outcome: { effect: "deny" } });
  });

  it("lists them with what is on file, what they lack, and what was taken away", async () => {
    await expectStatus(take("admin"), 200);
    const { seats, more } = (await (await expectStatus(gateway.call("GET", path, { as: "admin" }), 200)).json()) as {
      seats: unknown[];
      more: boolean;
    };
    expect(more).toBe(false);
    expect(seats).toEqual([
      {
        ...agent,
        ...{ role: "first_line", name: "林小满", agreement: null, training: null, shifts: null },
        ...{ revoked_at: expect.any(String), revoked_by: "vendor_admin", fault: "seat_training_missing" },
      },
    ]);
  });

  it("gives back what the vendor took, and not what the merchant took, whoever was first", async () => {
    await expectStatus(giveBack("admin"), 200);
    await expectStatus(take("admin"), 200);
    await expectStatus(take("owner-1"), 200);
    await expectStatus(take("admin"), 200);
    expect((await problemOf(giveBack("admin"), 403)).errors).toEqual([{ pointer: "/subject", code: "taken_by_merchant" }]);
    await expectStatus(send("demo,agent-1,first_line,林小满"), 200);
    expect((await ask("agent-1")).status).toBe(404);
    await expectStatus(giveBack("owner-1"), 200);
    expect((await problemOf(ask("agent-1"), 403)).code).toBe("seat_training_missing");
  });

  it("sees no data, whatever seat was theirs before", async () => {
    const row = [contract, "demo", "admin", "first_line", "x", "admin", "2026-01-01"];
    await gateway.database.query(
      "insert into postern.seat (contract_id, issuer, subject, role, name, likeness, training_on) values ($1, $2, $3, $4, $5, $6, $7)",
      row,
    );
    expect((await problemOf(ask("admin"), 403)).code).toBe("not_permitted");
  });

  it("is cut off with the vendor", async () => {
    const body = { kind: "vendor", vendor: "v-yunfu", reason: "incident" };
    const answer = await expectStatus(gateway.call("POST", "/v1/revocations", { as: "operator", body }), 201);
    expect((await problemOf(gateway.call("GET", path, { as: "admin" }), 401)).code).toBe("token_revoked");
    await expectStatus(gateway.call("GET", path, { as: "owner-1" }), 200);
    const { revocation } = (await answer.json()) as { revocation: string };
    await expectStatus(gateway.call("POST", `/v1/revocations/${revocation}/lift`, { as: "operator" }), 200);
  });
});

describe("a role that the contract gives by two", () => {
  const contract = "c-by-two";
  const more = "seats: { second_owner: [senior] }\n";
  const seat = (rows: string, as = "owner-1") =>
    expectStatus(
      gateway.call("POST", `/v1/contracts/${contract}/agents`, {
        as,
        body: `issuer,subject,role,name\n${rows}\n`,
        headers: { "content-type": "text/csv" },
      }),
      200,
    );
  const works = (as: string) =>
    gateway.call("POST", `/v1/contracts/${contract}/records/customer/search`, { as, body: { by: { id: "U1" } } });
  const ask = (as = "owner-1") => gateway.call("POST", `/v1/contracts/${contract}/role-grants`, { as });
  const request = async (as = "owner-1") => ((await (await expectStatus(ask(as), 202)).json()) as { approval: { id: string } }).approval.id;
  const approve = (id: string, as: string) => gateway.call("POST", `/v1/approvals/${id}/approve`, { as });
  const change = (more: string, headers = {}) =>
    gateway.call("PUT", `/v1/contracts/${contract}/policy`, {
      as: "owner-1",
      headers,
      body: {
        contract: { name: "c.yaml", text: contractText({ contract, more }) },
        policy: { name: "p.yaml", text: shippedPolicy("cs-standard") },
      },
    });
  beforeAll(() => bringIntoForce(gateway, { contract, more }));

  it("does not work by one, whoever seats it; other roles do, and the list says who waits", async () => {
    await expectStatus(works("agent-1"), 200);
    expect(await problemOf(works("agent-2"), 403)).toMatchObject({ code: "seat_role_not_approved" });
    const answer = await expectStatus(gateway.call("GET", `/v1/contracts/${contract}/agents`, { as: "owner-2" }), 200);
    const { seats } = (await answer.json()) as { seats: { subject: string; fault: string | null }[] };
    expect(seats.map(({ subject, fault }) => [subject, fault])).toEqual([
      ["agent-1", null],
      ["agent-2", "seat_role_not_approved"],
    ]);
  });

  it("works once another owner approved it, from the next request on, with both in the log", async () => {
    const id = await request();
    expect(await request()).toBe(id);
    expect(await problemOf(approve(id, "owner-1"), 403)).toMatchObject({ code: "own_request" });
    for (const as of ["admin", "officer", "agent-2"]) expect((await approve(id, as)).status).toBe(403);
    await expectStatus(approve(id, "owner-2"), 200);
    await expectStatus(works("agent-2"), 200);
    expect(await problemOf(ask(), 409)).toMatchObject({ code: "wrong_state" });
    const entries = (await entriesOf({ owner: gateway.database }, contract))
      .map(({ entry }) => entry)
      .filter(({ event }) => event === "seats.approval_requested" || event === "seats.approved");
    expect(entries.filter(({ outcome }) => outcome.effect === "allow").map(({ facts }) => [facts?.seats, facts?.approval])).toEqual([
      [1, undefined],
      [1, undefined],
      [undefined, id],
    ]);
  });

  it("stays through an import that says the same, and is lost with another role", async () => {
    await seat("demo,agent-2,senior,欧阳明");
    await expectStatus(works("agent-2"), 200);
    await seat("demo,agent-2,first_line,欧阳明");
    await expectStatus(works("agent-2"), 200);
    await seat("demo,agent-2,senior,欧阳明");
    expect(await problemOf(works("agent-2"), 403)).toMatchObject({ code: "seat_role_not_approved" });
  });

  it("may be asked for by the vendor's admin, and an owner alone is then the second; of exactly those who waited", async () => {
    const id = await request("admin");
    await seat("demo,agent-3,senior,赵");
    expect(await problemOf(approve(id, "owner-1"), 409)).toMatchObject({ code: "wrong_state" });
    await expectStatus(approve(await request("admin"), "owner-1"), 200);
    for (const as of ["agent-2", "agent-3"]) await expectStatus(works(as), 200);
  });

  it("is demanded by one owner, and no more by two", async () => {
    await expectStatus(change("seats: { second_owner: [senior, first_line] }\n"), 200);
    expect(await problemOf(works("agent-1"), 403)).toMatchObject({ code: "seat_role_not_approved" });
    await expectStatus(change(more, because.headers), 202);
    expect(await problemOf(change("seats: { second_owner: [boss] }\n"), 422)).toMatchObject({ code: "unacceptable" });
  });
});
