/**
 * The anchor outside the database: a database that was set back, or rewritten, is not built on. On a real Postgres, with the anchor as files and as
 * a second database.
 */
import { mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { createFileAnchor } from "../src/audit/file-anchor.ts";
import { type Anchor, createSequencer, type LogHalted } from "../src/audit/index.ts";
import { anchorSchema, createPostgresAnchor } from "../src/audit/postgres-anchor.ts";
import { emptyRange, extendRange, leafHash } from "../src/audit/tree.ts";
import type { Trust } from "../src/audit/trust.ts";
import { checkDatabase } from "../src/cli/doctor-databases.ts";
import { utf8 } from "../src/crypto/index.ts";
import type { Database } from "../src/storage/index.ts";
import { importLines, search } from "./support/agreement.ts";
import { createPostgresDatabase, openTestPool, type PostgresDatabase } from "./support/databases.ts";
import { forgetfulAnchor } from "./support/gateway.ts";
import { agreeOnTrust, createLogGateway, type LogGateway, readMany, verifyLog } from "./support/log-gateway.ts";
import { cutTail, disarmTriggers, rememberLogs, type StoredLog, sizeOf } from "./support/stored-log.ts";

let directory: string;
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), "postern-anchor-"));
});
afterAll(() => rm(directory, { recursive: true, force: true }));

const headOf = (size: number) => ({
  origin: "test/postern/c-test",
  begun: 0,
  range: extendRange(
    emptyRange,
    Array.from({ length: size }, (_, i) => leafHash(utf8(`entry ${i}`))),
  ),
});

describe.each(["files", "a second Postgres"])("an anchor kept in %s", (kind) => {
  let anchor: Anchor;
  let second: PostgresDatabase;
  let pool: Database;
  beforeEach(async () => {
    second = await createPostgresDatabase({ migrated: false });
    pool = openTestPool(second.ownerUrl);
    await pool.script(anchorSchema);
    anchor = kind === "files" ? createFileAnchor(await mkdtemp(join(directory, "kept-"))) : createPostgresAnchor(pool);
  });
  afterEach(async () => {
    await pool.close();
    await second.drop();
  });

  it("gives back what it was given, log by log, and nothing where nothing was published", async () => {
    expect(await anchor.read("c-test")).toBeNull();
    expect(await anchor.logs()).toEqual([]);
    await anchor.advance("c-test", headOf(300));
    expect(await anchor.read("c-test")).toEqual(headOf(300));
    expect(await anchor.read("gateway")).toBeNull();
    expect(await anchor.logs()).toEqual(["c-test"]);
  });

  it("never moves back, whoever comes last", async () => {
    const sizes = [7, 2, 9, 9, 1, 12, 11];
    await Promise.all(sizes.map((size) => anchor.advance("c-test", headOf(size))));
    expect((await anchor.read("c-test"))?.range.size).toBe(12);
    await anchor.advance("c-test", headOf(3));
    expect(await anchor.read("c-test")).toEqual(headOf(12));
  });
});

describe("an anchor kept in files", () => {
  it("takes no half-written draft for a head, and no damaged file for none", async () => {
    const kept = await mkdtemp(join(directory, "kept-"));
    const anchor = createFileAnchor(kept);
    await anchor.advance("c-test", headOf(5));
    await writeFile(join(kept, "c-test", "0001-0000000000000009.ab12"), "postern-anch");
    expect((await anchor.read("c-test"))?.range.size).toBe(5);
    await anchor.advance("c-test", headOf(6));
    expect((await readdir(join(kept, "c-test"))).filter((name) => !name.includes("."))).toEqual(["0001-0000000000000006"]);
    await writeFile(join(kept, "c-test", "0001-0000000000000006"), "");
    await expect(anchor.read("c-test")).rejects.toThrow("not a head");
  });
});

describe("a database that was set back", () => {
  let world: LogGateway;
  let trust: Trust;
  let stored: StoredLog;
  beforeEach(async () => {
    world = await createLogGateway({ keeper: { anchor: createFileAnchor(await mkdtemp(join(directory, "world-"))) } });
    trust = await agreeOnTrust(world.gateway);
    await importLines(world.gateway, [{ id: "U1", name: "林小满", phone: "13800138000" }]);
    await readMany(world.gateway, 40);
    await disarmTriggers(world.owner);
    stored = { owner: world.owner, log: "c-test" };
  });
  afterEach(() => world.close());

  const checkpoints = () => world.owner.query("select count(*)::int from audit.checkpoint where log = 'c-test'");
  const halted = () => world.owner.query("select log, halted from audit.upkeep where halted is not null");
  const readyz = async () => (await (await world.gateway.call("GET", "/readyz")).json()) as { checks: { audit: string } };

  it("is not signed and not built on, and its operator is told in one line; with the right one back it goes on by itself", async () => {
    const backToYesterday = await rememberLogs(world.owner, "yesterday");
    const yesterday = await sizeOf(stored);
    await readMany(world.gateway, 8);
    const today = await sizeOf(stored);
    const backToToday = await rememberLogs(world.owner, "today");
    await backToYesterday();

    const before = await checkpoints();
    await search(world.gateway, { id: "U1" });
    const halt = `the database was set back: it holds ${yesterday} entries, and ${today} were published; restore the newest one`;
    await expect(world.gateway.keeper.sequence()).rejects.toThrow(`log c-test is halted: ${halt}`);
    expect(await checkpoints()).toEqual(before);
    expect(await sizeOf(stored)).toBe(yesterday);
    expect(await halted()).toEqual([["c-test", halt]]);
    expect((await readyz()).checks.audit).toBe("a log is halted; `postern doctor` says which and why");
    expect(await checkDatabase(world.urls.keeperUrl, "postern_keeper")).toMatchObject({
      failing: `log c-test is halted: ${halt}`,
      cure: expect.stringContaining("bring back the newest copy"),
    });
    expect((await verifyLog(world.gateway, trust)).problems).toContainEqual(expect.objectContaining({ code: "log_halted" }));

    await backToToday();
    await search(world.gateway, { id: "U1" });
    await world.gateway.keeper.sequence();
    expect(await halted()).toEqual([]);
    expect((await readyz()).checks.audit).toBe("ok");
  });

  it("does not pass for the log once it has grown past what was published", async () => {
    const size = await sizeOf(stored);
    await readMany(world.gateway, 8);
    await cutTail(stored, size);
    // Somebody numbers it without an anchor: a build from before there were any, or a thief of the log key.
    const thief = createSequencer({ database: world.keeper, signer: world.logSigner, anchor: forgetfulAnchor });
    for (let i = 0; i < 24; i++) await search(world.gateway, { id: "U1" });
    await thief.run("c-test");
    expect(await sizeOf(stored)).toBeGreaterThan(size + 9);
    await search(world.gateway, { id: "U1" });
    await expect(world.gateway.keeper.sequence()).rejects.toThrow("another history than the one that was published");
  });

  it("is found when nobody asks anything, a dropped log too", async () => {
    await world.gateway.keeper.prepare();
    const size = await sizeOf(stored);
    await readMany(world.gateway, 1);
    await cutTail(stored, size);
    await expect(world.gateway.keeper.patrol()).rejects.toThrow("log c-test is halted: the database was set back");
    await world.owner.query("delete from audit.log where log = 'c-test'");
    await expect(world.gateway.keeper.patrol()).rejects.toThrow("log c-test is halted: the database was set back: it holds 0 entries");
  });

  it("is no matter of two publishers that overtake each other", async () => {
    const publishers = [1, 2, 3].map(() => createSequencer({ database: world.keeper, signer: world.logSigner, anchor: world.anchor }));
    let writing = true;
    const faults: LogHalted[] = [];
    const running = publishers.map(async (publisher) => {
      while (writing) await publisher.run("c-test").catch((fault: LogHalted) => faults.push(fault));
    });
    for (let i = 0; i < 60; i++) await search(world.gateway, { id: "U1" });
    writing = false;
    await Promise.all(running);
    expect(faults).toEqual([]);
    expect(await verifyLog(world.gateway, trust)).toMatchObject({ ok: true, problems: [] });
    expect((await world.anchor.read("c-test"))?.range.size).toBe(await sizeOf(stored));
  });

  it("is told from a keeper that died between the anchor and the checkpoint", async () => {
    await search(world.gateway, { id: "U1" });
    const dying: Anchor = {
      ...world.anchor,
      advance: async (log, head) => {
        await world.anchor.advance(log, head);
        throw new Error("killed");
      },
    };
    const before = await checkpoints();
    await expect(createSequencer({ database: world.keeper, signer: world.logSigner, anchor: dying }).run("c-test")).rejects.toThrow(
      "killed",
    );
    expect(await checkpoints()).toEqual(before);
    expect((await world.anchor.read("c-test"))?.range.size).toBe(await sizeOf(stored));
    await world.gateway.keeper.sequence();
    expect(await verifyLog(world.gateway, trust)).toMatchObject({ ok: true, problems: [] });
    expect(await checkpoints()).not.toEqual(before);
  });

  it("signs nothing while it cannot ask the anchor", async () => {
    await search(world.gateway, { id: "U1" });
    const unreachable: Anchor = { ...world.anchor, read: () => Promise.reject(new Error("unreachable")) };
    const before = await sizeOf(stored);
    await expect(createSequencer({ database: world.keeper, signer: world.logSigner, anchor: unreachable }).run("c-test")).rejects.toThrow(
      "unreachable",
    );
    expect(await sizeOf(stored)).toBe(before);
  });
});
