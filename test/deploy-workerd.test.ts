/** The edge on plain workerd, under the configuration in deploy/: a real process, a real Postgres, its connections in one Durable Object. */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { readBundle } from "../src/audit/bundle.ts";
import { parseTrust, type Trust } from "../src/audit/index.ts";
import { verifyExport } from "../src/audit/verify.ts";
import { verifySignature } from "../src/crypto/index.ts";
import type { Database } from "../src/storage/index.ts";
import { bringIntoForce, expectStatus, type Found, importLines, problemOf, shippedPolicy } from "./support/agreement.ts";
import { expectNothingFromBroken } from "./support/broken-bodies.ts";
import { openTestPool } from "./support/databases.ts";
import { askThroughShops, createPlainWorkerd, type PlainWorkerd } from "./support/plain-workerd.ts";
import { entriesOf } from "./support/purge-world.ts";
import {
  credential,
  customer,
  customerPath,
  ceiling as openCeiling,
  openShop,
  register,
  registerQuick,
  type Shop,
  saying,
} from "./support/shop.ts";
import { personSecrets, telling } from "./support/upstream-canaries.ts";

const records = "/v1/contracts/c-test/records/customer";
const poolSize = 10;
const healedWithinMs = 5_000;

let shop: Shop;
let world: PlainWorkerd;
let owner: Database;
let trust: Trust;
let path: string;

beforeAll(async () => {
  shop = await openShop();
  world = await createPlainWorkerd({ shop: shop.port });
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
  await shop?.close();
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

describe("a merchant's own API, asked by the edge on plain workerd", () => {
  const secret = "kanarie-zq7w-0815";
  const ask = (path = customerPath, headers: Readonly<Record<string, string>> = {}) =>
    world.call("GET", `/v1/contracts/c-shop/upstream/shopify${path}`, { as: "agent-1", headers });

  beforeAll(async () => {
    const ceiling = "{ plain: reveal, person_name: mask, phone: mask, email: mask, address: mask, free_text: withhold }";
    await bringIntoForce(world.gateway, { contract: "c-shop", policy: shippedPolicy("western-shop"), ceiling });
  });
  beforeEach(() => registerQuick(world.gateway, "c-shop"));

  it("is masked on the way through, with an entry, by the gateway's own credential and no header of the client's", async () => {
    shop.answer = saying({ customer: { ...customer, new_contact: secret } }, 200, { "set-cookie": secret, link: secret });
    const headers = { cookie: secret, "x-api-key": secret, "x-shopify-access-token": secret, "x-forwarded-for": "1.2.3.4" };
    const answer = await expectStatus(ask(customerPath, headers), 200);
    const text = `${JSON.stringify([...answer.headers])}${await answer.text()}`;
    expect(text).toContain('"email":"b***@mail.example"');
    for (const hidden of [secret, credential, "6136120707"]) expect(text).not.toContain(hidden);
    const up = shop.asked.at(-1);
    expect(up?.path).toBe(customerPath);
    expect(up?.headers).toMatchObject({ host: "acme.myshopify.com", "x-shopify-access-token": credential });
    expect(JSON.stringify(up)).not.toMatch(/kanarie-zq7w-0815|eyJ|forwarded/);
    const entry = (await entriesOf(world.gateway.database, "c-shop")).at(-1);
    expect(entry).toMatchObject({ event: "record.read", facts: { upstream: "shopify", upstream_status: 200 } });
  });

  it("that drips, never ends, is huge, packed, deep, broad or breaks off is none, within its seconds", async () => {
    await expectNothingFromBroken(shop, secret, ask);
  });

  it("that says things about people in errors, headers and redirects says them to nobody, nor to the process", async () => {
    for (const status of [302, 404, 500]) {
      shop.answer = telling(status);
      const text = await (await ask()).text();
      for (const hidden of personSecrets) expect(text + world.output()).not.toContain(hidden);
    }
  });

  it("is written into, once under its key and as the policy says, and what was kept of it before counts no more", async () => {
    const contract = "c-kept";
    const more = "upstream: { cache_minutes: 5 }\n";
    await bringIntoForce(world.gateway, { contract, policy: shippedPolicy("western-shop"), ceiling: openCeiling, more });
    await register(world.gateway, "zendesk", { contract });
    let standing = { id: 35436, status: "open", priority: "high", subject: secret };
    shop.answer = (path, response) => {
      const { method, body } = shop.asked.at(-1) ?? { method: "GET", body: "" };
      if (method === "PUT") standing = { ...standing, ...(JSON.parse(body) as { ticket: object }).ticket };
      saying({ ticket: standing })(path, response);
    };
    const path = `/v1/contracts/${contract}/upstream/zendesk/api/v2/tickets/35436.json`;
    const statusOf = async (answer: Response) => ((await answer.json()) as { ticket: { status: string } }).ticket.status;
    const seen = async () => statusOf(await expectStatus(world.call("GET", path, { as: "agent-2" }), 200));
    const begun = shop.asked.length;
    for (let i = 0; i < 2; i++) expect(await seen()).toBe("open");
    expect(shop.asked).toHaveLength(begun + 1);

    const headers = { "idempotency-key": "11111111-2222-4333-8444-555555555555" };
    const write = (ticket: object, as = "agent-2") => world.call("PUT", path, { as, headers, body: { ticket } });
    await problemOf(write({ priority: "low" }, "agent-1"), 403);
    expect((await problemOf(write({ status: "s**" }), 422)).errors).toMatchObject([{ code: "placeholder" }]);
    const first = await expectStatus(write({ status: "solved" }), 200);
    const text = await first.text();
    expect(JSON.parse(text)).toMatchObject({ ticket: { status: "solved", subject: null } });
    const again = await expectStatus(write({ status: "solved" }), 200);
    expect([await again.text(), again.headers.get("idempotency-replayed")]).toEqual([text, "true"]);
    expect(shop.asked.filter(({ method }) => method === "PUT")).toHaveLength(1);
    expect(await seen()).toBe("solved");
    const told = (await entriesOf(world.gateway.database, contract)).filter(({ facts }) => facts?.upstream === "zendesk");
    expect(told.map(({ event, facts }) => [event, facts?.upstream_kept])).toEqual(
      expect.arrayContaining([
        ["record.read", 1],
        ["record.writing", undefined],
        ["record.written", undefined],
      ]),
    );
  });

  it("lies in no network that is not public: as deploy/workerd.capnp has it, no other is connected to", async () => {
    shop.answer = saying({ customer });
    const before = shop.asked.length;
    expect(await askThroughShops(`http://127.0.0.1:${shop.port}/`)).toMatch(/^not connected/);
    expect(shop.asked).toHaveLength(before);
  });
});
