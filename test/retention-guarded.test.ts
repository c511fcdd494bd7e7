/** What a log's retention never does, whoever asks: younger entries, others' logs, a hidden theft. On a real Postgres. */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { readEntry, selectEntriesAt, selectIndexesOfEvent, selectLog, type Trust } from "../src/audit/index.ts";
import { ConfigRefused, readOperatorFile } from "../src/operator-settings.ts";
import { bringIntoForce, importLines } from "./support/agreement.ts";
import { agreeOnTrust, createLogGateway, type LogGateway, verifyLog } from "./support/log-gateway.ts";
import { pruneOnce, writeLongAgo } from "./support/long-ago.ts";
import { disarmTriggers, whileTampered } from "./support/stored-log.ts";

const day = 86_400_000;
const month = 30.5 * day;
const denied = { sqlState: "42501" };

let world: LogGateway;
let trust: Trust;

const minIndexOf = async (log: string) => (await selectLog(world.owner, log))?.minIndex;
const entriesOf = async (log: string) => {
  const found = await selectEntriesAt(world.owner, log, await selectIndexesOfEvent(world.owner, log, "audit.pruned"));
  return found.flatMap(({ bytes }) => (bytes && readEntry(bytes)) ?? []);
};

afterAll(() => world?.close());

describe("what a log's retention may remove", () => {
  beforeAll(async () => {
    world = await createLogGateway({ keeper: { retentionMonths: 1_200 } });
    trust = await agreeOnTrust(world.gateway);
    await writeLongAgo(world, { from: Date.now() - 44 * month, entries: 600, stepMs: (5 * month) / 120 });
    await writeLongAgo(world, { from: Date.now() - 20 * month, entries: 300, stepMs: (2 * month) / 60 });
  }, 60_000);

  it("is nothing that the keeper deletes by itself, nor the places and keys that it would have to change", async () => {
    for (const statement of [
      "delete from audit.flush where log = 'c-test'",
      "delete from audit.seq where log = 'c-test'",
      "update audit.log set min_index = 512 where log = 'c-test'",
      "delete from postern.audit_key where log = 'c-test'",
      "update postern.audit_key set wrapped = '' where log = 'c-test'",
      "delete from audit.pruning",
    ])
      await expect(world.keeper.query(statement)).rejects.toMatchObject(denied);
    await expect(world.edge.query("select audit.prune('c-test')")).rejects.toMatchObject(denied);
    await expect(world.edge.query("select from audit.pruning")).rejects.toMatchObject(denied);
  });

  it("is nothing younger than three years by the database's own clock, whatever the row that asks says", async () => {
    const ask = (name: string, firstKept: number) =>
      world.keeper.query(
        `insert into audit.pruning values ('c-test', $1, $2, '', '[]', 'c-test', 'made-up', false)
         on conflict (log) do update set month = $1, first_kept = $2, entry_id = 'made-up', done = false`,
        [name, firstKept],
      );
    const young = new Date(Date.now() - 36 * month).toISOString().slice(0, 7);
    await ask(young, 256);
    await expect(world.keeper.query("select audit.prune('c-test')")).rejects.toMatchObject(denied);
    // An old month, and places that are not.
    await ask("2020-01", 768);
    await expect(world.keeper.query("select audit.prune('c-test')")).rejects.toMatchObject(denied);
    await ask("2020-01", 999_936);
    await expect(world.keeper.query("select audit.prune('c-test')")).rejects.toMatchObject(denied);
    await ask("pseudonym", 256);
    await expect(world.keeper.query("select audit.prune('c-test')")).rejects.toMatchObject(denied);
    expect(await minIndexOf("c-test")).toBe(0);
    await world.owner.query("delete from audit.pruning");
  });

  it("is not even the owner's to remove past the trigger: not above the first kept place, nor what is young", async () => {
    await expect(world.owner.query("delete from audit.flush where log = 'c-test'")).rejects.toMatchObject(denied);
    const early = world.owner.transaction(async (tx) => {
      await tx.query("update audit.log set min_index = 768 where log = 'c-test'");
      await tx.query("delete from audit.seq where log = 'c-test' and index between 600 and 700");
    });
    await expect(early).rejects.toMatchObject(denied);
  });

  it("goes no further than the floor when a keeper is set up to keep for less", async () => {
    await expect(pruneOnce(world, { months: 1 })).rejects.toMatchObject(denied);
    await world.owner.query("update audit.pruning set lease_until = null, done = true");
    expect(await minIndexOf("c-test")).toBe(512);
    expect(await verifyLog(world.gateway, trust)).toMatchObject({ ok: true, prunedBefore: 512 });
  });
});

describe("a log that was pruned, in the hands of somebody who may write in the database", () => {
  beforeAll(async () => {
    await world?.close();
    world = await createLogGateway({ keeper: { retentionMonths: 1_200 } });
    trust = await agreeOnTrust(world.gateway);
    await writeLongAgo(world, { from: Date.now() - 44 * month, entries: 900, stepMs: (5 * month) / 180 });
    await writeLongAgo(world, { from: Date.now() - 20 * month, entries: 300, stepMs: (2 * month) / 60 });
    await pruneOnce(world);
    await pruneOnce(world);
    expect(await verifyLog(world.gateway, trust)).toMatchObject({ ok: true, prunedBefore: 768 });
    await disarmTriggers(world.owner);
  }, 60_000);

  const flip = (column: string, at: number) => `${column} = set_byte(${column}, ${at}, get_byte(${column}, ${at}) # 1)`;
  const first = "log = 'c-test' and index = (select min(index) from audit.seq where log = 'c-test')";
  const cases = [
    ["a hash of what is gone", `update audit.subtree set ${flip("root", 3)} where log = 'c-test' and index = 1`, "pruned_edge", null],
    ["a hash of what is gone that is missing", "delete from audit.subtree where log = 'c-test' and index = 0", "pruned_edge", null],
    ["a hash of the gone part of the first flush", `update audit.seq set ${flip("leaf_hashes", 3)} where ${first}`, "pruned_edge", null],
    ["a first kept entry", `update audit.seq set ${flip("leaf_hashes", 4 * 32)} where ${first}`, "entry_changed", 769],
    ["a first kept flush that is gone", `delete from audit.seq where ${first}`, "entry_missing", 768],
  ] as const;

  it.each(cases)("shows %s", async (_name, statement, code, firstBad) => {
    const verdict = await whileTampered(
      world.owner,
      () => world.owner.query(statement),
      () => verifyLog(world.gateway, trust),
    );
    expect(verdict.ok).toBe(false);
    expect(verdict.problems.map((problem) => problem.code)).toContain(code);
    expect(verdict.firstBad).toBe(firstBad);
    expect(await verifyLog(world.gateway, trust)).toMatchObject({ ok: true, problems: [] });
  });

  /** As somebody would leave it who has everything but the log key. */
  const whileRowSays = async (change: string, back: string) => {
    await world.owner.query(change);
    const verdict = await verifyLog(world.gateway, trust);
    await world.owner.query(back);
    expect(await verifyLog(world.gateway, trust)).toMatchObject({ ok: true, problems: [] });
    return { ok: verdict.ok, firstBad: verdict.firstBad, codes: verdict.problems.map(({ code }) => code) };
  };
  const place = (index: number) => `update audit.log set min_index = ${index} where log = 'c-test'`;

  it("shows that it begins earlier than what it holds", async () => {
    const moved = await whileRowSays(place(512), place(768));
    expect(moved).toMatchObject({ ok: false, firstBad: 512, codes: expect.arrayContaining(["pruned_unproven", "entry_missing"]) });
    const none = await whileRowSays(place(0), place(768));
    expect(none).toMatchObject({ ok: false, firstBad: 0, codes: expect.arrayContaining(["entry_missing"]) });
  });

  it("shows that more of it was taken away than its entry speaks of, or that no entry does", async () => {
    const unproven = { ok: false, codes: expect.arrayContaining(["pruned_unproven"]) };
    expect(await whileRowSays(place(1024), place(768))).toMatchObject(unproven);
    const [[id] = []] = await world.owner.query("select proof_id from audit.pruning where log = 'c-test'");
    const said = (entry: unknown) => `update audit.pruning set proof_id = '${String(entry)}' where log = 'c-test'`;
    const [[other] = []] = await world.owner.query(
      "select flush_id from audit.seq where log = 'c-test' and index > 800 order by index limit 1",
    );
    for (const wrong of [other, "made-up"]) expect(await whileRowSays(said(wrong), said(id))).toMatchObject(unproven);
  });
});

describe("logs that cannot speak for themselves", () => {
  beforeEach(async () => {
    await world?.close();
    world = await createLogGateway({ keeper: { retentionMonths: 1_200 } });
  }, 60_000);

  it("have it said by the gateway log where they are frozen, and verify by that", async () => {
    trust = await agreeOnTrust(world.gateway);
    await importLines(world.gateway, [{ id: "U1", name: "王小明" }]);
    await writeLongAgo(world, { from: Date.now() - 44 * month, entries: 600, stepMs: (5 * month) / 120 });
    await world.owner.query(
      "update postern.contract set ends_at = now() - interval '8 days', purge_due_at = now() where contract_id = 'c-test'",
    );
    for (let ticks = 0; ticks < 8; ticks++) await world.gateway.keeper.tick();
    expect((await selectLog(world.owner, "c-test"))?.state).toBe("frozen");
    await pruneOnce(world);
    await pruneOnce(world);
    expect(await entriesOf("c-test")).toEqual([]);
    expect((await entriesOf("gateway")).at(-1)?.facts).toMatchObject({ contract: "c-test", log: "test/postern/c-test", first_kept: 512 });
    expect(await verifyLog(world.gateway, trust)).toMatchObject({ ok: true, prunedBefore: 512, problems: [] });
  }, 60_000);

  it("are told apart: the gateway's own is pruned in itself, and goes on", async () => {
    await writeLongAgo(world, { log: "gateway", from: Date.now() - 44 * month, entries: 600, stepMs: (5 * month) / 120 });
    await pruneOnce(world, { held: async (log) => log === "gateway" });
    expect(await minIndexOf("gateway")).toBe(0);
    await pruneOnce(world);
    await pruneOnce(world);
    expect(await minIndexOf("gateway")).toBe(512);
    await bringIntoForce(world.gateway);
    await world.gateway.keeper.sequence();
    await world.gateway.keeper.patrol();
    const tile = (await world.gateway.call("GET", "/log/gateway/tile/0/000")).status;
    const upper = (await world.gateway.call("GET", "/log/gateway/tile/1/000.p/2")).status;
    const receipt = (await world.gateway.call("GET", "/log/gateway/proof/600")).status;
    expect({ tile, upper, receipt }).toEqual({ tile: 410, upper: 200, receipt: 200 });
  }, 60_000);
});

describe("a flush of an old name among young ones", () => {
  it("takes nothing young along, and nothing that is younger than it is said to be", async () => {
    await world?.close();
    world = await createLogGateway({ keeper: { retentionMonths: 1_200 } });
    trust = await agreeOnTrust(world.gateway);
    await world.gateway.keeper.sequence();
    await writeLongAgo(world, { from: Date.now() - 44 * month, entries: 600, stepMs: (5 * month) / 120 });
    await pruneOnce(world);
    await pruneOnce(world);
    expect(await minIndexOf("c-test")).toBe(0);
    expect(await verifyLog(world.gateway, trust)).toMatchObject({ ok: true, prunedBefore: 0 });
  }, 60_000);
});

describe("a keeper's own upkeep", () => {
  it("leaves a contract's log and the gateway's alone while a hold stands on the contract, and prunes both once none does", async () => {
    await world?.close();
    world = await createLogGateway();
    trust = await agreeOnTrust(world.gateway);
    await world.owner.query(
      `insert into postern.hold (contract_id, hold_id, scope, basis, note, authority, placed_issuer, placed_subject)
       values ('c-test', 'h1', 'contract', 'litigation', '', '', 'demo', 'owner-1')`,
    );
    for (const log of ["gateway", "c-test"])
      await writeLongAgo(world, { log, from: Date.now() - 44 * month, entries: 300, stepMs: (5 * month) / 60, numbered: "later" });
    await world.gateway.keeper.sequence();
    const upkeep = async () => {
      await world.gateway.keeper.tick();
      await world.gateway.keeper.tick();
      return [await minIndexOf("c-test"), await minIndexOf("gateway")];
    };
    expect(await upkeep()).toEqual([0, 0]);
    await world.owner.query("update postern.hold set released_at = now()");
    expect(await upkeep()).toEqual([256, 256]);
    expect(await verifyLog(world.gateway, trust)).toMatchObject({ ok: true, prunedBefore: 256 });
    expect(world.gateway.faults).toEqual([]);
  }, 60_000);
});

describe("how long a log is kept", () => {
  const file = (retention: string) => `issuers: [{ id: demo, built_in: true }]\nmerchants: {}\n${retention}\n`;
  const read = (retention: string, production = false) => readOperatorFile(file(retention), "postern.yaml", production).retention;

  it("is three years and a month, or what the operator says", () => {
    expect(read("").months).toBe(37);
    expect(read("retention: { months: 60 }").months).toBe(60);
  });

  it("is not less than three years, but for tests", () => {
    expect(() => read("retention: { months: 35 }")).toThrow(
      "postern.yaml: retention.months: must be at least 36: records of processing are kept for three years",
    );
    expect(read("retention: { months: 1, insecureBelowFloor: true }").months).toBe(1);
    const production = file("retention: { months: 1, insecureBelowFloor: true }").replace(
      "{ id: demo, built_in: true }",
      "{ id: idp, issuer: i, jwks: 'https://idp.example/k' }",
    );
    expect(() => readOperatorFile(production, "postern.yaml", true)).toThrow(ConfigRefused);
  });
});
