/** A contract's index key moves while people search, import, erase and change the policy, on a real Postgres. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Trust } from "../src/audit/index.ts";
import { importLines, search } from "./support/agreement.ts";
import type { Gateway } from "./support/gateway.ts";
import {
  approvePurge,
  createWorld,
  dumpOf,
  entriesOf,
  neighbour,
  openGateway,
  orderPurge,
  populate,
  stateOf,
  verifyLog,
  type World,
} from "./support/purge-world.ts";
import { askIndexRotation, askRotation, erase, finishRotation, hits, indexRowsOf, searchNames, showKeys } from "./support/rotation.ts";

async function inWorld(work: (world: World) => Promise<void>, twist: Parameters<typeof createWorld>[0] = {}): Promise<void> {
  const world = await createWorld(twist);
  try {
    await work(world);
  } finally {
    await world.close();
  }
}

/** A world of 600 records, where `between` runs after each batch of a rebuild. */
async function betweenBatches(between: (world: World) => Promise<void>, work: (world: World) => Promise<void>): Promise<void> {
  let world: World | null = null;
  const database: NonNullable<Parameters<typeof createWorld>[0]>["database"] = (made) => ({
    ...made,
    async transaction(act) {
      let isRebuild = false;
      const value = await made.transaction((tx) =>
        act({
          query(text, params) {
            isRebuild ||= text.startsWith("delete from postern.blind_index b using jsonb_");
            return tx.query(text, params);
          },
        }),
      );
      if (isRebuild && world) await between(world);
      return value;
    },
  });
  await inWorld(
    async (made) => {
      world = made;
      await populate(made.gateway, {}, 600);
      await work(made);
    },
    { database },
  );
}

/** Up to the first fence: searches ask with the new key, and the old one's rows stand. */
async function untilTheFence({ gateway }: World): Promise<void> {
  await askIndexRotation(gateway);
  await gateway.keeper.tick();
  expect((await showKeys(gateway)).rotation?.step).toBe("index");
}

describe("a rotation of the index key", () => {
  const records = 1_200;
  let world: World;
  let gateway: Gateway;
  let trust: Trust;
  let before: Record<string, string[]>;
  let values: Awaited<ReturnType<World["owner"]["query"]>>;
  beforeAll(async () => {
    world = await createWorld();
    gateway = world.gateway;
    trust = await populate(gateway, {}, records);
    await populate(gateway, neighbour, 3);
    await gateway.keeper.sequence();
    before = await dumpOf(world.owner, "c-other");
    values = await world.owner.query("select encode(value, 'hex') from postern.blind_index where contract_id = 'c-test'");
    await askIndexRotation(gateway);
    await finishRotation(gateway);
  }, 60_000);
  afterAll(() => world.close());

  it("leaves each record found by the new key and by nothing else, and no row or key of the old one", async () => {
    expect(await indexRowsOf(world.owner)).toEqual({ "2": records });
    const [kept] = await world.owner.query(
      "select count(*)::int from postern.blind_index where contract_id = 'c-test' and encode(value, 'hex') in (select jsonb_array_elements_text($1::text::jsonb))",
      [JSON.stringify(values.flat())],
    );
    expect(kept).toEqual([0]);
    expect(
      await world.owner.query("select purpose, generation, epoch from postern.contract_key where contract_id = 'c-test' order by 1"),
    ).toEqual([
      ["index", 2, 2],
      ["locator", 1, 2],
      ["pseudonym", 1, 2],
    ]);
    for (const phone of ["13810000000", "138 1000 0700", "+86 13810001199"])
      expect([phone, await hits(gateway, phone)]).toEqual([phone, 1]);
    expect(await hits(gateway, "13899999999")).toBe(0);
  });

  it("tells its owner how far it came", async () => {
    const { rotation, index } = await showKeys(gateway);
    expect(index).toEqual({ generation: 2, records });
    expect(rotation).toMatchObject({
      step: "share_a",
      progress: { done: 7, of: 7 },
      index: { generation: 2, indexed: records, records, dropped: records },
    });
  });

  it("says before and after each act what it does", async () => {
    const entries = (await entriesOf(world.owner, "c-test")).filter(({ event }) => /^keys\.index/.test(event));
    expect(entries.map(({ event, facts }) => [event, facts])).toEqual([
      ["keys.index.intent", { job: expect.any(String) }],
      ["keys.index.done", { job: expect.any(String), epoch: 2, generation: 2, records }],
      ["keys.index_drop.intent", { job: expect.any(String) }],
      ["keys.index_drop.done", { job: expect.any(String), generation: 1, rows: records }],
    ]);
  });

  it("leaves the neighbour as it was, and a log that verifies", async () => {
    const after = await dumpOf(world.owner, "c-other");
    for (const table of ["postern.blind_index", "postern.contract_key", "postern.key_epoch"]) expect(after[table]).toEqual(before[table]);
    expect(await verifyLog(gateway, trust)).toMatchObject({ ok: true, problems: [] });
  });

  it("can follow another one, and one that leaves the index key where it is", async () => {
    await askIndexRotation(gateway);
    await finishRotation(gateway);
    await askRotation(gateway);
    await finishRotation(gateway);
    expect(await indexRowsOf(world.owner)).toEqual({ "3": records });
    expect(await showKeys(gateway)).toMatchObject({ index: { generation: 3 }, rotation: { index: null, progress: { of: 5 } } });
    expect(await hits(gateway, "13810000007")).toBe(1);
  });
});

describe("what else happens while the index key moves", () => {
  const twist = { keeper: { fenceWaitMs: 600_000 } };

  it("is an import, whose records are found by either key, before the fences and after", async () => {
    await inWorld(async (world) => {
      const { gateway } = world;
      await populate(gateway);
      const elsewhere = await openGateway(world);
      // From here on this one has the old key to ask with, for a minute.
      expect(await hits(elsewhere, "13810000003")).toBe(1);
      await untilTheFence(world);
      await importLines(gateway, [
        { id: "U3", name: "欧阳娜娜", phone: "13910000003" },
        { id: "new", name: "林小满", phone: "13910000004" },
      ]);
      expect(await indexRowsOf(world.owner)).toEqual({ "1": 21, "2": 21 });
      for (const [phone, found] of [
        ["13910000003", 1],
        ["13910000004", 1],
        ["13810000003", 0],
        ["13810000004", 1],
      ] as const) {
        expect([phone, await hits(gateway, phone), await hits(elsewhere, phone)]).toEqual([phone, found, found]);
      }
      await elsewhere.close();
      const later = await openGateway(world);
      await finishRotation(later);
      expect(await indexRowsOf(world.owner)).toEqual({ "2": 21 });
      for (const phone of ["13910000003", "13910000004", "13810000004"]) expect(await hits(later, phone)).toBe(1);
      await later.close();
    }, twist);
  });

  it("is an erasure, which leaves no row of either key", async () => {
    await inWorld(async (world) => {
      await populate(world.gateway);
      await untilTheFence(world);
      expect(await erase(world.gateway, "U7")).toMatchObject({ records: 1, index_rows: 2 });
      expect(await indexRowsOf(world.owner)).toEqual({ "1": 19, "2": 19 });
      expect(await hits(world.gateway, "13810000007")).toBe(0);
    }, twist);
  });

  it("is a policy that lets another field be searched, for records that were there before it", async () => {
    await inWorld(async (world) => {
      const { gateway } = world;
      await populate(gateway, {}, 600);
      await searchNames(gateway);
      expect((await search(gateway, { name: "林小满7" })).records).toEqual([]);
      await askIndexRotation(gateway);
      await finishRotation(gateway);
      expect((await search(gateway, { name: "林小满7" })).records).toHaveLength(1);
      expect(await indexRowsOf(world.owner)).toEqual({ "2": 1_200 });
    });
  });

  it("is that policy coming in the midst of the rebuild, which begins again", async () => {
    let batches = 0;
    await betweenBatches(
      async (world) => {
        if (batches++ === 0) await searchNames(world.gateway);
      },
      async (world) => {
        const { gateway } = world;
        await askIndexRotation(gateway);
        const { rotation } = await finishRotation(gateway);
        // Two batches a turn, and the first turn was given up after its first.
        expect(batches).toBe(3);
        expect(rotation?.index).toMatchObject({ indexed: 600, records: 600 });
        expect((await search(gateway, { name: "林小满7" })).records).toHaveLength(1);
        expect(await indexRowsOf(world.owner)).toEqual({ "2": 1_200 });
      },
    );
  });

  it("is a search between two batches of the rebuild, by a process that has just opened the keys", async () => {
    const found: number[] = [];
    await betweenBatches(
      async (world) => {
        const fresh = await openGateway(world);
        for (let n = 0; n < 600; n += 12) found.push(await hits(fresh, `138${10_000_000 + n}`));
        await fresh.close();
      },
      async ({ gateway }) => {
        await askIndexRotation(gateway);
        await finishRotation(gateway);
      },
    );
    expect(found).toEqual(Array(100).fill(1));
  });

  it("is a purge, which leaves no row and no key, and the rotation is given up", async () => {
    await inWorld(
      async (world) => {
        const { gateway, owner } = world;
        await populate(gateway);
        await untilTheFence(world);
        const { job } = await orderPurge(gateway);
        await approvePurge(gateway, job);
        for (let turns = 0; turns < 100 && (await stateOf(owner)).step !== "certified"; turns++) {
          await gateway.keeper.tick();
          await new Promise((resolve) => setTimeout(resolve, 50));
        }
        expect(await owner.query("select step from postern.rotation")).toEqual([["abandoned"]]);
        expect(await indexRowsOf(world.owner)).toEqual({});
        expect(await owner.query("select count(*)::int from postern.contract_key where contract_id = 'c-test'")).toEqual([[0]]);
      },
      { keeper: { fenceWaitMs: 500 } },
    );
  });
});

describe("who orders a new index key", () => {
  it("joins the rotation that makes one, and not one that leaves the index key where it is", async () => {
    await inWorld(async ({ gateway }) => {
      await populate(gateway);
      const first = await Promise.all([askIndexRotation(gateway), askIndexRotation(gateway)]);
      const jobs = [...first, await askRotation(gateway)];
      expect(new Set(jobs.map(({ job }) => job)).size).toBe(1);
      await finishRotation(gateway);
      await askRotation(gateway);
      const body = { confirm: "c-test", index: true };
      const asked = await gateway.call("POST", "/v1/contracts/c-test/keys/rotate", { as: "owner-1", body });
      expect([asked.status, ((await asked.json()) as { code: string }).code]).toEqual([409, "wrong_state"]);
      for (const index of ["true", 1, null]) {
        const odd = await gateway.call("POST", "/v1/contracts/c-test/keys/rotate", { as: "owner-1", body: { confirm: "c-test", index } });
        expect(odd.status).toBe(422);
      }
    });
  });
});

describe("a record that does not open", () => {
  it("stops the rebuild with nothing lost, until it is imported again", async () => {
    await inWorld(
      async (world) => {
        const { gateway, owner } = world;
        await populate(gateway);
        const damaged = (await search(gateway, { phone: "13810000007" })).records[0]?.locator ?? "";
        await owner.query("update postern.record set level2 = sha256(level2) where contract_id = 'c-test' and locator = $1", [damaged]);
        await askIndexRotation(gateway);
        await expect(gateway.keeper.tick()).rejects.toThrow(/^a record does not open, so its index rows cannot be made anew$/);
        expect(await showKeys(gateway)).toMatchObject({ index: { generation: 1 }, rotation: { step: "rewrap" } });
        expect(await hits(gateway, "13810000008")).toBe(1);
        await importLines(gateway, [{ id: "U7", name: "林小满", phone: "13810000007" }]);
        await finishRotation(gateway);
        expect(await hits(gateway, "13810000007")).toBe(1);
        expect(await indexRowsOf(world.owner)).toEqual({ "2": 20 });
      },
      { keeper: { leaseMs: 400 } },
    );
  });
});
