/** `Idempotency-Key`: an owner who lost an answer asks again and gets it, byte for byte, and nothing is done twice. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import * as z from "zod";
import { because, expectStatus } from "./support/agreement.ts";
import type { CallOptions, Gateway } from "./support/gateway.ts";
import { createWorld, entriesOf, neighbour, openGateway, populate, type World } from "./support/purge-world.ts";

const base = "/v1/contracts/c-test";
const authority = "杭州互联网法院第十二号";
const hold = { scope: "contract", basis: "litigation", note: "case 12", authority, expires_at: null };
const ndjson = (...lines: unknown[]) => lines.map((line) => `${JSON.stringify(line)}\n`).join("");

let world: World;
let gateway: Gateway;
let keys = 0;

beforeAll(async () => {
  world = await createWorld();
  gateway = world.gateway;
  await populate(gateway);
  await populate(gateway, neighbour, 3);
});
afterAll(() => world.close());

function newKey(): string {
  return `a-key-of-this-test-${keys++}`;
}

function send(path: string, key: string, options: CallOptions = {}, by = gateway): Promise<Response> {
  return by.call("POST", path, { as: "owner-1", ...options, headers: { "idempotency-key": key, ...options.headers } });
}

async function shown(asked: Promise<Response>): Promise<{ status: number; body: string; replayed: string | null }> {
  const answer = await asked;
  return { status: answer.status, body: await answer.text(), replayed: answer.headers.get("idempotency-replayed") };
}

async function codeOf(asked: Promise<Response>): Promise<[number, string]> {
  const answer = await asked;
  return [answer.status, z.object({ code: z.string() }).parse(await answer.json()).code];
}

const countOf = async (what: string) => Number((await world.owner.query(`select count(*)::int from ${what}`))[0]?.[0]);
const eventsSince = async (log: string, from: number) => (await entriesOf(world.owner, log)).slice(from).map((entry) => entry.event);

describe("an owner sends a write again under its Idempotency-Key", () => {
  it("and gets the first answer, byte for byte, said to be a repetition, with an entry of its own and nothing done", async () => {
    const key = newKey();
    const first = await shown(send(`${base}/holds`, key, { body: hold }));
    const [rows, entries] = [await countOf("postern.hold"), (await entriesOf(world.owner, "c-test")).length];
    const second = await shown(send(`${base}/holds`, `"${key}"`, { body: hold }));
    expect(first).toMatchObject({ status: 201, replayed: null });
    expect(second).toEqual({ ...first, replayed: "true" });
    expect(await countOf("postern.hold")).toBe(rows);
    expect(await eventsSince("c-test", entries)).toEqual(["request.repeated"]);
    const { hold: id } = z.object({ hold: z.string() }).parse(JSON.parse(first.body));
    const asked = await expectStatus(send(`${base}/holds/${id}/release`, newKey()), 202);
    const { approval } = z.object({ approval: z.object({ id: z.string() }) }).parse(await asked.json());
    const approving = newKey();
    const approved = await shown(send(`/v1/approvals/${approval.id}/approve`, approving, { as: "owner-2" }));
    expect(await codeOf(send(`/v1/approvals/${approval.id}/approve`, newKey(), { as: "owner-2" }))).toEqual([409, "approval_closed"]);
    expect(await shown(send(`/v1/approvals/${approval.id}/approve`, approving, { as: "owner-2" }))).toEqual({
      ...approved,
      replayed: "true",
    });
  });

  it("cannot use one key for another body, route or path: 422", async () => {
    const key = newKey();
    await expectStatus(send(`${base}/purges`, key, { body: { dry_run: true } }), 200);
    const reused = [422, "idempotency_key_reused"];
    expect(await codeOf(send(`${base}/purges`, key, { body: { confirm: "c-test" } }))).toEqual(reused);
    expect(await codeOf(send(`${base}/keys/rotate`, key, { body: { dry_run: true } }))).toEqual(reused);
    expect(await codeOf(send(`${base}-2/purges`, key, { body: { dry_run: true } }))).toEqual(reused);
    expect(await countOf("postern.purge_job")).toBe(0);
    expect((await entriesOf(world.owner, "c-test")).slice(-2).map(({ event, outcome }) => [event, outcome.code])).toEqual([
      ["request.refused", "idempotency_key_reused"],
      ["request.refused", "idempotency_key_reused"],
    ]);
  });

  it("cannot get another owner's answer with that owner's key", async () => {
    const key = newKey();
    const plan = { body: { dry_run: true } };
    await expectStatus(send(`${base}/purges`, key, plan), 200);
    expect(await shown(send(`${base}/purges`, key, { ...plan, as: "owner-2" }))).toMatchObject({ status: 200, replayed: null });
    expect(await codeOf(send(`${base}/purges`, key, { ...plan, as: "owner-b1" }))).toEqual([404, "not_found"]);
    expect(await codeOf(send(`${base}/purges`, key, { ...plan, as: "agent-1" }))).toEqual([403, "not_permitted"]);
    expect(await codeOf(send(`${base}/purges`, key, { body: { dry_run: true }, headers: { authorization: "Bearer none" } }))).toEqual([
      401,
      "token_malformed",
    ]);
  });

  it("cannot get the answer any more once the office is lost", async () => {
    const key = newKey();
    await expectStatus(send(`${base}/purges`, key, { body: { dry_run: true } }), 200);
    await expectStatus(send("/v1/contracts/c-other/purges", key, { as: "owner-b1", body: { dry_run: true } }), 200);
    const nobody = { owners: [], officers: [] };
    const later = await openGateway(world, {}, { merchants: { "m-linxi": nobody, "m-beichen": nobody } });
    const token = { headers: { authorization: `Bearer ${await later.token("owner-1")}` } };
    expect(await codeOf(send(`${base}/purges`, key, { ...token, body: { dry_run: true } }, later))).toEqual([404, "not_found"]);
    await later.close();
  });

  it("may correct what was refused, under the same key: refusals are not remembered", async () => {
    const key = newKey();
    expect(await codeOf(send(`${base}/purges`, key, { body: { confirm: "c-tset" } }))).toEqual([422, "unacceptable"]);
    expect(await shown(send(`${base}/purges`, key, { body: { dry_run: true } }))).toMatchObject({ status: 200, replayed: null });
  });

  it.each([
    "",
    "short",
    "fifteen-letters",
    "a".repeat(129),
    'an"odd"key-of-some-length',
    "a key with spaces in it",
    "one-key-of-them, two-keys-of-them",
  ])("cannot send %j as a key: 400", async (key) => {
    const before = (await entriesOf(world.owner, "c-test")).length;
    expect(await codeOf(send(`${base}/purges`, key, { body: { dry_run: true } }))).toEqual([400, "bad_header"]);
    expect(await eventsSince("c-test", before)).toEqual(["request.refused"]);
  });

  it("with a streamed body, of which the same bytes count", async () => {
    const key = newKey();
    const media = { headers: { "content-type": "application/x-ndjson" } };
    const lines = ndjson({ id: "S1", name: "林小满" }, { id: "S2", name: "欧阳明" });
    const first = await shown(send(`${base}/records/customer/import`, key, { ...media, body: lines }));
    expect(JSON.parse(first.body)).toMatchObject({ created: 2, updated: 0 });
    expect(await shown(send(`${base}/records/customer/import`, key, { ...media, body: lines }))).toEqual({ ...first, replayed: "true" });
    const other = ndjson({ id: "S1", name: "林小满" }, { id: "S2", name: "欧阳朙" });
    const reused = [422, "idempotency_key_reused"];
    expect(await codeOf(send(`${base}/records/customer/import`, key, { ...media, body: other }))).toEqual(reused);
    const csv = { headers: { "content-type": "text/csv" } };
    const seats = newKey();
    await expectStatus(send(`${base}/agents`, seats, { ...csv, body: "issuer,subject,role,name\ndemo,agent-9,first_line,孟小北\n" }), 200);
    expect(await codeOf(send(`${base}/agents`, seats, { ...csv, body: "x".repeat(1024 * 1024 + 1) }))).toEqual(reused);
  });

  it("while the first is under way, and is told so after a moment: 409", async () => {
    const key = newKey();
    const headers = {
      "idempotency-key": key,
      "content-type": "application/x-ndjson",
      authorization: `Bearer ${await gateway.token("owner-1")}`,
    };
    const { readable, writable } = new TransformStream<Uint8Array, Uint8Array>();
    const url = `http://127.0.0.1:8787${base}/records/customer/import`;
    const first = gateway.app.request(new Request(url, { method: "POST", headers, body: readable, duplex: "half" } as RequestInit));
    const writer = writable.getWriter();
    await writer.write(new TextEncoder().encode(ndjson({ id: "S3", name: "林小满" })));
    expect(await codeOf(send(`${base}/records/customer/import`, key, { headers, body: "" }))).toEqual([409, "busy"]);
    await writer.close();
    expect((await first).status).toBe(200);
  });
});

describe("twenty purge orders at once under one key", () => {
  it("are one order with one answer", async () => {
    const { gateway: other, close, owner } = await createWorld();
    await populate(other);
    const key = newKey();
    const orders = Array.from({ length: 20 }, () => shown(send(`${base}/purges`, key, { body: { confirm: "c-test" }, ...because }, other)));
    const answers = await Promise.all(orders);
    expect(answers.map(({ status }) => status)).toEqual(Array.from({ length: 20 }, () => 202));
    expect(new Set(answers.map(({ body }) => body)).size).toBe(1);
    expect(answers.filter(({ replayed }) => replayed === null)).toHaveLength(1);
    const events = (await entriesOf(owner, "c-test")).map(({ event }) => event);
    expect(events.filter((event) => event === "purge.requested")).toHaveLength(1);
    expect(events.filter((event) => event === "request.repeated")).toHaveLength(19);
    expect((await owner.query("select count(*)::int from postern.purge_job"))[0]).toEqual([1]);
    await close();
  });
});

describe("what is kept for repetitions", () => {
  it("holds no word of the request or its answer, no key, and nobody's name", async () => {
    const key = newKey();
    await expectStatus(send(`${base}/holds`, key, { body: hold }), 201);
    const rows = await world.owner.query(
      "select principal || name || request || answer, now() from postern.idempotency where answer is not null",
    );
    expect(rows.length).toBeGreaterThan(5);
    const bytes = Buffer.concat(rows.map(([cell]) => (cell instanceof Uint8Array ? cell : new Uint8Array())));
    expect(bytes.length).toBeGreaterThan(1_000);
    expect([authority, "litigation", key, "owner-1", "c-test", "application/json"].filter((secret) => bytes.includes(secret))).toEqual([]);
  });

  it("is forgotten after a day, and then the request is handled anew", async () => {
    const key = newKey();
    await expectStatus(send(`${base}/purges`, key, { body: { dry_run: true } }), 200);
    await world.owner.query("update postern.idempotency set expires_at = now()");
    expect(await shown(send(`${base}/purges`, key, { body: { dry_run: true } }))).toMatchObject({ status: 200, replayed: null });
    expect(await countOf("postern.idempotency")).toBeGreaterThan(1);
    await gateway.keeper.tick();
    expect(await countOf("postern.idempotency")).toBe(1);
  });

  it("is at most a thousand answers of one owner, the newest", async () => {
    const [first, last] = [newKey(), newKey()];
    await expectStatus(send(`${base}/purges`, first, { body: { dry_run: true } }), 200);
    await world.owner.query(`insert into postern.idempotency select principal, sha256(n::text::bytea), request, lease_until, expires_at + interval '1 s', answer
      from (select * from postern.idempotency order by expires_at desc limit 1) k, generate_series(1, 1000) n`);
    await world.owner.query("update postern.idempotency set expires_at = expires_at - interval '1 hour'");
    await expectStatus(send(`${base}/purges`, last, { body: { dry_run: true } }), 200);
    expect(await countOf("postern.idempotency")).toBe(1_000);
    expect(await shown(send(`${base}/purges`, first, { body: { dry_run: true } }))).toMatchObject({ replayed: null });
    expect(await shown(send(`${base}/purges`, last, { body: { dry_run: true } }))).toMatchObject({ replayed: "true" });
  });

  it("of a process that died: the same request alone may be sent again, once its lease is over", async () => {
    const key = newKey();
    await expectStatus(send(`${base}/purges`, key, { body: { dry_run: true } }), 200);
    const died = (lease: string) =>
      world.owner.query(`update postern.idempotency set answer = null, lease_until = now() + interval '${lease}'
        where expires_at = (select max(expires_at) from postern.idempotency)`);
    await died("1 minute");
    expect(await codeOf(send(`${base}/purges`, key, { body: { dry_run: true } }))).toEqual([409, "busy"]);
    await died("0 s");
    expect(await codeOf(send(`${base}/keys/rotate`, key, { body: { dry_run: true } }))).toEqual([422, "idempotency_key_reused"]);
    expect(await shown(send(`${base}/purges`, key, { body: { dry_run: true } }))).toMatchObject({ status: 200, replayed: null });
    expect(await shown(send(`${base}/purges`, key, { body: { dry_run: true } }))).toMatchObject({ status: 200, replayed: "true" });
  });
});

describe("the document", () => {
  it("names the header on every write of owners, on agents' into a merchant's API, and on no other route", async () => {
    const operation = z.looseObject({
      tags: z.array(z.string()),
      parameters: z.array(z.looseObject({ name: z.string(), in: z.string() })),
    });
    const document = z
      .looseObject({ paths: z.record(z.string(), z.record(z.string(), operation)) })
      .parse(await (await gateway.call("GET", "/openapi.json")).json());
    const wrong = Object.entries(document.paths).flatMap(([path, methods]) =>
      Object.entries(methods).flatMap(([method, { tags, parameters }]) => {
        const named = parameters.some((parameter) => parameter.in === "header" && parameter.name === "Idempotency-Key");
        const writes = method !== "get" && (tags.includes("merchant_owner") || path.includes("/upstream/"));
        return named === writes ? [] : [`${method} ${path}`];
      }),
    );
    expect(wrong).toEqual([]);
  });
});
