/** Keys of a merchant's own systems: what each opens, for how long, and that nothing of it can be had from what is stored. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { randomBytes } from "../src/crypto/index.ts";
import { nodeAead } from "../src/crypto/node-aead.ts";
import { createRootKey } from "../src/keys/index.ts";
import { matrix } from "../src/offices/matrix.ts";
import { scopeRoutes, scopes } from "../src/service-keys/scopes.ts";
import { bringIntoForce, expectStatus, importLines, problemOf, search } from "./support/agreement.ts";
import { type CallOptions, createGateway, createMemoryShareStore, type Gateway, merchants } from "./support/gateway.ts";
import { entriesOf } from "./support/log-writers.ts";
import { neighbour } from "./support/purge-world.ts";

const contract = "/v1/contracts/c-test";
const keys = `${contract}/service-keys`;
const line = '{"id":"U1","name":"林黛玉"}\n';

interface Minted {
  readonly key: string;
  readonly secret: string;
}

const places = { root: createRootKey(nodeAead, randomBytes(32)), shares: createMemoryShareStore() };

let gateway: Gateway;
beforeAll(async () => {
  gateway = await createGateway({ common: places });
  await bringIntoForce(gateway);
  await bringIntoForce(gateway, neighbour);
  await importLines(gateway, [{ id: "U0", name: "欧阳娜娜" }]);
});
afterAll(() => gateway.close());

async function make(granted: readonly string[] = ["records:import"], more: object = {}): Promise<Minted> {
  const body = { name: "nightly", scopes: granted, ...more };
  return (await (await expectStatus(gateway.call("POST", keys, { as: "owner-1", body }), 200)).json()) as Minted;
}

const shown = (secret: string) => ({ authorization: `Bearer ${secret}` });
const ndjson = { "content-type": "application/x-ndjson" };

function importBy(secret: string, at = contract): Promise<Response> {
  return gateway.call("POST", `${at}/records/customer/import`, { body: line, headers: { ...shown(secret), ...ndjson } });
}

async function told(answer: Promise<Response>): Promise<string> {
  const got = await answer;
  return got.ok ? `${got.status}` : `${got.status} ${((await got.json()) as { code: string }).code}`;
}

async function lastEntry() {
  return (await entriesOf({ owner: gateway.database }, "c-test")).at(-1)?.entry;
}

describe("a service key", () => {
  it("opens what its scope names, and the log says that a service did it", async () => {
    const { key, secret } = await make();
    expect(secret).toMatch(/^psk_[a-z2-7]{16}_[a-z2-7]{58}$/);
    expect(await (await expectStatus(importBy(secret), 200)).json()).toMatchObject({ lines: 1 });
    const entry = await lastEntry();
    expect([entry?.event, entry?.actor.role]).toEqual(["records.imported", "service"]);
    const listed = await expectStatus(gateway.call("GET", keys, { as: "owner-1" }), 200);
    const { keys: all } = (await listed.json()) as { keys: { key: string; last_used_at: string | null; counts: boolean }[] };
    expect(all.find((one) => one.key === key)).toMatchObject({ last_used_at: expect.any(String), counts: true });
  });

  it("opens nothing beside it", async () => {
    const { secret } = await make(["retention:read"]);
    const locator = (await search(gateway, { id: "U0" })).records[0]?.locator ?? "";
    const call = (method: string, path: string, options: CallOptions = {}) =>
      told(gateway.call(method, path, { ...options, headers: { ...shown(secret), ...options.headers } }));
    expect(await call("GET", `${contract}/retention`)).toBe("200");
    expect(await told(importBy(secret))).toBe("403 not_permitted");
    expect(await call("GET", keys)).toBe("403 not_permitted");
    expect(await call("POST", `${contract}/purges`, { body: { confirm: "c-test" } })).toBe("403 not_permitted");
    expect(await call("GET", `${contract}/audit/entries`)).toBe("403 not_permitted");
    for (const path of ["/v1/contracts", "/v1/approvals", "/v1/revocations"]) expect(await call("GET", path)).toBe("403 not_permitted");
    expect(await call("GET", "/metrics")).toBe("401 token_malformed");
    expect(await call("GET", `${contract}/records/customer/${locator}`)).toBe("401 token_malformed");
    expect(await call("POST", `${contract}/records/customer/search`, { body: { by: { id: "U0" } } })).toBe("401 token_malformed");
  });

  it("is of one contract: another one, of whatever merchant, is not there", async () => {
    const { secret } = await make(scopes);
    for (const other of ["c-other", "c-nowhere"]) {
      expect(await told(importBy(secret, `/v1/contracts/${other}`))).toBe("404 not_found");
      expect(await told(gateway.call("GET", `/v1/contracts/${other}/retention`, { headers: shown(secret) }))).toBe("404 not_found");
    }
  });

  it("has one text: its beginning, its id alone, another letter or a line behind it is none", async () => {
    const { key, secret } = await make();
    const other = secret.endsWith("a") ? "b" : "a";
    const mistyped = [
      secret.slice(0, 20),
      `psk_${key}`,
      secret.slice(0, -1),
      secret.slice(0, -1) + other,
      secret.toUpperCase(),
      `${secret}x`,
    ];
    for (const text of mistyped) expect(await told(importBy(text))).toBe("401 token_invalid");
    const another = (await make()).secret;
    expect(await told(importBy(secret.slice(0, 21) + another.slice(21)))).toBe("401 token_invalid");
    expect((await importBy(secret)).status).toBe(200);
  });

  it("is refused from the next request on once it is revoked", async () => {
    const { key, secret } = await make();
    expect((await importBy(secret)).status).toBe(200);
    await expectStatus(gateway.call("POST", `${keys}/${key}/revoke`, { as: "owner-2" }), 200);
    expect(await told(importBy(secret))).toBe("401 token_invalid");
    expect(await told(gateway.call("POST", `${keys}/${key}/rotate`, { as: "owner-1", body: {} }))).toBe("404 not_found");
  });

  it("is cut off by an operator as any token is, and let in again", async () => {
    const { key, secret } = await make();
    const post = (path: string, body: object = {}) => gateway.call("POST", `/v1/revocations${path}`, { as: "operator", body });
    for (const what of [
      { kind: "person", subject: key },
      { kind: "key", kid: key },
    ]) {
      const revoked = await expectStatus(post("", { ...what, issuer: "service-key", reason: "leaked" }), 201);
      expect(await told(importBy(secret))).toBe("401 token_revoked");
      await expectStatus(post(`/${((await revoked.json()) as { revocation: string }).revocation}/lift`), 200);
      expect(await told(importBy(secret))).toBe("200");
    }
  });

  it("opens nothing any more where the operator's file has its merchant no more", async () => {
    const { secret } = await make(["retention:read"]);
    const path = `${contract}/retention`;
    const { "m-linxi": _, ...others } = merchants;
    const later = await createGateway({ database: gateway.database, common: { ...places, merchants: others } });
    expect(await told(gateway.call("GET", path, { headers: shown(secret) }))).toBe("200");
    expect(await told(later.call("GET", path, { headers: shown(secret) }))).toBe("404 not_found");
  });

  it("that is used wrongly is found in its contract's log as what it is", async () => {
    const { secret } = await make();
    const wrong = { body: line, headers: { ...shown(secret), "content-type": "text/plain" } };
    expect(await told(gateway.call("POST", `${contract}/records/customer/import`, wrong))).toBe("415 wrong_media_type");
    const entry = await lastEntry();
    expect([entry?.actor.role, entry?.outcome.code]).toEqual(["service", "wrong_media_type"]);
  });

  it("counts beside the one that follows it for as long as was said, and no longer", async () => {
    const old = await make();
    const rotate = async (hours: number) => {
      const answer = gateway.call("POST", `${keys}/${old.key}/rotate`, { as: "owner-1", body: { overlap_hours: hours } });
      return (await (await expectStatus(answer, 200)).json()) as Minted;
    };
    const next = await rotate(1);
    expect(next.key).toBe(old.key);
    expect([(await importBy(old.secret)).status, (await importBy(next.secret)).status]).toEqual([200, 200]);
    await gateway.database.query("update postern.service_key set previous_until = now() where key_id = $1", [old.key]);
    expect(await told(importBy(old.secret))).toBe("401 token_invalid");
    const last = await rotate(0);
    expect([await told(importBy(next.secret)), await told(importBy(last.secret))]).toEqual(["401 token_invalid", "200"]);
  });

  it("ends", async () => {
    const { key, secret } = await make(["records:import"], { days: 1 });
    await gateway.database.query("update postern.service_key set expires_at = now() where key_id = $1", [key]);
    expect(await told(importBy(secret))).toBe("401 token_expired");
  });

  it("lies nowhere: the table holds its digest, the log its id", async () => {
    const { secret } = await make();
    await importBy(secret);
    const rows = await gateway.database.query("select to_jsonb(k)::text, now() from postern.service_key k");
    const entries = (await entriesOf({ owner: gateway.database }, "c-test")).map(({ text }) => text);
    expect([...rows.map(([row]) => String(row)), ...entries].join().includes(secret.slice(21))).toBe(false);
  });

  it("may repeat its request as an owner may", async () => {
    const { secret } = await make(["subject-requests:write"]);
    const headers = { ...shown(secret), "idempotency-key": "0123456789abcdef" };
    const body = { kind: "access", type: "customer", id: "U0" };
    const answers = [];
    for (let i = 0; i < 2; i++) answers.push(await gateway.call("POST", `${contract}/subject-requests`, { body, headers }));
    expect(answers.map((answer) => answer.headers.get("idempotency-replayed"))).toEqual([null, "true"]);
  });
});

describe("whoever makes keys", () => {
  it.each([
    ["a scope that is none", { scopes: ["records:read"] }],
    ["no scope", { scopes: [] }],
    ["a scope twice", { scopes: ["records:import", "records:import"] }],
    ["more than a year", { days: 366 }],
    ["no name", { name: "" }],
    ["a name that turns the line round", { name: "a\u202eb" }],
  ])("cannot ask for %s", async (_what, wrong) => {
    const body = { name: "nightly", scopes: ["records:import"], ...wrong };
    expect((await problemOf(gateway.call("POST", keys, { as: "owner-1", body }), 422)).code).toBe("unacceptable");
  });

  it("is an owner of the merchant, and nobody else", async () => {
    const body = { name: "nightly", scopes: ["records:import"] };
    const people = { officer: 403, "agent-1": 403, operator: 404, "owner-b1": 404 };
    for (const [as, status] of Object.entries(people))
      expect([as, (await gateway.call("POST", keys, { as, body })).status]).toEqual([as, status]);
  });
});

describe("a scope", () => {
  it("names routes that admit services, and each of those is of one scope", () => {
    const named = Object.values(scopeRoutes).flat();
    const admitting = Object.entries(matrix).flatMap(([route, row]) => (row.includes("service") ? [route] : []));
    expect([...named].sort()).toEqual(admitting.sort());
  });
});
