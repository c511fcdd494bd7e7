/** The edge on plain workerd, under the configuration in deploy/: a real process, a real Postgres, its connections in one Durable Object. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { readBundle } from "../src/audit/bundle.ts";
import { parseTrust, type Trust } from "../src/audit/index.ts";
import { verifyExport } from "../src/audit/verify.ts";
import { verifySignature } from "../src/crypto/index.ts";
import type { Database } from "../src/storage/index.ts";
import { bringIntoForce, expectStatus, type Found, importLines } from "./support/agreement.ts";
import { openTestPool } from "./support/databases.ts";
import { createPlainWorkerd, type PlainWorkerd } from "./support/plain-workerd.ts";

const records = "/v1/contracts/c-test/records/customer";
const poolSize = 10;
const healedWithinMs = 5_000;

let world: PlainWorkerd;
let owner: Database;
let trust: Trust;
let path: string;

beforeAll(async () => {
  world = await createPlainWorkerd();
  owner = openTestPool(world.ownerUrl);
  const activated = await bringIntoForce(world.gateway);
  const parsed = parseTrust(JSON.stringify(activated.trust));
  if (!parsed.ok) throw new Error(parsed.refusal);
  trust = parsed.value;
  await importLines(world.gateway, [{ id: "U1", name: "欧阳娜娜", phone: "138 0013 8000", id_card: "330106199001011234" }]);
  path = `${records}/${(await find({ id: "U1" })).records[0]?.locator}`;
});
afterAll(async () => {
  await owner?.close();
  await world?.close();
});

async function find(by: Readonly<Record<string, string>>): Promise<Found> {
  return (await expectStatus(world.call("POST", `${records}/search`, { as: "agent-1", body: { by } }), 200)).json() as Promise<Found>;
}

const read = () => world.call("GET", path, { as: "agent-1" });

async function edgeBackends(): Promise<number[]> {
  const rows = await owner.query(
    "select pid from pg_stat_activity where usename = 'postern_edge' and datname = current_database() order by pid",
  );
  return rows.map(([pid]) => Number(pid));
}

describe("the edge on plain workerd", () => {
  it("shows an agent a customer masked, and promises an entry that the log keeps and a stranger verifies", async () => {
    const answer = await expectStatus(read(), 200);
    const promise = answer.headers.get("audit-promise") ?? "";
    const text = await answer.text();
    expect(text).toContain("138****8000");
    for (const canary of ["欧阳娜娜", "13800138000", "330106199001011234"]) expect(text + promise).not.toContain(canary);

    await world.gateway.keeper.sequence();
    const exported = await expectStatus(
      world.gateway.call("GET", "/v1/contracts/c-test/audit/export?format=bundle", { as: "officer" }),
      200,
    );
    if (!exported.body) throw new Error("an export without a body");
    const verdict = await verifyExport({ bundle: readBundle(exported.body), trust, seen: [promise], verifySignature });
    expect(verdict).toMatchObject({ ok: true, keys: "pinned", problems: [] });
  });

  it("serves agents alone, and is ready", async () => {
    expect((await world.call("GET", "/v1/contracts", { as: "owner-1" })).status).toBe(404);
    expect((await world.call("GET", "/readyz")).status).toBe(200);
    expect((await world.call("GET", path)).status).toBe(401);
  });

  it(`keeps at most ${poolSize} connections, and the same ones, for as many requests as come`, async () => {
    const burst = () => Promise.all(Array.from({ length: 64 }, () => expectStatus(read(), 200).then((answer) => answer.text())));
    await burst();
    const before = await edgeBackends();
    expect(before.length).toBeGreaterThan(0);
    expect(before.length).toBeLessThanOrEqual(poolSize);
    const start = performance.now();
    for (let i = 0; i < 5; i++) await burst();
    process.stdout.write(`plain workerd: ${Math.round((5 * 64_000) / (performance.now() - start))} masked reads a second at 64\n`);
    const after = await edgeBackends();
    expect(after.length).toBeLessThanOrEqual(poolSize);
    expect(before.filter((pid) => !after.includes(pid))).toEqual([]);
  });

  it("goes on serving when callers hang up", async () => {
    const hungUp = Array.from({ length: 20 }, (_, i) =>
      world.call("GET", path, { as: "agent-1", signal: AbortSignal.timeout(i) }).catch(() => null),
    );
    await Promise.all(hungUp);
    for (let i = 0; i < 5; i++) await expectStatus(read(), 200);
  });

  it("loses its connections and has new ones, without a restart", async () => {
    await owner.query(
      "select pg_terminate_backend(pid) from pg_stat_activity where usename = 'postern_edge' and datname = current_database()",
    );
    const statuses: number[] = [];
    await expect.poll(async () => statuses[statuses.push((await read()).status) - 1], { timeout: healedWithinMs, interval: 100 }).toBe(200);
    expect(statuses.filter((status) => status !== 200 && status !== 503)).toEqual([]);
  });

  it("without its root key serves nothing, and says why in its own log alone", async () => {
    await world.restart({ POSTERN_ROOT_KEY: null });
    const answer = await read();
    expect([answer.status, answer.headers.get("content-type")]).toEqual([503, "application/problem+json"]);
    expect(await answer.text()).not.toContain("POSTERN");
    await expect.poll(world.output).toContain("POSTERN_ROOT_KEY is missing");
    await world.restart();
    await expectStatus(read(), 200);
  });
});
