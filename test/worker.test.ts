/** The scripts where they run: real workerd, a real Postgres, the share store in a second one. What people come for is in the journeys. */
import { readFileSync } from "node:fs";
import { gzipSync } from "node:zlib";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { unstable_readConfig } from "wrangler";
import type { Trust } from "../src/audit/index.ts";
import { keyId, randomBytes, toBase64, verifySignature } from "../src/crypto/index.ts";
import { verifyCertificate } from "../src/purge/verify-certificate.ts";
import { migrationDigests, migrationsOfThisBuild } from "../src/storage/index.ts";
import { readMigrations } from "../src/storage/node-migrations.ts";
import { expectStatus, importLines, search } from "./support/agreement.ts";
import { cutOff } from "./support/cut-off.ts";
import type { Gateway } from "./support/gateway.ts";
import { refusals, withoutRequestId } from "./support/journey-refusals.ts";
import { agreeOnTrust, readMany, verifyLog } from "./support/log-gateway.ts";
import { approvePurge, fetchCertificate, neighbour, orderPurge, type ShownJob, stateOf } from "./support/purge-world.ts";
import { root } from "./support/repository.ts";
import { createWorkerWorld, type WorkerWorld } from "./support/worker.ts";
import { proofCountsOnce, serviceKeyCounts } from "./support/worker-credentials.ts";
import type { Over, Script } from "./support/worker-script.ts";

const records = "/v1/contracts/c-test/records/customer";
const bundleKilobytesMax = 350;

let world: WorkerWorld;
let onNode: Gateway;
let trust: Trust;
let otherTrust: Trust;

beforeAll(async () => {
  world = await createWorkerWorld();
  trust = await agreeOnTrust(world);
  otherTrust = await agreeOnTrust(world, { ...neighbour, seats: "demo,agent-9,senior,赵六\n" });
  await importLines(world, [{ id: "U1", name: "欧阳娜娜", phone: "138 0013 8000", id_card: "330106199001011234" }]);
  onNode = await world.openOnNode();
});
afterAll(async () => {
  await onNode?.close();
  await world?.close();
});

describe("who is cut off by a word to the directory's script", () => {
  it("is refused within five seconds by it, by the edge and by two gateways on Node, whatever is asked meanwhile", async () => {
    const second = await world.openOnNode();
    expect(await cutOff(world, [world.edge, onNode, second])).toBeLessThan(5_000);
    await second.close();
  });
});

describe("the scripts on Workers", () => {
  it.each(refusals)("refuse %s as the same gateway does on Node: %s", async (_what, _expected, method, path, options) => {
    const there = await onNode.call(method, path, options);
    const here = await world.call(method, path, options);
    // Wrangler adds headers of its own.
    expect(await withoutRequestId(here, [...there.headers.keys()])).toEqual(await withoutRequestId(there));
  });

  it("serve whom each is for: the edge agents, the directory who seats them, the keeper owners and officers", async () => {
    const locator = (await search(world, { id: "U1" })).records[0]?.locator;
    for (const [script, own, foreign] of [
      [world.edge, { path: `${records}/${locator}`, as: "agent-1" }, { path: "/v1/contracts", as: "owner-1" }],
      [world.directory, { path: "/healthz", as: "owner-1" }, { path: "/v1/contracts", as: "owner-1" }],
      [world.directory, { path: "/healthz", as: "owner-1" }, { path: `${records}/${locator}`, as: "agent-1" }],
      [world.keeper, { path: "/v1/contracts", as: "owner-1" }, { path: `${records}/${locator}`, as: "agent-1" }],
    ] as const) {
      expect((await script.call("GET", own.path, { as: own.as })).status).toBe(200);
      expect((await script.call("GET", foreign.path, { as: foreign.as })).status).toBe(404);
      expect((await script.call("GET", "/readyz")).status).toBe(200);
    }
  });

  it("seat through the directory alone who then reads through the edge, all rows or none, by an entry that its own writer signed", async () => {
    const seat = (script: Script, csv: string, as = "owner-1") =>
      script.call("POST", "/v1/contracts/c-test/agents", { as, body: csv, headers: { "content-type": "text/csv" } });
    const found = (as: string) => world.edge.call("POST", `${records}/search`, { as, body: { by: { id: "U1" } } });
    const good = "issuer,subject,role,name\ndemo,agent-new,senior,孙七\n";
    for (const script of [world.edge, world.keeper]) expect((await seat(script, good)).status).toBe(404);
    expect((await seat(world.directory, `${good}demo,agent-newer,no-role,周八\n`)).status).toBe(422);
    expect((await seat(world.directory, good, "agent-1")).status).toBe(403);
    expect((await found("agent-new")).status).toBe(404);
    expect(await (await expectStatus(seat(world.directory, good), 200)).json()).toEqual({ seats: 1 });
    expect((await found("agent-new")).status).toBe(200);
    const withoutDirectory = new Map([...trust.writers].filter(([kid]) => kid !== keyId(world.directoryWriter)));
    expect(await verifyLog(world, trust)).toMatchObject({ ok: true, problems: [] });
    const { problems } = await verifyLog(world, { ...trust, writers: withoutDirectory });
    expect(problems.map(({ code }) => code)).toContain("head_signature");
  });

  it("count over the isolate's requests, for the operator alone", async () => {
    for (const script of [world.edge, world.directory, world.keeper]) {
      const text = async () => (await script.call("GET", "/metrics", { as: "operator" })).text();
      const asked = (answer: string) => Number(/route="GET \/metrics",status="2xx"} ([0-9]+)/.exec(answer)?.[1] ?? 0);
      const before = asked(await text());
      expect(asked(await text())).toBe(before + 1);
      expect((await script.call("GET", "/metrics", { as: "owner-1" })).status).toBe(403);
    }
  });

  it("write one log with what runs on Node: exported by the keeper over many pages, and distrusted without the edge's key", async () => {
    const found = await world.call("POST", `${records}/search`, { as: "agent-1", body: { by: { id: "U1" } } });
    const seen = [found.headers.get("audit-promise") ?? "", ...(await readMany(onNode, 1_100))];
    expect(await verifyLog(world, trust, { seen })).toMatchObject({ ok: true, keys: "pinned", problems: [] });
    const withoutEdge = new Map([...trust.writers].filter(([kid]) => kid !== keyId(world.edgeWriter)));
    const { problems } = await verifyLog(world, { ...trust, writers: withoutEdge });
    expect(problems.map(({ code }) => code)).toContain("head_signature");
  });
});

describe("a credential that is no bearer's token of a person", () => {
  it("is a proof that counts once, for its own request, whichever isolate or process it is shown to", () => proofCountsOnce(world, onNode));

  it("is a service key, made by the directory, that opens its route of the keeper until it is revoked", () => serviceKeyCounts(world));
});

describe("an isolate", () => {
  it("serves many first requests at once", async () => {
    await world.edge.restart();
    await world.keeper.restart();
    const found = Array.from({ length: 20 }, () => search(world, { id: "U1" }));
    const listed = Array.from({ length: 10 }, () => expectStatus(world.call("GET", "/v1/contracts", { as: "owner-1" }), 200));
    expect((await Promise.all(found)).map((answer) => answer.records.length)).toEqual(found.map(() => 1));
    expect(await Promise.all(listed)).toHaveLength(10);
  });

  it("remembers keys and leaves no connection behind, after an export neither, nor after one that nobody reads to its end", async () => {
    await search(world, { id: "U1" });
    const asked = world.keySetFetches();
    await search(world, { id: "U1" });
    expect(world.keySetFetches()).toBe(asked);
    await verifyLog(world, trust);
    await world.keeper.abandon("/v1/contracts/c-test/audit/export?format=bundle", { as: "officer" });
    await world.keeper.scheduled();
    const backends = async () =>
      (
        await world.owner.query(
          "select count(*)::int from pg_stat_activity where application_name in ('postern-edge', 'postern-directory', 'postern-keeper')",
        )
      )[0];
    await expect.poll(backends, { timeout: 5_000 }).toEqual([0]);
  });

  it("answers 503 while the log cannot be written, releases nothing, and recovers", async () => {
    await world.owner.query("revoke usage on schema audit from postern_edge");
    const refused = await world.call("POST", `${records}/search`, { as: "agent-1", body: { by: { id: "U1" } } });
    await world.owner.query("grant usage on schema audit to postern_edge");
    expect([refused.status, ((await refused.json()) as { code: string }).code]).toEqual([503, "audit_unavailable"]);
    expect((await search(world, { id: "U1" })).records).toHaveLength(1);
  });
});

describe("the keeper's minute", () => {
  const step = async (job: string) => {
    const shown = await expectStatus(world.call("GET", `/v1/contracts/c-other/purges/${job}`, { as: "owner-b1" }), 200);
    return ((await shown.json()) as ShownJob).step;
  };

  it("brings a purge to its fence, waits until what began before has ended, and brings it to its end", async () => {
    const { job } = await orderPurge(world, "c-other", "owner-b1");
    await world.keeper.scheduled();
    expect(await step(job)).toBe("requested");
    await approvePurge(world, job, "c-other", "owner-b2");
    for (const _minute of [1, 2]) {
      await world.keeper.scheduled();
      expect(await stateOf(world.owner, "c-other")).toEqual({ contract: "purging", log: "open", step: "approved" });
    }
    const read = await world.call("GET", `/v1/contracts/c-other/records/customer/r_${"a".repeat(26)}`, { as: "agent-9" });
    expect([read.status, ((await read.json()) as { code: string }).code]).toEqual([410, "contract_purged"]);
    await world.passFence();
    // A minute that begins before the last one is over.
    await Promise.all([world.keeper.scheduled(), world.keeper.scheduled()]);
    expect(await step(job)).toBe("certified");
    const certificate = await fetchCertificate(world, job, "c-other", "owner-b1");
    expect(await verifyCertificate(certificate, otherTrust, verifySignature)).toMatchObject({ ok: true, job, problems: [] });
    expect(await stateOf(world.owner, "c-other")).toEqual({ contract: "purged", log: "frozen", step: "certified" });
    expect(world.keeper.output()).toEqual([]);
  });

  it("comes each minute, to the keeper alone", () => {
    const crons = (env?: string) => unstable_readConfig({ config: `${root}/wrangler.toml`, env }).triggers.crons ?? [];
    expect([crons(), crons("keeper")]).toEqual([[], ["* * * * *"]]);
  });
});

describe("a script that is not set up", () => {
  const anyKey = toBase64(randomBytes(32));
  const twinServices = {
    POSTERN_ROOT_KEY: "vault-transit:https://one.example/transit/postern",
    POSTERN_ROOT_KEY_BESIDE: "vault-transit:https://two.example/transit/postern",
  };

  it.each<[string, "edge" | "directory" | "keeper", Over, string]>([
    ["the edge without its root key", "edge", { secrets: { POSTERN_ROOT_KEY: null } }, "POSTERN_ROOT_KEY is missing"],
    ["the edge with the log key", "edge", { secrets: { POSTERN_LOG_KEY: anyKey } }, "POSTERN_LOG_KEY must not be set here"],
    [
      "the directory with two root keys of one name",
      "directory",
      { secrets: { ...twinServices, VAULT_TOKEN: "none" } },
      "POSTERN_ROOT_KEY_BESIDE is the same key as POSTERN_ROOT_KEY, or one of the same name",
    ],
    ["the keeper without the log key", "keeper", { secrets: { POSTERN_LOG_KEY: null } }, "POSTERN_LOG_KEY is missing"],
  ])("%s: serves nothing, does nothing, and says why in its own log alone", async (_case, name, over, line) => {
    const script = world[name];
    await script.restart(over);
    if (name === "keeper") await script.scheduled();
    for (const path of ["/healthz", "/readyz", `${records}/r_${"a".repeat(26)}`, "/v1/contracts"]) {
      const answer = await script.call("GET", path, { as: "owner-1" });
      expect([answer.status, answer.headers.get("content-type")]).toEqual([503, "application/problem+json"]);
      expect(await answer.text()).not.toContain("POSTERN");
    }
    expectOneLine(script, line);
  });

  it("the edge bound as the keeper: runs nothing, and says why in its own log alone", async () => {
    await world.edge.restart({ bindings: { HYPERDRIVE: world.databases.main.keeperUrl } });
    await expectClosed(world.edge, ["/v1/me", `${records}/r_${"a".repeat(26)}`, "/readyz"]);
    expectOneLine(world.edge, "the database is bound as postern_keeper: bind it as postern_edge");
  });

  it("the directory bound as the keeper: the same", async () => {
    await world.directory.restart({ bindings: { HYPERDRIVE: world.databases.main.keeperUrl } });
    await expectClosed(world.directory, ["/readyz"]);
    expectOneLine(world.directory, "the database is bound as postern_keeper: bind it as postern_directory");
    await world.directory.restart();
  });

  it("the keeper with another root key: neither, nor at its minute", async () => {
    await world.keeper.restart({ secrets: { POSTERN_ROOT_KEY: anyKey } });
    await world.keeper.scheduled();
    await expectClosed(world.keeper, ["/v1/contracts", "/v1/contracts/c-test", "/readyz"]);
    expectOneLine(world.keeper, "POSTERN_ROOT_KEY is not the key that this database began with");
  });

  it("the edge whose shares lie in the main database: releases nothing", async () => {
    await world.edge.restart({ bindings: { SHARES: world.databases.main.ownerUrl } });
    const refused = await world.call("POST", `${records}/search`, { as: "agent-1", body: { by: { id: "U1" } } });
    expect([refused.status, ((await refused.json()) as { code: string }).code]).toEqual([503, "keys_unavailable"]);
    expectOneLine(world.edge, "the shares are bound to the main database");
  });

  it.each(["edge", "keeper"] as const)("the %s on another build's schema: runs no statement, until the schema fits", async (name) => {
    const script = world[name];
    const [path, as] = name === "edge" ? ["/v1/me", "agent-1"] : ["/v1/contracts", "owner-1"];
    await script.restart();
    const table = "public.postern_migration";
    for (const [change, undo, line] of [
      [
        `insert into ${table} (number, name, digest) values (9999, '9999-later.sql', 'x')`,
        `delete from ${table} where number = 9999`,
        "newer than this build",
      ],
      [
        `update ${table} set digest = 'x' || digest where number = 1`,
        `update ${table} set digest = substr(digest, 2) where number = 1`,
        "was changed",
      ],
      [`alter table ${table} rename to gone`, "alter table public.gone rename to postern_migration", "lacks migration 0001"],
    ] as const) {
      await world.owner.query(change);
      const { status } = await script.call("GET", path, { as });
      await world.owner.query(undo);
      expect([status, script.output().at(-1)]).toEqual([503, expect.stringContaining(line)]);
    }
    expect((await script.call("GET", path, { as })).status).toBe(200);
  });
});

describe("what is deployed", () => {
  it("knows the migrations by their digests", () => {
    expect(migrationsOfThisBuild).toEqual(migrationDigests(readMigrations()));
  });

  it.each([
    ["edge", () => world.edge],
    ["directory", () => world.directory],
    ["keeper", () => world.keeper],
  ] as const)(`is at most ${bundleKilobytesMax} KB compressed: the %s`, (name, script: () => Script) => {
    const bytes = readFileSync(script().path);
    const kilobytes = gzipSync(bytes).length / 1024;
    process.stdout.write(`bundle of the ${name}: ${Math.round(bytes.length / 1024)} KB, ${Math.round(kilobytes)} KB compressed\n`);
    expect(kilobytes).toBeLessThan(bundleKilobytesMax);
  });
});

/** What needs the database is refused; that the process answers is not. */
async function expectClosed(script: Script, paths: readonly string[]): Promise<void> {
  for (const path of paths) {
    const answer = await script.call("GET", path, { as: "owner-1" });
    expect([answer.status, await answer.text()]).toEqual([503, expect.not.stringMatching(/postern_|POSTERN|migration/)]);
  }
  expect((await script.call("GET", "/healthz")).status).toBe(200);
}

/** The same line for each event that was refused, no other, and no secret in it. */
function expectOneLine(script: Script, line: string): void {
  const lines = script.output();
  expect(new Set(lines).size).toBe(1);
  expect(JSON.parse(lines[0] ?? "")).toEqual({ level: "error", event: "refused", line: expect.stringContaining(line) });
  for (const secret of Object.values(world.secrets)) expect(lines.join()).not.toContain(secret);
}
