/** One person is erased: what goes, what is said of copies, and who may ask, on a real Postgres. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Trust } from "../src/audit/index.ts";
import { closingOf } from "../src/erasure/receipt.ts";
import { expectStatus, importLines, search } from "./support/agreement.ts";
import type { Gateway } from "./support/gateway.ts";
import { createWorld, entriesOf, neighbour, populate, purge, verifyLog, type World } from "./support/purge-world.ts";
import { erase, receiptOf, rotate, type ShownReceipt } from "./support/rotation.ts";

const path = "/v1/contracts/c-test/erasures";
const orders = [1, 2, 3].map((n) => ({ id: `O${n}`, customer_id: "U7", items: [{ sku: "a", name: "茶", qty: n }] }));

async function inWorld(work: (world: World) => Promise<void>): Promise<void> {
  const world = await createWorld();
  try {
    await work(world);
  } finally {
    await world.close();
  }
}

async function rowsOf({ owner }: World, subject: string): Promise<number[]> {
  const [row] = await owner.query(
    `select (select count(*)::int from postern.record where contract_id = 'c-test' and subject = $1),
       (select count(*)::int from postern.subject_key where contract_id = 'c-test' and subject = $1),
       (select count(*)::int from postern.blind_index b where contract_id = 'c-test' and b.locator = $1)`,
    [subject],
  );
  return (row ?? []).map(Number);
}

describe("erasing one data subject", () => {
  let world: World;
  let gateway: Gateway;
  let trust: Trust;
  let receipt: ShownReceipt;
  let locator: string;
  beforeAll(async () => {
    world = await createWorld();
    gateway = world.gateway;
    trust = await populate(gateway);
    await populate(gateway, neighbour, 9);
    await importLines(gateway, orders, { type: "order" });
    locator = (await search(gateway, { phone: "13810000007" })).records[0]?.locator ?? "";
  });
  afterAll(() => world.close());

  it("first counts what would go, and changes nothing", async () => {
    const answer = await gateway.call("POST", path, { as: "owner-1", body: { subject: { locator }, dry_run: true } });
    expect([answer.status, await answer.json()]).toEqual([
      200,
      expect.objectContaining({ locator, records: 4, epoch: 1, holds: [], subject: expect.stringMatching(/^s_[a-z2-7]{26}$/) }),
    ]);
    expect((await rowsOf(world, locator)).slice(0, 2)).toEqual([4, 1]);
  });

  it.each([
    ["an agent", "agent-1", { subject: { id: "U7" }, confirm: "U7" }, 403],
    ["an officer", "officer", { subject: { id: "U7" }, confirm: "U7" }, 403],
    ["another merchant's owner", "owner-b1", { subject: { id: "U7" }, confirm: "U7" }, 404],
    ["somebody who types another name", "owner-1", { subject: { id: "U7" }, confirm: "U8" }, 422],
    ["somebody who types nothing", "owner-1", { subject: { id: "U7" } }, 422],
    ["somebody who names nobody", "owner-1", { subject: { id: "nobody" }, confirm: "nobody" }, 404],
    ["somebody who names an order", "owner-1", { subject: { type: "order", id: "O1" }, confirm: "O1" }, 422],
  ])("is refused to %s", async (_who, as, body, status) => {
    expect((await gateway.call("POST", path, { as, body })).status).toBe(status);
    expect((await rowsOf(world, locator)).slice(0, 2)).toEqual([4, 1]);
  });

  it("takes the person's records, what they are found by, and their key; nobody else's", async () => {
    receipt = await erase(gateway, "U7");
    expect(receipt).toMatchObject({ state: "erased", locator, records: 4, erased_here_at: expect.any(String) });
    expect(await rowsOf(world, locator)).toEqual([0, 0, 0]);
    expect((await search(gateway, { phone: "13810000007" })).records).toEqual([]);
    const read = await gateway.call("GET", `/v1/contracts/c-test/records/customer/${locator}`, { as: "agent-1" });
    expect(read.status).toBe(404);
    expect((await search(gateway, { phone: "13810000008" })).records).toHaveLength(1);
    expect(await world.owner.query("select count(*)::int from postern.record where contract_id = 'c-other'")).toEqual([[9]]);
  });

  it("says that a copy stays readable until the epoch is destroyed, and names it", () => {
    expect(receipt.closed_everywhere_at).toBeNull();
    expect(receipt.reason).toMatchObject({ code: "epoch_not_destroyed", epochs: [1], text: expect.stringContaining("backup") });
  });

  it("answers the same receipt when asked again", async () => {
    expect((await erase(gateway, "U7")).erasure).toBe(receipt.erasure);
    expect(await receiptOf(gateway, receipt.erasure)).toEqual(receipt);
    expect((await gateway.call("GET", `${path}/${receipt.erasure}`, { as: "owner-b1" })).status).toBe(404);
    expect((await gateway.call("GET", `${path}/unknown`, { as: "owner-1" })).status).toBe(404);
  });

  it("stands in the log once before and once after, under the pseudonym that readings of them have, never their id", async () => {
    const entries = await entriesOf(world.owner, "c-test");
    const said = entries.filter(({ event }) => event.startsWith("subject.erased"));
    expect(said.map(({ event }) => event)).toEqual(["subject.erased.intent", "subject.erased.done"]);
    expect(said[1]?.facts).toMatchObject({ job: receipt.erasure, records: 4, epoch: 1 });
    for (const entry of said) expect(JSON.stringify(entry)).toContain(`"subject":"${receipt.subject}"`);
    expect(JSON.stringify(entries)).not.toContain('"U7"');
    expect(await verifyLog(gateway, trust)).toMatchObject({ ok: true, problems: [] });
  });

  it("is closed everywhere once a rotation has destroyed the epoch", async () => {
    const { epochs } = await rotate(gateway);
    const closed = await receiptOf(gateway, receipt.erasure);
    expect(closed).toEqual({ ...receipt, closed_everywhere_at: epochs[0]?.destroyed_at, reason: null });
  });

  it("lets the person come back under the same name and another key, and be erased again", async () => {
    await importLines(gateway, [{ id: "U7", name: "林小满", phone: "13810000007" }]);
    expect((await search(gateway, { phone: "13810000007" })).records[0]?.locator).toBe(locator);
    const again = await erase(gateway, "U7");
    expect(again.erasure).not.toBe(receipt.erasure);
    expect(again).toMatchObject({ locator, records: 1, reason: { epochs: [2] } });
    expect((await receiptOf(gateway, receipt.erasure)).closed_everywhere_at).not.toBeNull();
  });

  it("is closed by the contract's purge, too, and its receipt outlives it", async () => {
    const again = await erase(gateway, "U7");
    await purge(gateway);
    expect(await receiptOf(gateway, again.erasure)).toMatchObject({
      subject: null,
      reason: null,
      closed_everywhere_at: expect.any(String),
    });
    expect((await gateway.call("POST", path, { as: "owner-1", body: { subject: { id: "U8" }, confirm: "U8" } })).status).toBe(409);
  });
});

describe("a legal hold", () => {
  it.each([
    ["on the person", { subject: { type: "customer", id: "U7" } }],
    ["on the contract", "contract"],
  ])("%s refuses their erasure and is named; one that comes after the order lets it wait", async (_where, scope) => {
    await inWorld(async (world) => {
      const { gateway, owner } = world;
      await populate(gateway);
      const hold = { scope, basis: "litigation", authority: "court", note: "case", expires_at: null };
      await expectStatus(gateway.call("POST", "/v1/contracts/c-test/holds", { as: "owner-1", body: hold }), 201);
      const refused = await gateway.call("POST", path, { as: "owner-1", body: { subject: { id: "U7" }, confirm: "U7" } });
      expect([refused.status, await refused.json()]).toEqual([
        409,
        expect.objectContaining({ code: "held", errors: [expect.objectContaining({ pointer: expect.stringMatching(/^\/holds\//) })] }),
      ]);
      const plan = await gateway.call("POST", path, { as: "owner-1", body: { subject: { id: "U7" }, dry_run: true } });
      const { locator, holds } = (await plan.json()) as { locator: string; holds: string[] };
      expect(holds).toHaveLength(1);
      await owner.query(
        "insert into postern.erasure (contract_id, job_id, subject, type, step) values ('c-test', 'e-1', $1, 'customer', 'requested')",
        [locator],
      );
      await gateway.keeper.tick();
      expect((await rowsOf(world, locator)).slice(0, 2)).toEqual([1, 1]);
      expect(await receiptOf(gateway, "e-1")).toMatchObject({ state: "waiting", reason: { code: "not_erased_yet" } });
      await owner.query("update postern.hold set released_at = now()");
      await gateway.keeper.tick();
      expect(await rowsOf(world, locator)).toEqual([0, 0, 0]);
    });
  });
});

describe("an erasure that is interrupted", () => {
  it.each(["requested", "erased"])("is taken up by a keeper where it stood at %s, and said once", async (step) => {
    await inWorld(async (world) => {
      const { gateway, owner } = world;
      await populate(gateway);
      const { erasure } = await erase(gateway, "U3");
      await gateway.keeper.sequence();
      const before = (await entriesOf(owner, "c-test")).map(({ event }) => event).filter((event) => event.startsWith("subject."));
      await owner.query("update postern.erasure set step = $1, lease_until = null", [step]);
      await gateway.keeper.tick();
      expect(await owner.query("select step from postern.erasure where job_id = $1", [erasure])).toEqual([["done"]]);
      expect((await entriesOf(owner, "c-test")).map(({ event }) => event).filter((event) => event.startsWith("subject."))).toEqual(before);
    });
  });

  it("is left where it stands once the purge has begun", async () => {
    await inWorld(async ({ gateway, owner }) => {
      await populate(gateway);
      const { erasure } = await erase(gateway, "U3");
      await owner.query("update postern.erasure set step = 'requested'");
      await owner.query("update postern.contract set state = 'purging' where contract_id = 'c-test'");
      await gateway.keeper.tick();
      expect(await receiptOf(gateway, erasure)).toMatchObject({ state: "contract_purged" });
    });
  });
});

describe("when copies of an erased person are closed", () => {
  const epoch = (number: number, destroyedAt: number | null) => ({ epoch: number, destroyedAt });
  it.each([
    ["not while the epoch of their key stands", [epoch(1, null), epoch(2, null)], 1, { closedAt: null, awaits: [1] }],
    ["not while an epoch stands that their key left", [epoch(1, null), epoch(2, null)], 2, { closedAt: null, awaits: [1, 2] }],
    ["with the last of them", [epoch(1, 70), epoch(2, 90), epoch(3, null)], 2, { closedAt: 90, awaits: [] }],
    ["never before they are erased here", [epoch(1, 20), epoch(2, null)], 1, { closedAt: 50, awaits: [] }],
  ])("%s", (_when, epochs, wrapped, closing) => {
    expect(closingOf({ epoch: wrapped, erasedAt: 50 }, epochs)).toEqual(closing);
  });
});
