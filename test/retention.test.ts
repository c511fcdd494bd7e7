/** The log's retention, on a real Postgres: entries of years ago, and a keeper whose upkeep meets them. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { signCheckpoint } from "../src/audit/checkpoint.ts";
import { readEntry, selectEntriesAt, selectIndexesOfEvent, selectLog, type Trust, verifyReceipt } from "../src/audit/index.ts";
import { readRoot } from "../src/audit/log-tiles.ts";
import { rebuildSearch } from "../src/audit/search.ts";
import { isConsistent, leafHash, rootFromInclusion } from "../src/audit/tree.ts";
import { createPump, type Sink } from "../src/copies/index.ts";
import { fromBase64, verifySignature } from "../src/crypto/index.ts";
import { expectStatus } from "./support/agreement.ts";
import { agreeOnTrust, createLogGateway, type LogGateway, verifyLog } from "./support/log-gateway.ts";
import { dyingAt, pruneOnce, writeLongAgo } from "./support/long-ago.ts";
import { newestCheckpoint } from "./support/stored-log.ts";

const day = 86_400_000;
const month = 30.5 * day;
const officer = { as: "officer" } as const;

let world: LogGateway;
let trust: Trust;

const minIndexOf = async (log: string) => (await selectLog(world.owner, log))?.minIndex;
const keysOf = async (log: string) => {
  const rows = await world.owner.query("select purpose from postern.audit_key where log = $1 and purpose <> 'pseudonym' order by 1", [log]);
  return rows.map(([purpose]) => String(purpose));
};
const prunedIn = async (log: string) => {
  const found = await selectEntriesAt(world.owner, log, await selectIndexesOfEvent(world.owner, log, "audit.pruned"));
  return found.map(({ bytes }) => (bytes ? readEntry(bytes) : null)?.facts);
};
const get = (path: string) => world.gateway.call("GET", path, officer);
const problemOf = async (path: string) => {
  const answer = await get(path);
  return { status: answer.status, ...((await answer.json()) as { code: string; errors: unknown }) };
};

afterAll(() => world?.close());

describe("a log whose oldest months are past their retention", () => {
  let ids: string[];
  let oldReceipt: string;
  /** Of all that there was then, and of a size that is going to be pruned. */
  let oldCheckpoints: readonly [string, string];

  beforeAll(async () => {
    world = await createLogGateway({ keeper: { retentionMonths: 1_200 } });
    trust = await agreeOnTrust(world.gateway);
    // 600 entries in five months, the youngest of them 39 months ago.
    ids = await writeLongAgo(world, { from: Date.now() - 44 * month, entries: 600, stepMs: (5 * month) / 120 });
    oldReceipt = await (await expectStatus(get(`/log/c-test/receipt/${ids[10]}`), 200)).text();
    const older = { origin: "test/postern/c-test", size: 300, root: await readRoot(world.owner, "c-test", 300), extensions: [] };
    oldCheckpoints = [await newestCheckpoint({ owner: world.owner, log: "c-test" }), await signCheckpoint(older, world.logSigner)];
    expect(await verifyLog(world.gateway, trust, { seen: oldCheckpoints })).toMatchObject({ ok: true, prunedBefore: 0, seenPruned: 0 });
  }, 60_000);

  it("is told about beforehand, month by month, and nothing is changed by that", async () => {
    const said = (await (await expectStatus(get("/v1/contracts/c-test/audit/retention"), 200)).json()) as {
      months: { month: string; due: string; entries: number }[];
    };
    expect(said).toMatchObject({ retention_months: 1_200, held: false, pruned_before: 0 });
    expect(said.months.map(({ month: name }) => name)).toEqual(await keysOf("c-test"));
    expect(said.months.reduce((sum, { entries }) => sum + entries, 0)).toBe(512);
  });

  it("is left as it is by a keeper that keeps for longer, and while somebody's hold stands", async () => {
    await world.gateway.keeper.tick();
    await pruneOnce(world, { months: 60 });
    await pruneOnce(world, { held: () => Promise.resolve(true) });
    expect(await minIndexOf("c-test")).toBe(0);
    expect(await prunedIn("c-test")).toEqual([]);
    expect(await keysOf("c-test")).toHaveLength(9);
  });

  it("is not pruned while it is not what was signed, however little of it was changed", async () => {
    const changed = "(select flush_id from audit.seq where log = 'c-test' and index <= 300 order by index desc limit 1)";
    const flip = `alter table audit.flush disable trigger append_only;
      update audit.flush set entries = set_byte(entries, 60, get_byte(entries, 60) # 1) where log = 'c-test' and flush_id = ${changed};
      alter table audit.flush enable always trigger append_only;`;
    await world.owner.script(flip);
    for (let tries = 0; tries < 12; tries++) await pruneOnce(world).catch((fault: Error) => expect(fault.name).toBe("LogNotPruned"));
    await expect(pruneOnce(world)).rejects.toThrow("log c-test is not pruned: what is stored is not what was signed");
    expect(await minIndexOf("c-test")).toBeLessThan(300);
    await world.owner.script(flip);
  });

  it("loses whole tiles, their search rows and the months' keys, by an entry for each month that says so first", async () => {
    const keptKeys = (await keysOf("c-test")).slice(-2); // this month's and the next one's
    await Promise.all([pruneOnce(world), pruneOnce(world), pruneOnce(world)]);
    await pruneOnce(world);
    expect(await minIndexOf("c-test")).toBe(512);
    expect(await keysOf("c-test")).toEqual(keptKeys);
    for (const table of ["search", "search_subject"])
      expect(await world.owner.query(`select min(index)::int from audit.${table} where log = 'c-test'`)).toEqual([[512]]);
    // The flush that reaches over the first kept place is the first that stays.
    expect(await world.owner.query("select min(index)::int from audit.seq where log = 'c-test'")).toEqual([[510]]);
    expect(await world.owner.query("select count(*)::int from audit.flush f where log = 'c-test' and flush_id < '0199'")).toEqual([[18]]);
    const pruned = await prunedIn("c-test");
    expect(pruned.map((facts) => facts?.month)).toEqual([...new Set(pruned.map((facts) => facts?.month))]);
    expect(pruned).toHaveLength(7);
    expect(pruned.at(-1)).toMatchObject({ log: "test/postern/c-test", first_kept: 512, backup_horizon_hours: 720 });
    expect(pruned.map((facts) => facts?.key)).toEqual(pruned.map((facts) => `c-test/${facts?.month}`));
  });

  it("verifies offline from its first kept place on, and says so", async () => {
    const verdict = await verifyLog(world.gateway, trust, { seen: [oldCheckpoints[0]] });
    expect(verdict).toMatchObject({ ok: true, prunedBefore: 512, seenPruned: 0, problems: [] });
    expect(verdict.entries).toBe(verdict.size - 512);
  });

  it("proves with an old receipt what it does not hold any more", async () => {
    expect(await verifyReceipt({ text: oldReceipt, trust, kept: null, verifySignature })).toMatchObject({ ok: true, index: 10 });
  });

  it("cannot confirm a checkpoint of a size that is gone, and says that it could not", async () => {
    expect(await verifyLog(world.gateway, trust, { seen: oldCheckpoints })).toMatchObject({ ok: true, seenPruned: 1 });
  });

  it("answers for what is gone with a problem that says so", async () => {
    const gone = (pointer: string) => ({ status: 410, code: "pruned", errors: [{ pointer, code: "pruned" }] });
    expect(await problemOf("/log/c-test/tile/0/000")).toMatchObject(gone("path:tile"));
    expect(await problemOf("/log/c-test/tile/entries/001")).toMatchObject(gone("path:bundle"));
    expect(await problemOf("/log/c-test/proof/511")).toMatchObject(gone("path:leaf"));
    expect(await problemOf("/log/c-test/consistency?from=100")).toMatchObject(gone("query:from"));
    // In the flush that stays for the sake of its later entries, and in one that is gone altogether.
    expect(await problemOf(`/log/c-test/receipt/${ids[511]}`)).toMatchObject(gone("path:entry"));
    expect(await problemOf(`/log/c-test/receipt/${ids[10]}`)).toMatchObject({ status: 404, code: "not_found" });
  });

  it("serves tiles, entries, proofs and receipts of what is left, and the hashes above what is gone", async () => {
    const size = Number((await selectLog(world.owner, "c-test"))?.size);
    expect((await expectStatus(get("/log/c-test/tile/1/000.p/2"), 200)).headers.get("content-type")).toBe("application/octet-stream");
    await expectStatus(get("/log/c-test/tile/entries/002.p/8"), 200);
    await expectStatus(get(`/log/c-test/receipt/${ids[599]}`), 200);
    const note = (text: string) => text.slice(text.indexOf("\n\n") + 2).split("\n");
    const proof = await (await expectStatus(get("/log/c-test/proof/512"), 200)).text();
    const [, at, root = ""] = note(proof);
    const hashes = proof.slice(0, proof.indexOf("\n\n")).split("\n").slice(2).map(fromBase64);
    const [held] = await selectEntriesAt(world.owner, "c-test", [512]);
    expect(rootFromInclusion(leafHash(held?.bytes ?? new Uint8Array()), 512, Number(at), hashes)).toEqual(fromBase64(root));
    const text = await (await expectStatus(get("/log/c-test/consistency?from=256"), 200)).text();
    const [, size2, root2 = ""] = note(text);
    const [[root1] = []] = await world.owner.query("select root from audit.subtree where log = 'c-test' and index = 0");
    const steps = text.slice(0, text.indexOf("\n\n")).split("\n").slice(1).map(fromBase64);
    const claim = { size1: 256, root1: root1 as Uint8Array, size2: Number(size2), root2: fromBase64(root2), proof: steps };
    expect(isConsistent(claim)).toBe(true);
    expect(Number(size2)).toBeGreaterThanOrEqual(size);
  });

  it("lists what is left, with who acted gone where the month's key is", async () => {
    const page = await (await expectStatus(get("/v1/contracts/c-test/audit/entries?event=record.read&limit=200"), 200)).json();
    const { entries } = page as { entries: { index: number; details: string; actor: { subject: string | null } }[] };
    expect(entries.map(({ index }) => index)).toEqual(Array.from({ length: 600 - 512 }, (_, i) => 599 - i));
    expect(entries.every(({ details, actor }) => details === "gone" && actor.subject === null)).toBe(true);
    const admin = await (await expectStatus(get("/v1/contracts/c-test/audit/entries?event=log.read"), 200)).json();
    expect((admin as typeof page).entries[0].details).toBe("opened");
    const csv = await (await expectStatus(get("/v1/contracts/c-test/audit/export?format=csv&event=record.read"), 200)).text();
    expect(csv.trim().split("\n")).toHaveLength(1 + 600 - 512);
  });

  it("feeds a sink that knew nothing of it from the first kept place on", async () => {
    const met: number[] = [];
    const sink: Sink = {
      name: "late",
      async deliver(batch) {
        for (const { index, entry } of batch) if (entry.log.endsWith("c-test")) met.push(index);
        return [];
      },
    };
    const pump = createPump({ database: world.keeper, sinks: [sink], now: Date.now, random: () => 0 });
    expect((await pump.standing()).late?.waiting).toBe(
      Number((await world.owner.query("select sum(size - min_index)::int from audit.log"))[0]?.[0]),
    );
    await pump.run();
    expect(met[0]).toBe(512);
    expect((await pump.standing()).late).toMatchObject({ waiting: 0, dead: 0 });
  });

  it("makes its search tables anew as they were", async () => {
    const rows = () => world.owner.query("select * from audit.search where log = 'c-test' order by index");
    const before = await rows();
    await world.owner.transaction((tx) => rebuildSearch(tx, "c-test"));
    expect(await rows()).toEqual(before);
  });
});

describe("a keeper that dies while it prunes", () => {
  const steps: readonly (readonly [string, RegExp])[] = [
    ["the intent", /^insert into audit\.pruning/],
    ["its lease", /^update audit\.pruning set lease_until = now/],
    ["the entry", /^with asked as/],
    ["the entry's place", /^insert into audit\.seq/],
    ["the note of the entry", /^update audit\.pruning set entry_id/],
    ["key and rows", /^select audit\.prune/],
  ];
  const cases = steps.flatMap(([name, matches]) => [["before", name, matches] as const, ["after", name, matches] as const]);
  /** So that the oldest month is over, and no other. */
  const monthsOfOldest = async () => {
    const [year = 0, number = 0] = ((await keysOf("c-test"))[0] ?? "").split("-").map(Number);
    const now = new Date();
    return (now.getUTCFullYear() - year) * 12 + now.getUTCMonth() + 1 - number - 1;
  };

  beforeAll(async () => {
    await world?.close();
    world = await createLogGateway({ keeper: { retentionMonths: 1_200 } });
    trust = await agreeOnTrust(world.gateway);
    // A month each for the cases, from 120 months ago on, some 150 entries long.
    await writeLongAgo(world, { from: Date.now() - 121 * month, entries: 2_250, stepMs: day });
  }, 60_000);

  it.each(cases)("%s %s has left nothing half done, and its successor goes on", async (when, _name, matches) => {
    const months = await monthsOfOldest();
    const before = { min: Number(await minIndexOf("c-test")), keys: await keysOf("c-test"), pruned: (await prunedIn("c-test")).length };
    await expect(pruneOnce(world, { months, database: dyingAt(world.keeper, matches, when) })).rejects.toThrow();
    const cut = { min: Number(await minIndexOf("c-test")), keys: await keysOf("c-test") };
    const acted = cut.min > before.min || cut.keys.length < before.keys.length;
    expect(acted).toBe(when === "after" && String(matches).includes("prune/"));
    await world.owner.query("update audit.pruning set lease_until = now() where lease_until > now()");
    await pruneOnce(world, { months });
    await pruneOnce(world, { months });
    const pruned = await prunedIn("c-test");
    expect(pruned).toHaveLength(before.pruned + 1);
    expect(new Set(pruned.map((facts) => facts?.month)).size).toBe(pruned.length);
    expect(await keysOf("c-test")).toEqual(before.keys.slice(1));
    expect(await minIndexOf("c-test")).toBe(pruned.at(-1)?.first_kept);
    expect(await verifyLog(world.gateway, trust)).toMatchObject({ ok: true, prunedBefore: pruned.at(-1)?.first_kept });
  });
});
