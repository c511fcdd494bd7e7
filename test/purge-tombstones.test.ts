/** What was purged stays so: a database restored from before is not served, is purged again by one command, and a row that comes back is found. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { ContractId } from "../src/kernel/index.ts";
import { createFileShareStore } from "../src/keys/file-share-store.ts";
import { createPostgresShareStore, shareStoreSchema } from "../src/keys/postgres-share-store.ts";
import { dyingStores } from "../src/purge/plan.ts";
import { planReplay, replayTombstones } from "../src/purge/tombstones.ts";
import { checkTombstones } from "../src/start-checks.ts";
import type { Database } from "../src/storage/index.ts";
import { createPostgresDatabase, openTestPool } from "./support/databases.ts";
import type { Gateway } from "./support/gateway.ts";
import { type ApprovedPurge, type Copy, makeApprovedPurge } from "./support/purge-kill.ts";
import { dumpOf, entriesOf, openGateway, stateOf } from "./support/purge-world.ts";

let approved: ApprovedPurge;
let [live, backup]: Copy[] = [];
/** Over the backup, with the keys and shares of today. */
let restored: Gateway;
let owner: Database;
const shares = () => createFileShareStore(live?.shareDirectory ?? "");

beforeAll(async () => {
  approved = await makeApprovedPurge();
  [live, backup] = [await approved.copy(), await approved.copy()];
  const gateway = await openGateway(live);
  await gateway.keeper.tick();
  await gateway.close();
  restored = await openGateway({ ...backup, shareDirectory: live.shareDirectory });
  owner = openTestPool(backup.ownerUrl, { poolSize: 2 });
});
afterAll(async () => {
  await Promise.all([restored.close(), owner.close()]);
  await live?.remove();
  await backup?.remove();
  await approved.remove();
});

describe("a database that was restored from before a purge", () => {
  it("is not served, and the refusal names contract, day and cure", async () => {
    await expect(checkTombstones(owner, shares())).rejects.toThrow(
      /^contract c-test was purged \(20[0-9-]+T[0-9:.]+Z\) and this database, restored from before, has it active again: run `postern tombstones`$/,
    );
    expect((await stateOf(owner)).contract).toBe("active");
  });

  it("opens nothing of the contract even where a process runs over it already", async () => {
    const answer = await restored.call("POST", "/v1/contracts/c-test/records/customer/search", {
      as: "agent-1",
      body: { by: { id: "U1" } },
    });
    expect(answer.status).toBe(503);
  });

  it("is told of in the log, once a day, by whoever patrols", async () => {
    await restored.keeper.patrol();
    await restored.keeper.patrol();
    const alarms = (await entriesOf(owner, "gateway")).filter(({ event }) => event === "purge.tripwire");
    expect(alarms.map(({ facts }) => facts)).toEqual([{ contract: "c-test", table: "postern.contract" }]);
    const ready = (await (await restored.call("GET", "/readyz")).json()) as { alarms?: Record<string, string> };
    expect(ready.alarms?.purged).toMatch(/^1 places/);
  });

  it("shows what a replay would delete, and changes nothing", async () => {
    const before = await dumpOf(owner, "c-test");
    const [only, ...others] = await planReplay(restored.keeper.purge);
    expect(only).toMatchObject({ contract: "c-test", state: "active", rows: { "postern.record": 20, "postern.subject_key": 20 } });
    expect(others).toEqual([]);
    expect(await dumpOf(owner, "c-test")).toEqual(before);
  });

  it("is purged again by the replay, and nothing else in it is touched", async () => {
    const neighbour = await dumpOf(owner, "c-other");
    expect(await replayTombstones(restored.keeper.purge)).toHaveLength(1);
    for (const table of dyingStores) expect(await owner.query(`select 1 from ${table} where contract_id = 'c-test'`)).toEqual([]);
    expect(await owner.query("select share_a from postern.key_epoch where contract_id = 'c-test'")).toEqual([[null]]);
    expect((await stateOf(owner)).contract).toBe("purged");
    expect(await dumpOf(owner, "c-other")).toEqual(neighbour);
    await checkTombstones(owner, shares());
    expect(await replayTombstones(restored.keeper.purge)).toEqual([]);
    const said = (await entriesOf(owner, "gateway")).filter(({ event }) => event === "purge.replayed");
    expect(said.map(({ facts }) => facts)).toMatchObject([{ contract: "c-test", state: "active", rows: { "postern.record": 20 } }]);
  });

  it("is looked at for ever: a row that comes back is found", async () => {
    await restored.keeper.patrol();
    expect((await (await restored.call("GET", "/readyz")).json()) as object).not.toHaveProperty("alarms");
    await owner.query("insert into postern.seat values ('c-test', 'demo', 'ghost', 'first_line', 'ghost', 'ghost')");
    await restored.keeper.patrol();
    const alarms = (await entriesOf(owner, "gateway")).filter(({ event }) => event === "purge.tripwire");
    expect(alarms.at(-1)?.facts).toEqual({ contract: "c-test", table: "postern.seat" });
    expect((await (await restored.call("GET", "/readyz")).json()) as object).toMatchObject({
      status: "ok",
      alarms: { purged: expect.any(String) },
    });
  });
});

describe("a tombstone", () => {
  const contract = "c-dead" as ContractId;
  const share = new Uint8Array(32).fill(7);

  it("stands in a directory, with its first date, and no share is put there again", async () => {
    const store = shares();
    await store.put(contract, 1, share);
    await store.bury(contract);
    const first = (await store.buried()).get(contract);
    await store.bury(contract);
    await store.destroy(contract, 1);
    expect((await store.buried()).get(contract)).toBe(first);
    await expect(store.put(contract, 1, share)).rejects.toThrow("never used again");
  });

  it("stands in a database of its own, with its first date, and no share is put there again", async () => {
    const database = await createPostgresDatabase();
    const pool = openTestPool(database.ownerUrl, { poolSize: 1 });
    await pool.script(shareStoreSchema);
    const store = createPostgresShareStore(pool);
    await store.put(contract, 1, share);
    expect(await store.get(contract, 1)).toEqual(share);
    expect((await store.buried()).size).toBe(0);
    await store.bury(contract);
    await store.bury(contract);
    expect([...(await store.buried())]).toEqual([[contract, expect.stringMatching(/^20.*Z$/)]]);
    await store.destroy(contract, 1);
    await expect(store.put(contract, 1, share)).rejects.toThrow("never used again");
    expect(await store.get(contract, 1)).toBe(null);
    await pool.close();
    await database.drop();
  });
});
