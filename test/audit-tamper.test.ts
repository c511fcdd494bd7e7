/**
 * Somebody with all rights in the database changes the log; an officer exports it through the gateway; a stranger verifies with the trust file.
 */
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { hashesToBytes, leafHash } from "../src/audit/tree.ts";
import type { Trust } from "../src/audit/trust.ts";
import { fromUtf8, utf8 } from "../src/crypto/index.ts";
import { importLines, search } from "./support/agreement.ts";
import { columnCases, flipped, flushFrom, flushSizeMin, older } from "./support/column-cases.ts";
import { forgetfulAnchor } from "./support/gateway.ts";
import { agreeOnTrust, createLogGateway, type LogGateway, readMany, verifyLog } from "./support/log-gateway.ts";
import { isLong, runsTimeoutMs } from "./support/long.ts";
import {
  auditColumns,
  cosigned,
  cutTail,
  derived,
  disarmTriggers,
  editFlush,
  evidence,
  flushAt,
  flushOfSize,
  forgeryOf,
  insertForgedFlush,
  newestCheckpoint,
  removeEntries,
  restoreLogRow,
  type StoredLog,
  sizeOf,
  whileTampered,
} from "./support/stored-log.ts";

/** In the long form ten thousand entries. */
const reads = isLong ? 10_000 : 320;

describe("the log under somebody who owns the database", { timeout: runsTimeoutMs }, () => {
  let world: LogGateway;
  let trust: Trust;
  let stored: StoredLog;
  beforeAll(async () => {
    world = await createLogGateway();
    trust = await agreeOnTrust(world.gateway);
    await importLines(world.gateway, [{ id: "U1", name: "林小满", phone: "13800138000" }]);
    await readMany(world.gateway, reads);
    await disarmTriggers(world.owner);
    stored = { owner: world.owner, log: "c-test" };
  }, runsTimeoutMs);
  afterAll(() => world.close());

  const verified = () => verifyLog(world.gateway, trust);
  const verifiedWhile = (tamper: () => Promise<unknown>) => whileTampered(world.owner, tamper, verified);

  it("verifies as long as nobody touched it, subtrees and all", async () => {
    expect(await verified()).toMatchObject({ ok: true, keys: "pinned", problems: [] });
    const size = await sizeOf(stored);
    expect(size).toBeGreaterThan(reads);
    expect(await world.owner.query("select count(*)::int from audit.subtree where log = 'c-test'")).toEqual([[Math.floor(size / 256)]]);
  });

  it("has a case for every column that the catalogue names", async () => {
    const tables = new Set((await auditColumns(world.owner)).map((name) => name.split(".")[0]));
    expect([...tables].sort()).toEqual([...evidence, ...derived, ...cosigned].sort());
    const columns = (await auditColumns(world.owner)).filter((name) => evidence.some((table) => name.startsWith(`${table}.`)));
    expect([...new Set(columnCases.map(({ column }) => column))].sort()).toEqual(columns);
  });

  it.each(columnCases)(
    "shows a changed $column ($set), and is whole again when it is put back",
    async ({ column, set, where, code, firstBad }) => {
      const [table = "", name = ""] = column.split(".");
      if (table === "pending") await search(world.gateway, { id: "U1" });
      const { start, entries } = await flushOfSize(stored, flushSizeMin, flushFrom);
      const known = { start, end: start + entries.length, size: await sizeOf(stored) };
      const verdict = await verifiedWhile(async () => {
        const changed = await world.owner.query(`update audit.${table} set ${name} = ${set} where ${where} returning 1`);
        expect(changed).toEqual([[1]]);
      });
      expect(verdict.problems.map((problem) => problem.code)).toContain(code);
      expect(verdict).toMatchObject({ ok: false, firstBad: typeof firstBad === "function" ? firstBad(known) : firstBad });
      expect(await verified()).toMatchObject({ ok: true, problems: [] });
    },
  );

  it.each([
    ["first", async (): Promise<number> => 0],
    ["in the middle of a flush", async (): Promise<number> => (await flushOfSize(stored, flushSizeMin, flushFrom)).start + 1],
    ["last", async (): Promise<number> => (await sizeOf(stored)) - 1],
  ] as const)("shows an entry taken out: the %s", async (_, indexOf) => {
    const index: number = await indexOf();
    const { start } = await flushAt(stored, index);
    const deleted = await verifiedWhile(async () => {
      await world.owner.query(
        "delete from audit.flush where log = 'c-test' and flush_id = (select flush_id from audit.seq where log = 'c-test' and index = $1)",
        [start],
      );
      await world.owner.query("delete from audit.seq where log = 'c-test' and index = $1", [start]);
    });
    expect(deleted).toMatchObject({ ok: false, firstBad: start });
    const closed = await verifiedWhile(async () => {
      await removeEntries(stored, index, index + 1);
      await restoreLogRow(stored);
    });
    expect(closed).toMatchObject({ ok: false });
    if (index < (await sizeOf(stored)) - 2) expect(closed.firstBad).toBe(index);
    expect(await verified()).toMatchObject({ ok: true });
  });

  it("shows an entry put into a flush: as its first, between two, behind its last", async () => {
    const { start, entries } = await flushOfSize(stored, flushSizeMin, flushFrom);
    for (const by of [0, 1, entries.length]) {
      const verdict = await verifiedWhile(async () => {
        const forgery = await forgeryOf(stored, 50);
        await editFlush(stored, start, (held) => held.toSpliced(by, 0, forgery));
        await restoreLogRow(stored);
      });
      expect(verdict).toMatchObject({ ok: false, firstBad: start + by });
    }
    expect(await verified()).toMatchObject({ ok: true });
  });

  it.each([
    ["first", async (): Promise<number> => 0],
    ["in the middle", async (): Promise<number> => (await flushOfSize(stored, flushSizeMin, flushFrom)).start],
    ["behind the last", (): Promise<number> => sizeOf(stored)],
  ] as const)("shows a flush put in: the %s", async (_, indexOf) => {
    const index: number = await indexOf();
    const verdict = await verifiedWhile(async () => {
      await insertForgedFlush(stored, 50, index);
      await restoreLogRow(stored);
    });
    expect(verdict).toMatchObject({ ok: false, firstBad: index });
    expect(await verified()).toMatchObject({ ok: true });
  });

  it("shows two entries swapped, in one flush and between two", async () => {
    const { start, entries } = await flushOfSize(stored, flushSizeMin, flushFrom);
    const behind = await flushOfSize(stored, flushSizeMin, start + entries.length);
    const within = await verifiedWhile(async () => {
      await editFlush(stored, start, ([a, b, c, ...rest]) => [a, c, b, ...rest].flatMap((entry) => entry ?? []));
      await restoreLogRow(stored);
    });
    expect(within).toMatchObject({ ok: false, firstBad: start + 1 });
    const between = await verifiedWhile(async () => {
      const [, first = new Uint8Array()] = entries;
      const [, second = new Uint8Array()] = behind.entries;
      await editFlush(stored, start, (held) => held.with(1, second));
      await editFlush(stored, behind.start, (held) => held.with(1, first));
      await restoreLogRow(stored);
    });
    expect(between).toMatchObject({ ok: false, firstBad: start + 1 });
    expect(await verified()).toMatchObject({ ok: true });
  });

  it("shows an entry dated back, everything that follows from it put right", async () => {
    const { start } = await flushOfSize(stored, flushSizeMin, flushFrom);
    const verdict = await verifiedWhile(async () => {
      await editFlush(stored, start, (held) => held.map((entry, i) => (i === 1 ? datedBack(entry) : entry)));
      await restoreLogRow(stored);
    });
    expect(verdict).toMatchObject({ ok: false, firstBad: start + 1 });
    expect(verdict.problems).toContainEqual(expect.objectContaining({ index: start + 1, code: "entry_time" }));
    expect(await verified()).toMatchObject({ ok: true });
  });

  it("shows an old row played again in the place of a later one, under its own signed head, and one of its entries beside others", async () => {
    const old = await flushOfSize(stored, flushSizeMin);
    const { start, id } = await flushOfSize(stored, flushSizeMin, flushFrom);
    const inItsPlace = await verifiedWhile(async () => {
      await world.owner.query(
        "update audit.flush set (head, entries) = (select head, entries from audit.flush where log = 'c-test' and flush_id = $1) where log = 'c-test' and flush_id = $2",
        [old.id, id],
      );
      await world.owner.query("update audit.seq set leaf_hashes = $2 where log = 'c-test' and index = $1", [
        start,
        hashesToBytes(old.entries.map(leafHash)),
      ]);
      await restoreLogRow(stored);
    });
    expect(inItsPlace).toMatchObject({ ok: false, firstBad: start });
    expect(inItsPlace.problems[0]?.code).toBe("entry_twice");
    const again = await verifiedWhile(async () => {
      await editFlush(stored, start, (held, at) => held.with(at + 1, old.entries[1] ?? new Uint8Array()));
      await restoreLogRow(stored);
    });
    expect(again).toMatchObject({ ok: false, firstBad: start + 1 });
    expect(again.problems[0]?.code).toBe("entry_twice");
    expect(await verified()).toMatchObject({ ok: true });
  });

  it("shows a flush put in behind the last, whose place the gateway had yet to give", async () => {
    for (const by of [0, 5]) {
      const verdict = await verifiedWhile(async () => insertForgedFlush(stored, 50, (await sizeOf(stored)) + by));
      expect(verdict.problems).toMatchObject([{ code: "log_halted" }]);
    }
    expect(await verified()).toMatchObject({ ok: true });
  });

  it("shows the whole of it deleted, or the row that says how long it is", async () => {
    expect(await verifiedWhile(() => wipe(stored))).toMatchObject({ ok: false, firstBad: 0 });
    const log = await verifiedWhile(() => world.owner.query("delete from audit.log where log = 'c-test'"));
    expect(log).toMatchObject({ ok: false, size: 0 });
    expect(await verified()).toMatchObject({ ok: true });
  });

  it("numbers other logs while one is halted", async () => {
    await whileTampered(
      world.owner,
      () => world.owner.query("update audit.log set size = size + 1 where log = 'c-test'"),
      async () => {
        await search(world.gateway, { id: "U1" });
        await world.gateway.call("GET", "/v1/contracts/c-test/audit/entries", { as: "stranger" });
        await expect(world.gateway.keeper.sequence()).rejects.toThrow("log c-test is halted");
        expect(await world.owner.query("select distinct log from audit.pending")).toEqual([["c-test"]]);
      },
    );
    expect(await verified()).toMatchObject({ ok: true });
  });

  it("does not miss an archived checkpoint that is taken away: the later ones cover the same entries", async () => {
    const kept = await world.owner.query(`select note from audit.checkpoint where ${older}`);
    expect(await verifiedWhile(() => world.owner.query(`delete from audit.checkpoint where ${older}`))).toMatchObject({ ok: true });
    expect(await verifyLog(world.gateway, trust, { seen: [String(kept[0]?.[0])] })).toMatchObject({ ok: true });
    expect(await verifyLog(world.gateway, trust, { seen: [await newestCheckpoint(stored)] })).toMatchObject({ ok: true });
  });
});

describe("the log under somebody who owns the database, knows how it grows, and took the anchor away", () => {
  let world: LogGateway;
  let trust: Trust;
  let stored: StoredLog;
  beforeEach(async () => {
    world = await createLogGateway({ keeper: { anchor: forgetfulAnchor } });
    trust = await agreeOnTrust(world.gateway);
    await importLines(world.gateway, [{ id: "U1", name: "林小满", phone: "13800138000" }]);
    await readMany(world.gateway, 40);
    await disarmTriggers(world.owner);
    stored = { owner: world.owner, log: "c-test" };
  });
  afterEach(() => world.close());

  it("loses its tail without a trace in itself, but not before what somebody kept, and not before the writer's next entry", async () => {
    const size = await sizeOf(stored);
    const [promise = ""] = await readMany(world.gateway, 32);
    const checkpoint = await newestCheckpoint(stored);
    await cutTail(stored, size);
    expect(await verifyLog(world.gateway, trust)).toMatchObject({ ok: true });
    for (const seen of [checkpoint, promise]) {
      const verdict = await verifyLog(world.gateway, trust, { seen: [seen] });
      expect(verdict.problems.map(({ code }) => code)).toEqual(["seen_missing"]);
    }
    await readMany(world.gateway, 64);
    const regrown = await verifyLog(world.gateway, trust, { seen: [checkpoint] });
    expect(regrown.problems.map(({ code }) => code)).toEqual(expect.arrayContaining(["writer_gap", "seen_differs"]));
    expect(regrown.firstBad).toBeGreaterThanOrEqual(size);
  });

  it("cannot lead the gateway to store a wrong subtree while a leaf is changed", async () => {
    await whileTampered(
      world.owner,
      () => world.owner.query(`update audit.seq set leaf_hashes = ${flipped("leaf_hashes", 0)} where log = 'c-test' and index >= 20`),
      () => readMany(world.gateway, 250),
    );
    expect(await world.owner.query("select index from audit.subtree where log = 'c-test'")).toEqual([["0"]]);
    expect(await verifyLog(world.gateway, trust)).toMatchObject({ ok: true, problems: [] });
  });

  it("numbers what no writer signed, as evidence", async () => {
    const index = await sizeOf(stored);
    await insertForgedFlush(stored, 20, index);
    await world.owner.query(
      "insert into audit.pending (log, flush_id) select log, flush_id from audit.seq where log = 'c-test' and index = $1",
      [index],
    );
    await world.owner.query("delete from audit.seq where log = 'c-test' and index = $1", [index]);
    const verdict = await verifyLog(world.gateway, trust);
    expect(verdict).toMatchObject({ ok: false, firstBad: index });
    expect(verdict.problems).toContainEqual(expect.objectContaining({ code: "head_mismatch" }));
  });

  it.each([
    ["nothing at all", "''"],
    ["a length and no entry", "'\\x0001'"],
    ["more than an entry can be", "convert_to(repeat('x', 100000), 'UTF8')"],
    ["more entries than a flush has", "decode(repeat('000178', 300), 'hex')"],
    ["two entries of nothing", "'\\x00000000'"],
  ])("numbers what is not a flush, as evidence, and goes on: %s", async (_, bytes) => {
    const index = await sizeOf(stored);
    await world.edge.query(`insert into audit.flush (log, flush_id, head, entries) values ('c-test', '0', '', ${bytes})`);
    await world.edge.query("insert into audit.pending (log, flush_id) values ('c-test', '0')");
    await readMany(world.gateway, 32);
    const verdict = await verifyLog(world.gateway, trust);
    expect(verdict).toMatchObject({ ok: false, firstBad: index });
    expect(verdict.problems.filter((problem) => problem.index === null || problem.index > index + 1)).toEqual([]);
    expect(verdict.size).toBe(await sizeOf(stored));
    const listed = await world.gateway.call("GET", "/v1/contracts/c-test/audit/entries?limit=200", { as: "officer" });
    expect(listed.status).toBe(200);
  });

  it("shows a waiting entry taken away by the writer's next one", async () => {
    const { records } = await search(world.gateway, { id: "U1" });
    const gone = await world.owner.query(
      "with gone as (delete from audit.pending where log = 'c-test' returning flush_id) delete from audit.flush where flush_id in (table gone) returning 1",
    );
    expect([gone.length, records.length]).toEqual([1, 1]);
    expect(await verifyLog(world.gateway, trust)).toMatchObject({ ok: true });
    await search(world.gateway, { id: "U1" });
    const verdict = await verifyLog(world.gateway, trust);
    expect(verdict.problems).toMatchObject([{ code: "writer_gap" }]);
  });

  it("does not pass for new after it was emptied", async () => {
    await wipe(stored);
    await cutTail(stored, 0);
    expect(await verifyLog(world.gateway, trust)).toMatchObject({ ok: false, firstBad: 0, problems: [{ index: 0, code: "writer_gap" }] });
  });
});

function datedBack(entry: Uint8Array): Uint8Array {
  return utf8(fromUtf8(entry).replace(/"time":"\d{4}/, '"time":"2020'));
}

function wipe({ owner, log }: StoredLog): Promise<void> {
  return owner.script(
    ["flush", "seq", "subtree", "checkpoint"].map((table) => `delete from audit.${table} where log = '${log}';`).join(""),
  );
}
