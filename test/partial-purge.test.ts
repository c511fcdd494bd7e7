/** What is old goes before the contract's end where two owners say so: by the routes, on a real Postgres. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type AgedWorld, countsOf, createAgedWorld, lapsesOf, old, records } from "./support/aged-world.ts";
import { because, expectStatus } from "./support/agreement.ts";
import type { Gateway } from "./support/gateway.ts";
import type { Copy } from "./support/purge-kill.ts";
import { openGateway, verifyLog } from "./support/purge-world.ts";
import { rotate } from "./support/rotation.ts";

let world: AgedWorld;
beforeAll(async () => {
  world = await createAgedWorld();
});
afterAll(() => world.close());

describe("a part of the data, by its age, on the word of two owners", () => {
  const path = "/v1/contracts/c-test/partial-purges";
  const order = { older_than_days: 20, type: "order" };
  const call = (gateway: Gateway, body: object, as = "owner-1") => gateway.call("POST", path, { as, body, ...because });
  /** By the agreed retention, what is too old is gone already. */
  const calm = async (copy: Copy) => {
    const gateway = await openGateway(copy);
    await gateway.keeper.tick();
    return gateway;
  };

  it("goes once a second owner has approved exactly it, and leaves a receipt that tells the truth about copies", async () => {
    await world.inCopy(async (copy, owner) => {
      const gateway = await calm(copy);
      const plan = await expectStatus(call(gateway, { ...order, dry_run: true }), 200);
      expect(await plan.json()).toMatchObject({ held: false, records: { order: 1 } });
      const asked = await (await expectStatus(call(gateway, { ...order, confirm: "c-test" }), 202)).json();
      const again = await (await expectStatus(call(gateway, { ...order, confirm: "c-test" }), 202)).json();
      expect(again).toEqual(asked);
      const { job, approval } = asked as { job: string; approval: { id: string } };
      expect((await gateway.call("POST", `/v1/approvals/${approval.id}/approve`, { as: "owner-1" })).status).toBe(403);
      await gateway.keeper.tick();
      expect((await countsOf(owner))[1]).toBe(1);
      await expectStatus(gateway.call("POST", `/v1/approvals/${approval.id}/approve`, { as: "owner-2" }), 200);
      await gateway.keeper.tick();
      expect(await countsOf(owner)).toEqual([records - old, 0, records - old, records - old]);
      const receipt = async () => (await expectStatus(gateway.call("GET", `${path}/${job}`, { as: "owner-1" }), 200)).json();
      const done = { state: "deleted", records: 1, subject_keys: 1, deleted_here_at: expect.any(String) };
      expect(await receipt()).toMatchObject({ ...done, keys_closed_everywhere_at: null, awaits_epochs: [1] });
      const { epochs } = await rotate(gateway);
      expect(await receipt()).toMatchObject({ ...done, keys_closed_everywhere_at: epochs[0]?.destroyed_at, awaits_epochs: [] });
      const said = (await lapsesOf(owner)).filter(({ outcome }) => outcome.code === "owners");
      expect(said.map(({ event }) => event)).toEqual(["records.lapsed.intent", "records.lapsed.done"]);
      expect(await verifyLog(gateway, world.trust)).toMatchObject({ ok: true, problems: [] });
      await gateway.close();
    });
  });

  it("is what one shop handed over, or what was for one purpose, and nothing that nobody said that of", async () => {
    await world.inCopy(async (copy, owner) => {
      const gateway = await calm(copy);
      const lines = (from: number) => [0, 1, 2].map((i) => ({ id: `S${from + i}`, name: "林小满", phone: "13900139000" }));
      const importAs = (query: string, from: number) => {
        const body = lines(from)
          .map((line) => `${JSON.stringify(line)}\n`)
          .join("");
        const headers = { "content-type": "application/x-ndjson" };
        return gateway.call("POST", `/v1/contracts/c-test/records/customer/import?${query}`, { as: "owner-1", body, headers });
      };
      expect((await importAs("purpose=nobody-knows", 0)).status).toBe(422);
      await expectStatus(importAs("shop=west-lake", 0), 200);
      await expectStatus(importAs("shop=east&purpose=after_sales", 10), 200);
      const planned = async (part: object) =>
        ((await (await expectStatus(call(gateway, { ...part, dry_run: true }), 200)).json()) as { records: object }).records;
      expect(await planned({ shop: "west-lake" })).toEqual({ customer: 3 });
      expect(await planned({ purpose: "after_sales" })).toEqual({ customer: 3 });
      expect(await planned({ shop: "west-lake", purpose: "after_sales" })).toEqual({});
      expect(await planned({ shop: "west-lake", older_than_days: 1 })).toEqual({});
      expect((await call(gateway, { dry_run: true })).status).toBe(422);
      const [before] = await countsOf(owner);
      const asked = await expectStatus(call(gateway, { shop: "west-lake", confirm: "c-test" }), 202);
      const { job, approval } = (await asked.json()) as { job: string; approval: { id: string } };
      await expectStatus(gateway.call("POST", `/v1/approvals/${approval.id}/approve`, { as: "owner-2" }), 200);
      await gateway.keeper.tick();
      expect((await countsOf(owner))[0]).toBe(Number(before) - 3);
      const receipt = await expectStatus(gateway.call("GET", `${path}/${job}`, { as: "owner-1" }), 200);
      expect(await receipt.json()).toMatchObject({ records: 3, before: { customer: { shop: "west-lake" } } });
      expect(await owner.query("select distinct shop from postern.record where shop is not null")).toEqual([["east"]]);
      // The last import counts: what comes again without a shop is no shop's any more.
      await expectStatus(importAs("", 10), 200);
      expect(await planned({ shop: "east" })).toEqual({});
      await gateway.close();
    });
  });

  it("is refused to others, without the typed name, of an unknown type, and while a hold stands", async () => {
    await world.inCopy(async (copy, owner) => {
      const gateway = await calm(copy);
      const confirmed = { ...order, confirm: "c-test" };
      const statuses = [
        call(gateway, confirmed, "agent-1"),
        call(gateway, confirmed, "officer"),
        call(gateway, confirmed, "owner-b1"),
        call(gateway, order),
        call(gateway, { ...order, confirm: "c-tset" }),
        call(gateway, { ...confirmed, type: "nothing" }),
        call(gateway, { ...confirmed, older_than_days: 0 }),
      ].map(async (answer) => (await answer).status);
      expect(await Promise.all(statuses)).toEqual([403, 403, 404, 422, 422, 422, 422]);
      const { approval } = (await (await expectStatus(call(gateway, confirmed), 202)).json()) as { approval: { id: string } };
      await owner.query(
        `insert into postern.hold (contract_id, hold_id, scope, basis, note, authority, placed_issuer, placed_subject)
         values ('c-test', 'h-1', 'contract', 'litigation', '', '', 'demo', 'owner-1')`,
      );
      expect((await call(gateway, confirmed)).status).toBe(409);
      const approve = () => gateway.call("POST", `/v1/approvals/${approval.id}/approve`, { as: "owner-2" });
      expect((await approve()).status).toBe(409);
      await owner.query("update postern.hold set released_at = now()");
      // Another order takes its place: what was approved would no longer be what is done.
      await expectStatus(call(gateway, { ...confirmed, older_than_days: 25 }), 202);
      expect((await approve()).status).toBe(409);
      expect((await countsOf(owner))[1]).toBe(1);
      await gateway.close();
    });
  });
});
