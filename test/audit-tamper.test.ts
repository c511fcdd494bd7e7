/**
 * Somebody with all rights in the database changes the log; an officer exports it through the gateway; a stranger verifies with the trust file.
 */
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import type { Trust } from "../src/audit/trust.ts";
import { importLines, search } from "./support/agreement.ts";
import { agreeOnTrust, createLogGateway, type LogGateway, readMany, verifyLog } from "./support/log-gateway.ts";
import {
  auditColumns,
  cutTail,
  derived,
  disarmTriggers,
  evidence,
  insertForgery,
  moveUp,
  newestCheckpoint,
  removeEntries,
  restoreLogRow,
  type StoredLog,
  sizeOf,
  whileTampered,
} from "./support/stored-log.ts";

/** A place in the middle of a flush and of the log. */
const place = 100;
const at = `log = 'c-test' and index = ${place}`;
const rawAt = `log = 'c-test' and entry_id = (select entry_id from audit.seq where ${at})`;
const older = "log = 'c-test' and size = (select min(size) from audit.checkpoint where log = 'c-test')";
const newest = "log = 'c-test' and size = (select max(size) from audit.checkpoint where log = 'c-test')";
const flipped = (column: string, byte: number) => `set_byte(${column}, ${byte}, get_byte(${column}, ${byte}) # 1)`;
const waiting = "log = 'c-test'";

interface ColumnCase {
  readonly column: string;
  /** How the column is changed, and where. */
  readonly set: string;
  readonly where: string;
  readonly code: string;
  /** `null` = no single entry is bad; `size` = the place behind the last. */
  readonly firstBad: number | "size" | null;
}

const cases: readonly ColumnCase[] = [
  { column: "log.log", set: "'elsewhere'", where: "log = 'c-test'", code: "checkpoint_signature", firstBad: null },
  { column: "log.origin", set: "origin || 'x'", where: "log = 'c-test'", code: "entry_of_another_log", firstBad: 0 },
  { column: "log.state", set: "'frozen'", where: "log = 'c-test'", code: "log_row_mismatch", firstBad: null },
  { column: "log.size", set: "size + 1", where: "log = 'c-test'", code: "log_halted", firstBad: "size" },
  { column: "log.size", set: "size - 1", where: "log = 'c-test'", code: "log_halted", firstBad: null },
  { column: "log.size", set: "4503599627370496", where: "log = 'c-test'", code: "log_halted", firstBad: "size" },
  { column: "log.size", set: "-7", where: "log = 'c-test'", code: "member_malformed", firstBad: null },
  { column: "log.size", set: "0", where: "log = 'c-test'", code: "log_halted", firstBad: null },
  { column: "log.root", set: flipped("root", 3), where: "log = 'c-test'", code: "log_row_mismatch", firstBad: null },
  { column: "log.range", set: flipped("range", 33), where: "log = 'c-test'", code: "log_row_mismatch", firstBad: null },
  { column: "raw.log", set: "'elsewhere'", where: rawAt, code: "entry_missing", firstBad: place },
  { column: "raw.entry_id", set: "'x' || entry_id", where: rawAt, code: "entry_missing", firstBad: place },
  { column: "raw.bytes", set: flipped("bytes", 40), where: rawAt, code: "entry_changed", firstBad: place },
  { column: "raw.bytes", set: "''", where: rawAt, code: "entry_missing", firstBad: place },
  {
    column: "raw.head",
    set: "(select head from audit.raw where log = 'gateway' limit 1)",
    where: rawAt,
    code: "head_mismatch",
    firstBad: place,
  },
  { column: "raw.head", set: "head || 'A'", where: rawAt, code: "head_signature", firstBad: place },
  { column: "raw.position", set: "position + 1", where: rawAt, code: "head_mismatch", firstBad: place },
  { column: "raw.path", set: "path || sha256('')", where: rawAt, code: "head_mismatch", firstBad: place },
  { column: "pending.log", set: "'elsewhere'", where: waiting, code: "entry_not_in_tree", firstBad: null },
  { column: "pending.entry_id", set: "'x' || entry_id", where: waiting, code: "entry_not_in_tree", firstBad: null },
  { column: "seq.log", set: "'elsewhere'", where: at, code: "entry_missing", firstBad: place },
  { column: "seq.index", set: "9000", where: at, code: "entry_missing", firstBad: place },
  { column: "seq.entry_id", set: "'x' || entry_id", where: at, code: "entry_missing", firstBad: place },
  { column: "seq.leaf_hash", set: flipped("leaf_hash", 0), where: at, code: "entry_changed", firstBad: place },
  { column: "subtree.log", set: "'elsewhere'", where: "log = 'c-test'", code: "tile_mismatch", firstBad: null },
  { column: "subtree.index", set: "index + 7", where: "log = 'c-test'", code: "tile_mismatch", firstBad: null },
  { column: "subtree.root", set: flipped("root", 0), where: "log = 'c-test'", code: "tile_mismatch", firstBad: null },
  { column: "checkpoint.log", set: "'elsewhere'", where: newest, code: "log_halted", firstBad: null },
  { column: "checkpoint.size", set: "size + 1", where: older, code: "archived_checkpoint", firstBad: null },
  { column: "checkpoint.size", set: "size + 1", where: newest, code: "log_halted", firstBad: null },
  { column: "checkpoint.note", set: "replace(note, '— ', '— x')", where: older, code: "archived_checkpoint", firstBad: null },
  { column: "checkpoint.note", set: "replace(note, '— ', '— x')", where: newest, code: "checkpoint_signature", firstBad: null },
];

describe("the log under somebody who owns the database", () => {
  let world: LogGateway;
  let trust: Trust;
  let stored: StoredLog;
  beforeAll(async () => {
    world = await createLogGateway();
    trust = await agreeOnTrust(world.gateway);
    await importLines(world.gateway, [{ id: "U1", name: "林小满", phone: "13800138000" }]);
    await readMany(world.gateway, 320);
    await disarmTriggers(world.owner);
    stored = { owner: world.owner, log: "c-test" };
  });
  afterAll(() => world.close());

  const verified = () => verifyLog(world.gateway, trust);
  const verifiedWhile = (tamper: () => Promise<unknown>) => whileTampered(world.owner, tamper, verified);

  it("verifies as long as nobody touched it, subtrees and all", async () => {
    expect(await verified()).toMatchObject({ ok: true, keys: "pinned", problems: [] });
    expect(await sizeOf(stored)).toBeGreaterThan(320);
    expect(await world.owner.query("select index from audit.subtree where log = 'c-test'")).toEqual([["0"]]);
  });

  it("has a case for every column that the catalogue names", async () => {
    const tables = new Set((await auditColumns(world.owner)).map((name) => name.split(".")[0]));
    expect([...tables].sort()).toEqual([...evidence, ...derived].sort());
    const columns = (await auditColumns(world.owner)).filter((name) => !name.startsWith("search"));
    expect([...new Set(cases.map(({ column }) => column))].sort()).toEqual(columns);
  });

  it.each(cases)(
    "shows a changed $column ($set), and is whole again when it is put back",
    async ({ column, set, where, code, firstBad }) => {
      const [table = "", name = ""] = column.split(".");
      if (table === "pending") await search(world.gateway, { id: "U1" });
      const size = await sizeOf(stored);
      const verdict = await verifiedWhile(async () => {
        const changed = await world.owner.query(`update audit.${table} set ${name} = ${set} where ${where} returning 1`);
        expect(changed).toEqual([[1]]);
      });
      expect(verdict.problems.map((problem) => problem.code)).toContain(code);
      expect(verdict).toMatchObject({ ok: false, firstBad: firstBad === "size" ? size : firstBad });
      expect(await verified()).toMatchObject({ ok: true, problems: [] });
    },
  );

  it.each([
    ["first", () => 0],
    ["in the middle", () => place],
    ["last", (size: number) => size - 1],
  ] as const)("shows an entry taken out: the %s", async (_, indexOf) => {
    const index = indexOf(await sizeOf(stored));
    const deleted = await verifiedWhile(async () => {
      await removeEntries(stored, index, index + 1);
      await moveUp(stored, index, 1);
    });
    expect(deleted).toMatchObject({ ok: false, firstBad: index });
    const closed = await verifiedWhile(async () => {
      await removeEntries(stored, index, index + 1);
      await restoreLogRow(stored);
    });
    expect(closed).toMatchObject({ ok: false });
    if (index < (await sizeOf(stored)) - 2) expect(closed.firstBad).toBe(index);
    expect(await verified()).toMatchObject({ ok: true });
  });

  it.each([
    ["first", () => 0],
    ["in the middle", () => place],
    ["behind the last", (size: number) => size],
  ] as const)("shows an entry put in: the %s", async (_, indexOf) => {
    const index = indexOf(await sizeOf(stored));
    const verdict = await verifiedWhile(async () => {
      await insertForgery(stored, 50, index);
      await restoreLogRow(stored);
    });
    expect(verdict).toMatchObject({ ok: false, firstBad: index });
    expect(await verified()).toMatchObject({ ok: true });
  });

  it("shows an entry put in behind the last, whose place the gateway had yet to give", async () => {
    const verdict = await verifiedWhile(async () => insertForgery(stored, 50, await sizeOf(stored)));
    expect(verdict.problems).toMatchObject([{ code: "log_halted" }]);
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

describe("the log under somebody who owns the database and knows how it grows", () => {
  let world: LogGateway;
  let trust: Trust;
  let stored: StoredLog;
  beforeEach(async () => {
    world = await createLogGateway();
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
      () => world.owner.query(`update audit.seq set leaf_hash = sha256('') where log = 'c-test' and index = 20`),
      () => readMany(world.gateway, 250),
    );
    expect(await world.owner.query("select index from audit.subtree where log = 'c-test'")).toEqual([["0"]]);
    expect(await verifyLog(world.gateway, trust)).toMatchObject({ ok: true, problems: [] });
  });

  it("numbers what no writer signed, as evidence", async () => {
    const index = await sizeOf(stored);
    await insertForgery(stored, 20, index);
    await world.owner.query(
      "insert into audit.pending (log, entry_id) select log, entry_id from audit.seq where log = 'c-test' and index = $1",
      [index],
    );
    await world.owner.query("delete from audit.seq where log = 'c-test' and index = $1", [index]);
    const verdict = await verifyLog(world.gateway, trust);
    expect(verdict).toMatchObject({ ok: false });
    expect(verdict.problems).toContainEqual(expect.objectContaining({ code: "head_mismatch" }));
    expect(verdict.problems.every((problem) => problem.index === verdict.firstBad)).toBe(true);
  });

  it("shows a waiting entry taken away by the writer's next one", async () => {
    const { records } = await search(world.gateway, { id: "U1" });
    const gone = await world.owner.query(
      "with gone as (delete from audit.pending where log = 'c-test' returning entry_id) delete from audit.raw where entry_id in (table gone) returning 1",
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

function wipe({ owner, log }: StoredLog): Promise<void> {
  return owner.script(["raw", "seq", "subtree", "checkpoint"].map((table) => `delete from audit.${table} where log = '${log}';`).join(""));
}
