/**
 * Somebody with all rights in the database, who also took the anchor away, changes the log while it grows: what a stranger then finds.
 */
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { Trust } from "../src/audit/trust.ts";
import { importLines, search } from "./support/agreement.ts";
import { flipped } from "./support/column-cases.ts";
import { forgetfulAnchor } from "./support/gateway.ts";
import { agreeOnTrust, createLogGateway, type LogGateway, readMany, verifyLog } from "./support/log-gateway.ts";
import {
  cutTail,
  disarmTriggers,
  insertForgedFlush,
  newestCheckpoint,
  type StoredLog,
  sizeOf,
  whileTampered,
  wipe,
} from "./support/stored-log.ts";

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
