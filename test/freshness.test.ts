/**
 * How old the oldest entry that waits may be: past the merge delay (5 minutes, unless the operator says otherwise) readiness fails, past the second limit
 * (10 minutes) nothing is disclosed; a quiet log is fresh.
 */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { openHead } from "../src/audit/head.ts";
import { parsePromise } from "../src/audit/promise.ts";
import { keyId, verifySignature } from "../src/crypto/index.ts";
import { importLines, search } from "./support/agreement.ts";
import { agreeOnTrust, createLogGateway, type LogGateway, readMany } from "./support/log-gateway.ts";

describe("an agent asks while the log is not numbered", () => {
  let world: LogGateway;
  let locator: string;
  beforeAll(async () => {
    world = await createLogGateway();
    await agreeOnTrust(world.gateway);
    await importLines(world.gateway, [{ id: "U1", name: "林小满", phone: "13800138000" }]);
    locator = (await search(world.gateway, { id: "U1" })).records[0]?.locator ?? "";
    await readMany(world.gateway, 1);
    await world.gateway.keeper.sequence();
  });
  afterAll(() => world.close());

  const read = () => world.gateway.call("GET", `/v1/contracts/c-test/records/customer/${locator}`, { as: "agent-1" });
  const readyz = () => readinessOf(world);
  const ago = (minutes: number) => backdate(world, minutes);
  const flushes = async () => (await world.owner.query("select count(*)::int from audit.flush where log = 'c-test'"))[0]?.[0];

  it("is answered as long as nothing waits, however long nothing was numbered", async () => {
    await ago(60 * 24);
    expect(await readyz()).toEqual([200, "ok"]);
    expect((await read()).status).toBe(200);
  });

  it("is answered past five minutes, and readiness fails", async () => {
    await ago(4);
    expect(await readyz()).toEqual([200, "ok"]);
    await ago(6);
    expect(await readyz()).toEqual([503, "entries wait for longer than the 300 s that were promised; does a keeper run?"]);
    expect((await read()).status).toBe(200);
  });

  it("is refused past ten minutes, and nothing more is taken in; what goes to other logs, or comes from an owner, gets through", async () => {
    await world.owner.query("delete from audit.pending where log = 'c-test' and flush_id <> (select min(flush_id) from audit.pending)");
    await ago(11);
    const before = await flushes();
    const refused = await read();
    expect([refused.status, ((await refused.json()) as { code: string }).code]).toEqual([503, "audit_unavailable"]);
    expect(await flushes()).toBe(before);
    expect((await world.gateway.call("GET", `/v1/contracts/c-test/records/customer/${locator}`, { as: "stranger" })).status).toBe(404);
    expect((await world.gateway.call("GET", "/v1/contracts/c-test", { as: "owner-1" })).status).toBe(200);
  });

  it("is answered again once it is numbered, without anybody's doing", async () => {
    await world.owner.query("delete from audit.pending where log = 'c-test' and flush_id like '%-7000-8000-000000000000'");
    await world.gateway.keeper.sequence();
    expect((await read()).status).toBe(200);
    expect(await readyz()).toEqual([200, "ok"]);
  });

  it("is not stopped by a name that no clock gave", async () => {
    await world.owner.query("update audit.upkeep set numbered_until = null where log = 'c-test'");
    await world.edge.query("insert into audit.pending (log, flush_id) values ('c-test', '0')");
    expect((await read()).status).toBe(200);
  });
});

describe("an operator who decides otherwise", () => {
  let world: LogGateway;
  beforeAll(async () => {
    world = await createLogGateway({ common: { freshness: { mergeDelaySeconds: 60, disclosureStopsSeconds: 120 } } });
    await agreeOnTrust(world.gateway);
    await importLines(world.gateway, [{ id: "U1", name: "林小满", phone: "13800138000" }]);
    await world.gateway.keeper.sequence();
  });
  afterAll(() => world.close());

  const find = () =>
    world.gateway.call("POST", "/v1/contracts/c-test/records/customer/search", { as: "agent-1", body: { by: { id: "U1" } } });

  it("has every promise name that merge delay, and readiness both limits", async () => {
    const promise = parsePromise((await find()).headers.get("audit-promise") ?? "");
    const { publicKey } = world.edgeWriter;
    const head = promise && (await openHead(promise.jws, new Map([[keyId(publicKey), publicKey]]), verifySignature));
    expect(head?.mmd).toBe(60);
    const { log } = (await (await world.gateway.call("GET", "/readyz")).json()) as { log: unknown };
    expect(log).toEqual({ merge_delay_seconds: 60, disclosure_stops_seconds: 120 });
  });

  it("sees readiness fail past the one, and disclosure stop past the other", async () => {
    await backdate(world, 1.5);
    expect(await readinessOf(world)).toEqual([503, "entries wait for longer than the 60 s that were promised; does a keeper run?"]);
    expect((await find()).status).toBe(200);
    await world.owner.query("delete from audit.pending where log = 'c-test' and flush_id <> (select min(flush_id) from audit.pending)");
    await backdate(world, 2.5);
    expect((await find()).status).toBe(503);
  });
});

async function readinessOf({ gateway }: LogGateway): Promise<[number, string]> {
  const answer = await gateway.call("GET", "/readyz");
  return [answer.status, ((await answer.json()) as { checks: { audit: string } }).checks.audit];
}

/** Everything in the log happened so long ago. */
async function backdate({ owner }: LogGateway, minutes: number): Promise<void> {
  const ms = (Date.now() - minutes * 60_000).toString(16).padStart(12, "0");
  const name = `${ms.slice(0, 8)}-${ms.slice(8)}-7000-8000-000000000000`;
  await owner.query("update audit.pending set flush_id = $1 where log = 'c-test'", [name]);
  await owner.query("update audit.upkeep set numbered_until = now() - make_interval(secs => $1) where log = 'c-test'", [minutes * 60]);
}
