/**
 * P7: who loses access has lost it at the next request, with the token that was good a moment ago and every cache warm.
 * Standing is read with the data, in the same statement; only tokens and compiled policies are remembered.
 */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { bringIntoForce, expectStatus, importLines, search } from "./support/agreement.ts";
import type { Gateway } from "./support/gateway.ts";
import { createLogGateway, type LogGateway } from "./support/log-gateway.ts";

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
    await world.owner.query("insert into postern.seat values ('c-test', 'demo', 'agent-1', $1, $2)", [
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
