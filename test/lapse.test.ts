/** Records that were kept for as long as was agreed: what goes, what stays, and a process that is killed meanwhile, on a real Postgres. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { ageRulesOf } from "../src/erasure/age.ts";
import { replayDeletions, selectUndone } from "../src/erasure/index.ts";
import type { ContractId } from "../src/kernel/index.ts";
import { createFileShareStore } from "../src/keys/file-share-store.ts";
import type { Deletion } from "../src/keys/index.ts";
import { createPostgresShareStore, shareStoreSchema } from "../src/keys/postgres-share-store.ts";
import type { Bundle } from "../src/policy/index.ts";
import { checkTombstones } from "../src/start-checks.ts";
import type { Database } from "../src/storage/index.ts";
import { type AgedWorld, countsOf, createAgedWorld, lapsesOf, old, records, tick } from "./support/aged-world.ts";
import { expectStatus, importLines, search } from "./support/agreement.ts";
import { createPostgresDatabase, openTestPool } from "./support/databases.ts";
import { isLong } from "./support/long.ts";
import type { Moment } from "./support/purge-child.ts";
import { type Copy, runKeeper } from "./support/purge-kill.ts";
import { dumpOf, entriesOf, openGateway, purge, verifyLog } from "./support/purge-world.ts";
import { erase } from "./support/rotation.ts";

const moments: readonly Moment[] = [
  "before records.lapsed.intent",
  "after records.lapsed.intent",
  "after note",
  "uncommitted lapse of records.lapsed.intent",
  "committed lapse of records.lapsed.intent",
  "before records.lapsed.done",
  "after records.lapsed.done",
];

let world: AgedWorld;
const inCopy = (work: (copy: Copy, owner: Database) => Promise<void>) => world.inCopy(work);

beforeAll(async () => {
  world = await createAgedWorld();
});
afterAll(() => world.close());

describe("what was not imported for longer than was agreed", () => {
  it("is counted first, for owners and officers alone, and stays where it is", async () => {
    await inCopy(async (copy, owner) => {
      const gateway = await openGateway(copy);
      const ask = (as: string) => gateway.call("GET", "/v1/contracts/c-test/retention", { as });
      const shown = await (await expectStatus(ask("owner-1"), 200)).json();
      expect(shown).toMatchObject({
        held: false,
        types: [
          { type: "customer", records, kept_days: 30, due: old },
          { type: "order", records: 1, kept_days: 60, due: 0 },
        ],
      });
      expect((await ask("officer")).status).toBe(200);
      expect([(await ask("agent-1")).status, (await ask("owner-b1")).status]).toEqual([403, 404]);
      expect((await countsOf(owner))[0]).toBe(records);
      await gateway.close();
    });
  });

  it("goes with what it is found by and the keys of people of whom nothing is left, and is said before and after", async () => {
    await inCopy(async (copy, owner) => {
      await tick(copy);
      expect(await countsOf(owner)).toEqual([records - old, 1, records - old + 1, records - old]);
      const said = await lapsesOf(owner);
      expect(said.map(({ event, outcome }) => [event, outcome.code])).toEqual([
        ["records.lapsed.intent", "retention"],
        ["records.lapsed.done", "retention"],
      ]);
      const older = expect.arrayContaining([expect.stringMatching(/^customer before \d{4}-\d\d-\d\dT00:00:00\.000Z$/)]);
      expect(said[1]?.facts).toMatchObject({ older, records: old, index_rows: old, subject_keys: old - 1, epoch: 1 });
      expect(await dumpOf(owner, "c-other")).toEqual(world.neighbourBefore);
      const gateway = await openGateway(copy);
      expect((await search(gateway, { phone: "13810000000" })).records).toEqual([]);
      expect(await verifyLog(gateway, world.trust)).toMatchObject({ ok: true, problems: [] });
      await gateway.keeper.tick();
      expect(await lapsesOf(owner)).toHaveLength(2);
      await gateway.close();
    });
  });

  it("stays where the merchant has imported it again", async () => {
    await inCopy(async (copy, owner) => {
      const gateway = await openGateway(copy);
      await importLines(gateway, [{ id: "U0", name: "林小满", phone: "13810000000" }]);
      await gateway.keeper.tick();
      expect((await countsOf(owner))[0]).toBe(records - old + 1);
      expect((await search(gateway, { phone: "13810000000" })).records).toHaveLength(1);
      await gateway.close();
    });
  });

  it.each([
    ["the contract", "'contract', null, null, null", 0],
    ["a person", "'subject', 'customer', (select subject from postern.record where type = 'order'), null", old - 1],
    ["a field of its type", "'field', 'customer', null, 'phone'", 0],
    ["a field of another type", "'field', 'order', null, 'address'", old],
  ])("stays while a hold on %s stands", async (_what, scope, gone) => {
    await inCopy(async (copy, owner) => {
      await owner.query(
        `insert into postern.hold (contract_id, hold_id, scope, type, subject, path, basis, note, authority, placed_issuer, placed_subject)
         select 'c-test', 'h-1', ${scope}, 'litigation', '', '', 'demo', 'owner-1'`,
      );
      await tick(copy);
      expect((await countsOf(owner))[0]).toBe(records - gone);
      await owner.query("update postern.hold set released_at = now()");
      await tick(copy);
      expect((await countsOf(owner))[0]).toBe(records - old);
      const counted = await owner.query("select sum(records)::int from postern.partial_purge");
      expect(counted).toEqual([[old]]);
    });
  });

  it("stays while the database's clock is doubted", async () => {
    await inCopy(async (copy, owner) => {
      await owner.query("insert into postern.clock (beat_at) values (now()) on conflict do nothing");
      await owner.query("update postern.clock set beat_at = now() - interval '3650 days'");
      for (let turn = 0; turn < 3; turn++) await tick(copy);
      expect((await countsOf(owner))[0]).toBe(records);
      expect(await lapsesOf(owner)).toEqual([]);
    });
  });

  it("is the purge's, once that has begun", async () => {
    await inCopy(async (copy, owner) => {
      await owner.query(
        `insert into postern.partial_purge (contract_id, job_id, basis, step, rules, lease_until)
         values ('c-test', 'l-1', 'retention', 'requested', '{"customer":{"before":"2099-01-01T00:00:00.000Z"}}', now() + interval '1 hour')`,
      );
      const gateway = await openGateway(copy);
      await purge(gateway);
      await owner.query("update postern.partial_purge set lease_until = null");
      await gateway.keeper.tick();
      expect(await owner.query("select step, records::int from postern.partial_purge")).toEqual([["abandoned", 0]]);
      await gateway.close();
    });
  });
});

describe.concurrent("deleting by age is killed and taken up by another process", () => {
  it.each(isLong ? moments : moments.slice(4, 5))("%s", { timeout: 120_000 }, async (moment) => {
    await inCopy(async (copy, owner) => {
      expect(await runKeeper(copy, moment, "partial_purge")).toBe("SIGKILL");
      const [left] = await countsOf(owner);
      const events = (await lapsesOf(owner)).map(({ event }) => event);
      if (left !== records) expect(events).toContain("records.lapsed.intent");
      if (events.includes("records.lapsed.done")) expect(left).toBe(records - old);
      await Promise.all([runKeeper(copy, null, "partial_purge"), runKeeper(copy, null, "partial_purge")]);
      expect(await countsOf(owner)).toEqual([records - old, 1, records - old + 1, records - old]);
      const [intent, done, ...others] = await lapsesOf(owner);
      expect([intent?.event, done?.event, others]).toEqual(["records.lapsed.intent", "records.lapsed.done", []]);
      expect(done?.facts).toMatchObject({ records: old, index_rows: old, subject_keys: old - 1 });
      expect(await dumpOf(owner, "c-other")).toEqual(world.neighbourBefore);
    });
  });
});

describe("a database that was restored from before", () => {
  it("is served to nobody until what was erased, and what was too old, is gone from it again", { timeout: 60_000 }, async () => {
    await inCopy((live, liveOwner) =>
      inCopy(async (copy, owner) => {
        const gateway = await openGateway(live);
        await gateway.keeper.tick();
        await importLines(gateway, [{ id: "U1", name: "林小满", phone: "13810000001" }]);
        const { locator } = await erase(gateway, "U1");
        await gateway.close();
        const shares = createFileShareStore(live.shareDirectory);
        await checkTombstones(liveOwner, shares);
        const edge = openTestPool(copy.edgeUrl, { poolSize: 1 });
        await expect(checkTombstones(edge, shares)).rejects.toThrow(
          /^something of contract c-test was deleted \(job [0-9a-f-]{36}\) and this database, restored from before, has it again, and 1 more: run `postern tombstones`$/,
        );
        const restored = await openGateway({ ...copy, shareDirectory: live.shareDirectory });
        await restored.keeper.patrol();
        const ready = (await (await restored.call("GET", "/readyz")).json()) as { alarms?: Record<string, string> };
        expect(ready.alarms?.purged).toMatch(/^2 places/);
        const { database } = restored.keeper.purge;
        expect((await selectUndone(database, shares)).map(({ what }) => what)).toEqual([
          { rules: expect.objectContaining({ customer: { before: expect.any(String) } }), basis: "retention" },
          { subject: locator, type: "customer" },
        ]);
        expect((await countsOf(owner))[0]).toBe(records);
        expect(await replayDeletions(restored.keeper.purge)).toHaveLength(2);
        const kept = "select locator from postern.record where contract_id = 'c-test' and type = 'customer' order by 1";
        expect(await owner.query(kept)).toEqual(await liveOwner.query(kept));
        expect((await countsOf(owner))[2]).toBe((await countsOf(liveOwner))[2]);
        const { "postern.record": others } = await dumpOf(owner, "c-other");
        expect(others).toEqual(world.neighbourBefore["postern.record"]);
        await checkTombstones(edge, shares);
        expect(await replayDeletions(restored.keeper.purge)).toEqual([]);
        const said = (await entriesOf(owner, "gateway")).filter(({ event }) => event === "deletion.replayed");
        expect(said.map(({ outcome }) => outcome.code)).toEqual(["retention", "erasure"]);
        await Promise.all([restored.close(), edge.close()]);
      }),
    );
  });

  it("keeps its notes until its contract is buried, in files and in a database alike", async () => {
    const directory = mkdtempSync(join(tmpdir(), "postern-notes-"));
    const server = await createPostgresDatabase();
    const database = openTestPool(server.ownerUrl, { poolSize: 1 });
    await database.script(shareStoreSchema);
    for (const store of [createFileShareStore(directory), createPostgresShareStore(database)]) {
      const [first, second, other] = [note("c.one", "0199-1"), note("c.one", "0199-2"), note("c.one.two", "0199-3")];
      for (const deletion of [other, second, first, { ...first, what: "otherwise" }]) await store.note(deletion);
      expect(await store.deletions()).toEqual([first, second, other]);
      await store.bury("c.one" as ContractId);
      expect(await store.deletions()).toEqual([other]);
    }
    await database.close();
    await server.drop();
    rmSync(directory, { recursive: true });
  });
});

function note(contract: string, job: string): Deletion {
  return { contract: contract as ContractId, job, what: "{}" };
}

describe("the days that a record is kept", () => {
  const contract = { retentionDays: { order: 30 } } as unknown as Bundle["contract"];
  it("are whole ones: what goes changes at midnight UTC, and never a moment before the days are over", () => {
    const at = (time: string) => ageRulesOf(contract, Date.parse(time));
    expect(at("2026-03-31T00:00:00Z")).toEqual({ order: { before: "2026-03-01T00:00:00.000Z" } });
    expect(at("2026-03-31T23:59:59Z")).toEqual({ order: { before: "2026-03-01T00:00:00.000Z" } });
    expect(ageRulesOf({ ...contract, retentionDays: undefined } as unknown as Bundle["contract"], 0)).toBeNull();
  });
});
