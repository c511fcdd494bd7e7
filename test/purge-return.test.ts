/** Return before delete: what a merchant gets back, that nobody else can read it, and that the purge waits for its word, but not for ever. */
import { createHmac } from "node:crypto";
import { exportJWK, generateKeyPair } from "jose";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { verifySignature } from "../src/crypto/index.ts";
import { verifyCertificate } from "../src/purge/verify-certificate.ts";
import { because, bringIntoForce, contractText, expectStatus, importLines, search } from "./support/agreement.ts";
import {
  approvePurge,
  contentOf,
  createWorld,
  customers,
  entriesOf,
  eventsOf,
  fetchCertificate,
  orderPurge,
  populate,
  purge,
  stateOf,
  verifyLog,
  type World,
} from "./support/purge-world.ts";
import { acknowledge, type Fetched, fetchReturn, type MerchantKey, makeMerchantKey, showReturn } from "./support/returned.ts";

function returning(key: MerchantKey, wait = "7d"): string {
  return `, return: { to: ${JSON.stringify(key.jwk)}, wait: ${wait} }`;
}

describe.each([
  ["ECDH-ES+A256KW", "P-256"],
  ["ECDH-ES+A256KW", "P-384"],
  ["RSA-OAEP-256", "–"],
] as const)("a contract that returns its records to a key for %s (%s)", (alg, curve) => {
  /** A part a turn, for one of them. */
  const inTurns = curve === "P-384";
  let world: World;
  let key: MerchantKey;
  let job: string;
  let fetched: Fetched;
  let trust: Awaited<ReturnType<typeof populate>>;
  let asked: { locator: string; pseudonym: string };

  beforeAll(async () => {
    world = await createWorld(inTurns ? { keeper: { leaseMs: 1 } } : {});
    key = await makeMerchantKey(alg, curve);
    const { gateway } = world;
    trust = await populate(gateway, { purge: returning(key) }, 0);
    await importLines(gateway, customers(620));
    const locator = (await search(gateway, { id: "U7" })).records[0]?.locator ?? "";
    const named = gateway.call("POST", "/v1/contracts/c-test/audit/subjects", { as: "officer", body: { type: "customer", id: "U7" } });
    asked = { locator, pseudonym: ((await (await named).json()) as { subject: string }).subject };
    job = await purge(gateway);
  });
  afterAll(() => world.close());

  it("waits behind its fence, with nothing destroyed, and says where the records are", async () => {
    expect(await world.owner.query("select count(*)::int from postern.return_part")).toEqual([[inTurns ? 1 : 5]]);
    for (let i = 0; i < 3; i++) await world.gateway.keeper.tick();
    expect(await stateOf(world.owner)).toEqual({ contract: "purging", log: "open", step: "fence" });
    expect(await world.owner.query("select count(*)::int from postern.record")).toEqual([[620]]);
    const shown = await showReturn(world.gateway, job);
    expect(shown).toMatchObject({ state: "fetchable", records: 620, unreadable: 0 });
    expect(shown.parts.map(({ part, records }) => [part, records])).toEqual([
      ["000001", 250],
      ["000002", 250],
      ["000003", 120],
      ["keys", 0],
      ["manifest", 0],
    ]);
    expect((await eventsOf(world.owner, "c-test")).filter((event) => event.startsWith("purge.return."))).toEqual([
      "purge.return.intent",
      "purge.return.sealed",
    ]);
  });

  it("gives back every record whole, each once", async () => {
    fetched = await fetchReturn(world.gateway, job, key);
    const byId = new Map(fetched.records.map((record) => [record.id, record]));
    expect([byId.size, fetched.records.length]).toEqual([620, 620]);
    for (const { id = "", ...fields } of customers(620)) expect(byId.get(id)?.fields).toEqual(fields);
  });

  it("gives the keys by which its log still answers who saw whom", () => {
    const record = fetched.records.find(({ id }) => id === "U7");
    expect(record?.locator).toBe(asked.locator);
    const base32 = (bytes: Buffer) => {
      const bits = [...bytes].map((byte) => byte.toString(2).padStart(8, "0")).join("");
      return Array.from(
        { length: 26 },
        (_, i) => "abcdefghijklmnopqrstuvwxyz234567"[Number.parseInt(bits.slice(5 * i, 5 * i + 5), 2)],
      ).join("");
    };
    const keyed = (secret: string, text: string) => base32(createHmac("sha256", Buffer.from(secret, "base64")).update(text).digest());
    expect(`r_${keyed(fetched.keys.locator, "customer\0U7")}`).toBe(asked.locator);
    expect(`s_${keyed(fetched.keys.pseudonym, `s\0${record?.subject}`)}`).toBe(asked.pseudonym);
  });

  it("shows nothing of it to anybody without the key, in the database or on the way", async () => {
    const rows = await world.owner.query("select part, jwe from postern.return_part where part <> 'manifest'");
    for (const [part, jwe] of rows) {
      const [header = "", ...rest] = String(jwe).split(".");
      expect(JSON.parse(Buffer.from(header, "base64url").toString())).toMatchObject({ alg, enc: "A256GCM", kid: fetched.shown.key });
      const readable = Buffer.from(rest.join(""), "base64url").toString("latin1");
      expect([part, /138[0-9]{8}|note [0-9]/.test(readable)]).toEqual([part, false]);
    }
    await expect((await makeMerchantKey(alg, curve)).open(String(rows[0]?.[1]))).rejects.toThrow();
  });

  it("takes no word for another digest, and none from anybody but an owner", async () => {
    expect((await acknowledge(world.gateway, job, `sha256:${"0".repeat(64)}`)).status).toBe(422);
    for (const [as, status] of [
      ["officer", 403],
      ["agent-1", 403],
      ["owner-b1", 404],
    ] as const)
      expect((await acknowledge(world.gateway, job, fetched.shown.digest, "c-test", as)).status).toBe(status);
    await world.gateway.keeper.tick();
    expect((await stateOf(world.owner)).step).toBe("fence");
  });

  it("goes on when it is told, once, and leaves no part behind", async () => {
    const answers = await Promise.all(Array.from({ length: 10 }, () => acknowledge(world.gateway, job, fetched.shown.digest)));
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([200]));
    await world.gateway.keeper.tick();
    expect(await stateOf(world.owner)).toEqual({ contract: "purged", log: "frozen", step: "certified" });
    expect(await world.owner.query("select 1 from postern.return_part")).toEqual([]);
    const done = (await entriesOf(world.owner, "c-test")).find(({ event }) => event === "purge.return.done");
    expect(done?.facts).toMatchObject({
      outcome: "acknowledged",
      digest: fetched.shown.digest,
      key: fetched.shown.key,
      counts: { parts: 3, records: 620, unreadable: 0 },
    });
    expect(await showReturn(world.gateway, job)).toMatchObject({ state: "acknowledged", parts: [] });
    const gone = await world.gateway.call("GET", `/v1/contracts/c-test/purges/${job}/return/parts/000001`, { as: "owner-1" });
    expect(gone.status).toBe(404);
  });

  it("has a certificate and a log that verify offline", async () => {
    const jws = await fetchCertificate(world.gateway, job);
    expect(await verifyCertificate(jws, trust, verifySignature)).toMatchObject({ ok: true, problems: [] });
    const { returned } = contentOf(jws);
    expect(returned).toMatchObject({ state: "acknowledged", digest: fetched.shown.digest, acknowledged_at: expect.any(String) });
    expect(await verifyLog(world.gateway, trust)).toMatchObject({ ok: true, problems: [] });
  });
});

describe("a return that nobody acknowledges", () => {
  let world: World;
  afterAll(() => world.close());

  it("is destroyed when the agreed time is over, and the log says so", async () => {
    world = await createWorld();
    await populate(world.gateway, { purge: returning(await makeMerchantKey(), "2d") });
    const job = await purge(world.gateway);
    await world.owner.query("update postern.return_receipt set sealed_at = now() - interval '47 hours'");
    await world.gateway.keeper.tick();
    expect((await stateOf(world.owner)).step).toBe("fence");
    await world.owner.query("update postern.return_receipt set sealed_at = now() - interval '48 hours'");
    await world.gateway.keeper.tick();
    expect((await stateOf(world.owner)).step).toBe("certified");
    const done = (await entriesOf(world.owner, "c-test")).find(({ event }) => event === "purge.return.done");
    expect(done?.facts).toMatchObject({ outcome: "not_acknowledged" });
    const { digest } = await showReturn(world.gateway, job);
    expect((await acknowledge(world.gateway, job, digest)).status).toBe(409);
    expect((await showReturn(world.gateway, job)).state).toBe("not_acknowledged");
  });
});

describe("a return for which the keys are gone", () => {
  let world: World;
  afterAll(() => world.close());

  it("is waited for as long as the owners would be, then the purge says why there is none", async () => {
    let away = false;
    world = await createWorld({ shares: (made) => ({ ...made, get: async (...asked) => (away ? null : made.get(...asked)) }) });
    await populate(world.gateway, { purge: returning(await makeMerchantKey(), "1d") });
    const { job } = await orderPurge(world.gateway);
    await approvePurge(world.gateway, job);
    away = true;
    await expect(world.gateway.keeper.tick()).rejects.toThrow("missing");
    expect((await stateOf(world.owner)).step).toBe("fence");
    const past = "jsonb_set(facts::jsonb, '{times,fenced}', to_jsonb(to_char(now() - interval '25 hours', 'YYYY-MM-DD\"T\"HH24:MI:SSZ')))";
    await world.owner.query(`update postern.purge_job set lease_until = null, facts = ${past}::text`);
    await world.gateway.keeper.tick();
    expect((await stateOf(world.owner)).step).toBe("certified");
    const done = (await entriesOf(world.owner, "c-test")).find(({ event }) => event === "purge.return.done");
    expect(done?.facts).toEqual({ job, outcome: "keys_unavailable" });
  });
});

describe("a record whose subject's key is gone", () => {
  let world: World;
  afterAll(() => world.close());

  it("is named in the return as one that did not open", async () => {
    world = await createWorld();
    const key = await makeMerchantKey();
    await populate(world.gateway, { purge: returning(key) }, 3);
    const [row] = await world.owner.query(
      "delete from postern.subject_key where subject = (select min(subject) from postern.subject_key) returning subject",
    );
    const { shown, records } = await fetchReturn(world.gateway, await purge(world.gateway), key);
    expect(shown).toMatchObject({ records: 3, unreadable: 1 });
    expect(records.filter(({ unreadable }) => unreadable)).toEqual([
      { type: "customer", locator: row?.[0], subject: row?.[0], id: null, fields: {}, unreadable: true },
    ]);
  });
});

describe("owners who ask for a return with the purge itself", () => {
  let world: World;
  let key: MerchantKey;
  beforeAll(async () => {
    world = await createWorld();
    key = await makeMerchantKey();
    await populate(world.gateway);
  });
  afterAll(() => world.close());
  const ask = (body: unknown) => world.gateway.call("POST", "/v1/contracts/c-test/purges", { as: "owner-1", body, ...because });

  it("are refused a key that nobody should seal to", async () => {
    const { privateKey } = await generateKeyPair("ECDH-ES+A256KW", { extractable: true });
    const weak = { kty: "RSA", n: Buffer.alloc(128, 0xff).toString("base64url"), e: "AQAB" };
    const off = { ...key.jwk, y: key.jwk.x };
    for (const to of [await exportJWK(privateKey), weak, off, { ...key.jwk, crv: "secp256k1" }, { kty: "oct", k: "AAAA" }, "key"]) {
      expect((await ask({ confirm: "c-test", return: { to } })).status).toBe(422);
    }
    for (const wait of ["23h", "1970-01-01", 86_400, null]) {
      expect((await ask({ confirm: "c-test", return: { to: key.jwk, wait } })).status).toBe(422);
    }
    expect((await stateOf(world.owner)).step).toBe("none");
  });

  it("both sign the key, and nobody can ask for another one afterwards", async () => {
    const answer = await expectStatus(ask({ confirm: "c-test", return: { to: key.jwk, wait: "1d" } }), 202);
    const { job, return: shown } = (await answer.json()) as { job: string; return: { key: string; wait_hours: number } };
    expect(shown.wait_hours).toBe(24);
    expect((await ask({ confirm: "c-test", return: { to: (await makeMerchantKey()).jwk } })).status).toBe(422);
    expect((await ask({ confirm: "c-test" })).status).toBe(202);
    // Whoever changes the stored key changes what was signed.
    await world.owner.query("update postern.purge_job set facts = replace(facts, '\"waitHours\":24', '\"waitHours\":25')");
    expect((await world.gateway.call("POST", `/v1/contracts/c-test/purges/${job}/approve`, { as: "owner-2" })).status).toBe(409);
    await world.owner.query("update postern.purge_job set facts = replace(facts, '\"waitHours\":25', '\"waitHours\":24')");
    await approvePurge(world.gateway, job);
    await world.gateway.keeper.tick();
    const fetched = await fetchReturn(world.gateway, job, key);
    expect(fetched.records).toHaveLength(20);
    expect(fetched.shown.key).toBe(shown.key);
  });
});

describe("owners who move the end of a contract that returns its records", () => {
  it("keep the return that was agreed", async () => {
    const world = await createWorld();
    await bringIntoForce(world.gateway, { purge: returning(await makeMerchantKey()), seats: "" });
    const call = (path: string, as: string, body?: unknown) =>
      world.gateway.call("POST", path, { as, ...(body !== undefined && { body }) });
    const planned = async () =>
      ((await (await call("/v1/contracts/c-test/purges", "owner-1", { dry_run: true })).json()) as { return: unknown }).return;
    const before = await planned();
    expect(before).toMatchObject({ wait_hours: 168 });
    const vendor = { reference: "no. 3", statement: `sha256:${"a".repeat(64)}` };
    const asked = await expectStatus(call("/v1/contracts/c-test/amend", "owner-1", { end: "2098-02-01", cooling: "48h", vendor }), 202);
    const { approval } = (await asked.json()) as { approval: { id: string } };
    await expectStatus(call(`/v1/approvals/${approval.id}/approve`, "owner-2"), 200);
    expect(await planned()).toEqual(before);
    await world.close();
  });
});

describe("a contract file that names a key", () => {
  it("is refused with a private one, by line", async () => {
    const world = await createWorld();
    const { privateKey } = await generateKeyPair("ECDH-ES+A256KW", { extractable: true });
    const text = contractText({ purge: `, return: { to: ${JSON.stringify(await exportJWK(privateKey))} }` });
    const files = { contract: { name: "contract.yaml", text }, policy: { name: "policy.yaml", text: "resources: {}\nroles: {}" } };
    const answer = await world.gateway.call("POST", "/v1/contracts", { as: "owner-1", body: files });
    expect([answer.status, await answer.text()]).toEqual([422, expect.stringContaining("a private key")]);
    await world.close();
  });
});
