/** The edge where it runs: real workerd, a real Postgres, the share store in a second one, and a keeper on Node as sequencer. */
import { readFileSync } from "node:fs";
import { gzipSync } from "node:zlib";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { readBundle } from "../src/audit/bundle.ts";
import { parseTrust, type Trust } from "../src/audit/index.ts";
import { verifyExport } from "../src/audit/verify.ts";
import { keyId, randomBytes, toBase64, verifySignature } from "../src/crypto/index.ts";
import { migrationDigests, migrationsOfThisBuild } from "../src/storage/index.ts";
import { readMigrations } from "../src/storage/node-migrations.ts";
import { readWorkerSettings } from "../src/worker-settings.ts";
import { bringIntoForce, expectStatus, type Found, importLines } from "./support/agreement.ts";
import { openTestPool } from "./support/databases.ts";
import type { CallOptions } from "./support/gateway.ts";
import { createWorkerWorld, type WorkerWorld } from "./support/worker.ts";

const records = "/v1/contracts/c-test/records/customer";
const canaries = ["欧阳娜娜", "13800138000", "330106199001011234"];
const bundleKilobytesMax = 350;

let world: WorkerWorld;
let trust: Trust;

beforeAll(async () => {
  world = await createWorkerWorld();
  const activated = await bringIntoForce(world.gateway);
  const parsed = parseTrust(JSON.stringify(activated.trust));
  if (!parsed.ok) throw new Error(parsed.refusal);
  trust = parsed.value;
  await importLines(world.gateway, [{ id: "U1", name: "欧阳娜娜", phone: "138 0013 8000", id_card: "330106199001011234" }]);
});
afterAll(() => world?.close());

async function find(by: Readonly<Record<string, string>>): Promise<Found> {
  return (await expectStatus(world.call("POST", `${records}/search`, { as: "agent-1", body: { by } }), 200)).json() as Promise<Found>;
}

describe("an agent at the edge", () => {
  it("finds a customer by the phone that the caller says, masked", async () => {
    for (const phone of ["13800138000", "+86 138 0013 8000", "１３８００１３８０００"]) {
      const found = await find({ phone });
      expect(found.records.map(({ fields }) => [fields.name, fields.phone, fields.id_card])).toEqual([["欧阳**", "138****8000", null]]);
    }
    expect((await find({ phone: "13900139000" })).records).toEqual([]);
  });

  it("reads one masked, with a promise that the log keeps: durable at once, sequenced by the keeper, verified by a stranger", async () => {
    const [found] = (await find({ id: "U1" })).records;
    const answer = await expectStatus(world.call("GET", `${records}/${found?.locator}`, { as: "agent-1" }), 200);
    const promise = answer.headers.get("audit-promise") ?? "";
    const text = await answer.text();
    expect(text).toContain("138****8000");
    for (const canary of canaries) expect(text + promise).not.toContain(canary);

    const entry = /id="([0-9a-f-]{36})"/.exec(promise)?.[1] ?? "";
    const { database, keeper } = world.gateway;
    expect(await database.query("select flush_id from audit.flush where log = 'c-test' and flush_id = $1", [entry])).toEqual([[entry]]);
    await keeper.sequence();
    expect(await database.query("select flush_id from audit.seq where log = 'c-test' and flush_id = $1", [entry])).toEqual([[entry]]);

    expect(await verdictOf(trust, promise)).toMatchObject({ ok: true, keys: "pinned", problems: [] });
    const withoutWorker = new Map([...trust.writers].filter(([kid]) => kid !== keyId(world.writerKey)));
    const distrusted = await verdictOf({ ...trust, writers: withoutWorker }, promise);
    expect(distrusted.problems.map(({ code }) => code)).toContain("head_signature");
  });

  it("is refused with the same answers as on Node", async () => {
    const asks: readonly [number, string, string, CallOptions?][] = [
      [401, "GET", `${records}/r_${"a".repeat(26)}`],
      [401, "GET", `${records}/r_${"a".repeat(26)}`, { headers: { authorization: "Bearer e30.e30.e30" } }],
      [404, "GET", `${records}/r_${"a".repeat(26)}`, { as: "agent-1" }],
      [404, "GET", `/v1/contracts/c-other/records/customer/r_${"a".repeat(26)}`, { as: "agent-1" }],
      [403, "GET", `${records}/r_${"a".repeat(26)}`, { as: "owner-1" }],
      [404, "GET", `${records}/r_${"a".repeat(26)}`, { as: "stranger" }],
      [404, "GET", "/v1/nowhere", { as: "agent-1" }],
      [403, "POST", `${records}/search`, { as: "agent-1", body: { by: { name: "欧阳娜娜" } } }],
      [400, "GET", `${records}/%00`, { as: "agent-1" }],
      [400, "GET", `${records}/r_${"a".repeat(26)}?tenant=1`, { as: "agent-1" }],
      [400, "POST", `${records}/search`, { as: "agent-1", body: "{", headers: { "content-type": "application/json" } }],
      [405, "DELETE", `${records}/search`, { as: "agent-1" }],
      [413, "POST", `${records}/search`, { as: "agent-1", body: { by: { phone: "1".repeat(5_000) } } }],
      [415, "POST", `${records}/search`, { as: "agent-1", body: "by=1", headers: { "content-type": "text/plain" } }],
      [422, "POST", `${records}/search`, { as: "agent-1", body: { by: { phone: "1", id: "2" } }, headers: { "accept-language": "zh-CN" } }],
      [422, "GET", `${records}/r_${"a".repeat(26)}`, { as: "agent-1", headers: { "postern-purpose": "marketing" } }],
    ];
    for (const [status, method, path, options] of asks) {
      const here = await world.call(method, path, options);
      const onNode = await world.gateway.call(method, path, options);
      expect([here.status, onNode.status], `${method} ${path}`).toEqual([status, status]);
      expect(await withoutRequestId(here, [...onNode.headers.keys()])).toEqual(await withoutRequestId(onNode));
    }
  });

  it("serves agents alone: an owner's routes are not there", async () => {
    expect((await world.call("GET", "/v1/contracts", { as: "owner-1" })).status).toBe(404);
    expect((await world.gateway.call("GET", "/v1/contracts", { as: "owner-1" })).status).toBe(200);
    expect((await world.call("GET", "/readyz")).status).toBe(200);
  });
});

describe("an isolate", () => {
  it("serves many first requests at once", async () => {
    await world.restart();
    const answers = await Promise.all(Array.from({ length: 20 }, () => find({ id: "U1" })));
    expect(answers.map(({ records: hits }) => hits.length)).toEqual(answers.map(() => 1));
  });

  it("remembers keys and leaves no connection behind", async () => {
    await find({ id: "U1" });
    const asked = world.keySetFetches();
    await find({ id: "U1" });
    expect(world.keySetFetches()).toBe(asked);
    const owner = openTestPool(world.databases.main.ownerUrl);
    const edgeBackends = async () =>
      (
        await owner.query("select count(*)::int from pg_stat_activity where usename = 'postern_edge' and datname = current_database()")
      )[0]?.[0];
    await expect.poll(edgeBackends, { timeout: 5_000 }).toBe(0);
    await owner.close();
  });

  it("answers 503 while the log cannot be written, releases nothing, and recovers", async () => {
    const owner = openTestPool(world.databases.main.ownerUrl);
    await owner.query("revoke insert on audit.flush from postern_edge");
    const refused = await world.call("POST", `${records}/search`, { as: "agent-1", body: { by: { id: "U1" } } });
    expect([refused.status, ((await refused.json()) as { code: string }).code]).toEqual([503, "audit_unavailable"]);
    await owner.query("grant insert on audit.flush to postern_edge");
    await owner.close();
    expect((await find({ id: "U1" })).records).toHaveLength(1);
  });
});

describe("an edge that is not set up", () => {
  const refusedSettings: readonly [string, Readonly<Record<string, string | null>>, string][] = [
    ["without its root key", { POSTERN_ROOT_KEY: null }, "POSTERN_ROOT_KEY is missing"],
    ["that was given the log key", { POSTERN_LOG_KEY: toBase64(randomBytes(32)) }, "POSTERN_LOG_KEY must not be set here"],
  ];
  it.each(refusedSettings)("%s serves nothing and says why in its own log alone", async (_case, over, line) => {
    await world.restart(over);
    for (const path of ["/healthz", "/readyz", `${records}/r_${"a".repeat(26)}`]) {
      const answer = await world.call("GET", path, { as: "agent-1" });
      expect([answer.status, answer.headers.get("content-type")]).toEqual([503, "application/problem+json"]);
      expect(await answer.text()).not.toContain("POSTERN");
    }
    expect(world.output().join("\n")).toContain(line);
    for (const value of Object.values(over)) expect(world.output().join("\n")).not.toContain(value ?? "\u0000");
  });

  const good = {
    HYPERDRIVE: { connectionString: "postgres://postern_edge@127.0.0.1/postern" },
    POSTERN_SHARE_STORE: "postgres://shares@127.0.0.1/shares",
    POSTERN_ROOT_KEY: toBase64(randomBytes(32)),
    POSTERN_WRITER_KEY: toBase64(randomBytes(32)),
    POSTERN_LOG_NAME: "gw.example/postern",
    POSTERN_ORIGIN: "https://gw.example",
    POSTERN_CONFIG: "issuers: [{ id: linxi, issuer: https://id.example, jwks: https://id.example/jwks }]\nmerchants: {}\n",
  };
  const lines: readonly [string, Readonly<Record<string, unknown>>][] = [
    ["POSTERN_WRITER_KEY must be 32 bytes in base64", { POSTERN_WRITER_KEY: "file:/keys/edge.key" }],
    ["POSTERN_ROOT_KEY is not random", { POSTERN_ROOT_KEY: toBase64(new Uint8Array(32)) }],
    ["POSTERN_CERTIFICATE_KEY must not be set here", { POSTERN_CERTIFICATE_KEY: "x" }],
    ["DATABASE_URL_KEEPER must not be set here", { DATABASE_URL_KEEPER: "postgres://postern_keeper@127.0.0.1/postern" }],
    ["POSTERN_LOGNAME is not a setting", { POSTERN_LOGNAME: "x" }],
    ["POSTERN_LOG_NAME is missing", { POSTERN_LOG_NAME: undefined }],
    ["POSTERN_CONFIG: issuers: the built-in issuer", { POSTERN_CONFIG: "issuers: [{ id: demo, built_in: true }]\nmerchants: {}\n" }],
    ["HYPERDRIVE is missing", { HYPERDRIVE: undefined }],
    ["SHARES is missing", { POSTERN_SHARE_STORE: undefined }],
  ];
  it.each(lines)("says %s", (line, over) => {
    expect(readWorkerSettings(good).logName).toBe("gw.example/postern");
    expect(() => readWorkerSettings({ ...good, ...over })).toThrow(line);
  });

  it("that meets another build's schema runs no statement, until the schema fits", async () => {
    await world.restart();
    const owner = openTestPool(world.databases.main.ownerUrl);
    await owner.query("insert into public.postern_migration (number, name, digest) values (9999, '9999-later.sql', 'x')");
    expect((await world.call("GET", "/v1/me", { as: "agent-1" })).status).toBe(503);
    expect(world.output().join("\n")).toContain("the database is newer than this build: it has migration 9999-later.sql");
    await owner.query("delete from public.postern_migration where number = 9999");
    await owner.close();
    expect((await world.call("GET", "/v1/me", { as: "agent-1" })).status).toBe(200);
  });
});

describe("the edge's bundle", () => {
  it("knows the migrations by their digests", () => {
    expect(migrationsOfThisBuild).toEqual(migrationDigests(readMigrations()));
  });

  it(`is at most ${bundleKilobytesMax} KB, compressed`, () => {
    const bytes = readFileSync(world.script);
    const kilobytes = gzipSync(bytes).length / 1024;
    process.stdout.write(`bundle of the edge: ${Math.round(bytes.length / 1024)} KB, ${Math.round(kilobytes)} KB compressed\n`);
    expect(kilobytes).toBeLessThan(bundleKilobytesMax);
  });
});

async function verdictOf(by: Trust, seen: string) {
  const answer = await expectStatus(world.gateway.call("GET", "/v1/contracts/c-test/audit/export?format=bundle", { as: "officer" }), 200);
  if (!answer.body) throw new Error("an export without a body");
  return verifyExport({ bundle: await readBundle(answer.body), trust: by, seen: [seen], verifySignature });
}

/** Status, the headers named (all, if none are), and the body; Wrangler adds headers of its own. */
async function withoutRequestId(answer: Response, names: readonly string[] = [...answer.headers.keys()]): Promise<unknown> {
  const { request_id: _differs, ...problem } = (await answer.json()) as Record<string, unknown>;
  const headers = names.filter((name) => name !== "x-request-id").map((name) => [name, answer.headers.get(name)]);
  return { problem, headers: Object.fromEntries(headers) };
}
