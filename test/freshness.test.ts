/** How old the oldest entry that waits may be: past 5 minutes readiness fails, past 10 nothing is disclosed; a quiet log is fresh. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
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
  const readyz = async () => {
    const answer = await world.gateway.call("GET", "/readyz");
    return [answer.status, ((await answer.json()) as { checks: { audit: string } }).checks.audit];
  };
  const flushes = async () => (await world.owner.query("select count(*)::int from audit.flush where log = 'c-test'"))[0]?.[0];

  /** Everything in the log happened so long ago. */
  async function ago(minutes: number): Promise<void> {
    const ms = (Date.now() - minutes * 60_000).toString(16).padStart(12, "0");
    const name = `${ms.slice(0, 8)}-${ms.slice(8)}-7000-8000-000000000000`;
    await world.owner.query("update audit.pending set flush_id = $1 where log = 'c-test'", [name]);
    await world.owner.query("update audit.upkeep set numbered_until = now() - make_interval(mins => $1::int) where log = 'c-test'", [
      minutes,
    ]);
  }

  it("is answered as long as nothing waits, however long nothing was numbered", async () => {
    await ago(60 * 24);
    expect(await readyz()).toEqual([200, "ok"]);
    expect((await read()).status).toBe(200);
  });

  it("is answered past five minutes, and readiness fails", async () => {
    await ago(4);
    expect(await readyz()).toEqual([200, "ok"]);
    await ago(6);
    expect(await readyz()).toEqual([503, "entries wait for longer than was promised; does a keeper run?"]);
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
