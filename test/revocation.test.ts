/**
 * P7: who loses access has lost it at the next request, with the token that was good a moment ago and every cache warm.
 * Standing is read with the data, in the same statement; only tokens and compiled policies are remembered.
 */
import { decodeJwt, decodeProtectedHeader } from "jose";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { bringIntoForce, expectStatus, importLines, search } from "./support/agreement.ts";
import type { Gateway } from "./support/gateway.ts";
import { createLogGateway, type LogGateway } from "./support/log-gateway.ts";
import { entriesOf } from "./support/log-writers.ts";

let world: LogGateway;
let gateway: Gateway;
let path: string;
let token: string;

beforeAll(async () => {
  world = await createLogGateway();
  gateway = world.gateway;
  await bringIntoForce(gateway);
  await importLines(gateway, [{ id: "U1", name: "林小满", phone: "13800138000" }]);
  path = `/v1/contracts/c-test/records/customer/${(await search(gateway, { id: "U1" })).records[0]?.locator}`;
  token = await gateway.token("agent-1");
});
afterAll(() => world?.close());

/** One session, one token: nobody signs in anew. */
const read = () => gateway.call("GET", path, { headers: { authorization: `Bearer ${token}` } });
const seat = "contract_id = 'c-test' and issuer = 'demo' and subject = 'agent-1'";

describe("an agent in an open session", () => {
  beforeEach(async () => {
    await expectStatus(read(), 200);
    await expectStatus(read(), 200);
  });

  it("whose seat was given another role has that role in the next answer", async () => {
    const whyOf = async () => ((await (await read()).json()) as { masking: { why: string }[] }).masking[0]?.why;
    expect(await whyOf()).toContain("first_line");
    const csv = "issuer,subject,role,name\ndemo,agent-1,senior,林小满\n";
    await expectStatus(
      gateway.call("POST", "/v1/contracts/c-test/agents", { as: "owner-1", body: csv, headers: { "content-type": "text/csv" } }),
      200,
    );
    expect(await whyOf()).toContain("senior");
  });

  it("whose seat is gone is a stranger at the next request", async () => {
    const [kept] = await world.owner.query(`delete from postern.seat where ${seat} returning role, name`);
    expect((await read()).status).toBe(404);
    await world.owner.query("insert into postern.seat values ('c-test', 'demo', 'agent-1', $1, $2, 'agent-1')", [
      String(kept?.[0]),
      String(kept?.[1]),
    ]);
  });

  it("whose vendor's contract has ended is refused at the next request, the clock being the database's", async () => {
    await world.owner.query(
      "update postern.contract set starts_at = now() - interval '2 days', ends_at = now() where contract_id = 'c-test'",
    );
    const refused = await read();
    expect([refused.status, ((await refused.json()) as { code: string }).code]).toEqual([403, "contract_ended"]);
    await world.owner.query("update postern.contract set ends_at = purge_due_at - interval '24 hours' where contract_id = 'c-test'");
  });
});

describe("an agent whose seat an owner took away", () => {
  const change = (what: "revoke" | "restore", as = "owner-1", body: object = {}) =>
    gateway.call("POST", `/v1/contracts/c-test/agents/${what}`, { as, body: { issuer: "demo", subject: "agent-1", ...body } });
  const takeAway = (as?: string) => change("revoke", as, { reason: "left" });

  it("is a stranger at the next request, in /v1/me too, and is let in again when it is given back", async () => {
    await expectStatus(read(), 200);
    await expectStatus(takeAway(), 200);
    expect((await read()).status).toBe(404);
    expect(await seatsOf()).toEqual([]);
    await expectStatus(change("restore"), 200);
    await expectStatus(read(), 200);
  });

  it("does not get it back by an import", async () => {
    await expectStatus(takeAway(), 200);
    const csv = "issuer,subject,role,name\ndemo,agent-1,senior,林小满\n";
    const headers = { "content-type": "text/csv" };
    await expectStatus(gateway.call("POST", "/v1/contracts/c-test/agents", { as: "owner-1", body: csv, headers }), 200);
    expect((await read()).status).toBe(404);
    await expectStatus(change("restore"), 200);
  });

  it("cannot lose it by anybody else's word", async () => {
    const statuses = ["officer", "operator", "agent-2", "owner-b1"].map(async (as) => (await takeAway(as)).status);
    expect(await Promise.all(statuses)).toEqual([403, 404, 403, 404]);
    await expectStatus(read(), 200);
    const nobody = await change("revoke", "owner-1", { subject: "nobody", reason: "left" });
    expect([nobody.status, await nobody.json()]).toMatchObject([422, { errors: [{ pointer: "/subject", code: "no_seat" }] }]);
  });

  it("stands in the log under the name that its own entries have", async () => {
    await expectStatus(takeAway(), 200);
    await expectStatus(change("restore"), 200);
    const entries = (await entriesOf(world)).map(({ entry }) => entry);
    const own = entries.find(({ event, actor }) => event === "record.read" && actor.role === "agent")?.actor.id;
    const taken = entries.filter(({ event }) => event === "seat.revoked").at(-1);
    expect(taken).toMatchObject({ outcome: { effect: "allow" }, facts: { agent: own, reason: "left" } });
  });
});

describe("what an operator refuses everywhere", () => {
  const claims = () => decodeJwt(token);
  const kid = () => String(decodeProtectedHeader(token).kid);
  const revoke = (body: object, as = "operator") => gateway.call("POST", "/v1/revocations", { as, body: { reason: "incident", ...body } });
  const lift = async (answer: Response) => {
    const { revocation } = (await answer.json()) as { revocation: string };
    await expectStatus(gateway.call("POST", `/v1/revocations/${revocation}/lift`, { as: "operator" }), 200);
  };
  const refusal = async (answer: Response) => [answer.status, ((await answer.json()) as { code?: string }).code];

  const everyone: [string, () => object][] = [
    ["a person", () => ({ kind: "person", issuer: "demo", subject: "agent-1" })],
    ["a token", () => ({ kind: "token", issuer: "demo", jti: claims().jti })],
    ["a vendor", () => ({ kind: "vendor", vendor: "v-yunfu" })],
  ];
  it.each(everyone)("%s: is refused at the next request, and let in again when it is lifted", async (_, what) => {
    await expectStatus(read(), 200);
    const revoked = await expectStatus(revoke(what()), 201);
    const refused = await read();
    expect(refused.headers.get("www-authenticate")).toContain("Bearer");
    expect(await refusal(refused)).toEqual([401, "token_revoked"]);
    await lift(revoked);
    await expectStatus(read(), 200);
  });

  it("a person: reaches search, requests, seats and receipts, and an owner too", async () => {
    for (const subject of ["agent-1", "owner-1"]) {
      const revoked = await expectStatus(revoke({ kind: "person", issuer: "demo", subject }), 201);
      const asked =
        subject === "agent-1"
          ? [
              gateway.call("POST", "/v1/contracts/c-test/records/customer/search", { as: subject, body: { by: { phone: "13800138000" } } }),
              gateway.call("POST", `${path}/requests`, { as: subject, body: { kind: "access" } }),
              gateway.call("GET", "/v1/me", { as: subject }),
            ]
          : [gateway.call("GET", "/v1/contracts", { as: subject }), gateway.call("GET", "/v1/contracts/c-test", { as: subject })];
      for (const answer of await Promise.all(asked)) expect(await refusal(answer)).toEqual([401, "token_revoked"]);
      await lift(revoked);
    }
  });

  it("one token: leaves the person's next one alone", async () => {
    const revoked = await expectStatus(revoke({ kind: "token", issuer: "demo", jti: claims().jti }), 201);
    await expectStatus(gateway.call("GET", path, { as: "agent-1" }), 200);
    await lift(revoked);
  });

  it("cannot be the operator's own access", async () => {
    const own = [
      { kind: "person", issuer: "demo", subject: "operator" },
      { kind: "issuer", issuer: "demo" },
      { kind: "key", issuer: "demo", kid: kid() },
    ];
    for (const what of own) expect(await refusal(await revoke(what))).toEqual([422, "unacceptable"]);
    await expectStatus(read(), 200);
  });

  it("is nobody else's to say, nor to read", async () => {
    for (const as of ["owner-1", "officer", "agent-1", "stranger"]) {
      expect((await revoke({ kind: "vendor", vendor: "v-yunfu" }, as)).status).toBe(403);
      expect((await gateway.call("GET", "/v1/revocations", { as })).status).toBe(403);
    }
    await expectStatus(read(), 200);
  });

  it("said twice is one, and of a token goes when the token is over anyway", async () => {
    const what = { kind: "token", issuer: "demo", jti: claims().jti };
    const [first, second] = await Promise.all([revoke(what), revoke(what)]);
    const [one, other] = (await Promise.all([first.json(), second.json()])) as { revocation: string }[];
    expect(one?.revocation).toBe(other?.revocation);
    await world.owner.query("update postern.revocation set expires_at = now() - interval '1 second'");
    await gateway.keeper.tick();
    expect(await world.owner.query("select count(*)::int from postern.revocation")).toEqual([[0]]);
  });

  it("stands in the gateway's log, and nobody is named there in the clear", async () => {
    await lift(await expectStatus(revoke({ kind: "person", issuer: "demo", subject: "agent-1" }), 201));
    const entries = await entriesOf(world, "gateway");
    expect(entries.map(({ entry }) => entry.event)).toEqual(expect.arrayContaining(["access.revoked", "access.restored"]));
    expect(entries.filter(({ text }) => text.includes("agent-1"))).toEqual([]);
  });
});

async function seatsOf(): Promise<string[]> {
  const answer = await expectStatus(gateway.call("GET", "/v1/me", { headers: { authorization: `Bearer ${token}` } }), 200);
  return ((await answer.json()) as { contracts: { contract: string }[] }).contracts.map(({ contract }) => contract);
}
