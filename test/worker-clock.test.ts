/** The log's clock on Workers: a Durable Object's alarm, in real workerd. No Node keeper runs here, and cron only where a test says so. */
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { unstable_readConfig } from "wrangler";
import { formatWitnessVkey, noteKey, type Trust, witnessKey } from "../src/audit/index.ts";
import { createSigner, fromBase64, randomBytes } from "../src/crypto/index.ts";
import { startWitness } from "../src/node-witness.ts";
import { importLines, search } from "./support/agreement.ts";
import { agreeOnTrust, verifyLog } from "./support/log-gateway.ts";
import { isLong } from "./support/long.ts";
import { root } from "./support/repository.ts";
import { createWorkerWorld, type WorkerWorld } from "./support/worker.ts";

let world: WorkerWorld;
let trust: Trust;
beforeAll(async () => {
  world = await createWorkerWorld();
  trust = await agreeOnTrust(world);
  await importLines(world, [{ id: "U1", name: "欧阳娜娜", phone: "138 0013 8000" }]);
});
afterAll(() => world?.close());

/** Four seconds at most where the machine is not busy. */
const within = { timeout: 20_000, interval: 100 };
const pending = async () => Number((await world.owner.query("select count(*)::int from audit.pending where log = 'c-test'"))[0]?.[0]);
/** Entries that a checkpoint covers. */
const published = async () =>
  Number((await world.owner.query("select coalesce(max(size), 0)::int from audit.checkpoint where log = 'c-test'"))[0]?.[0]);
/** Longer than the clock ever pauses. */
const severalTurns = () => new Promise((resolve) => setTimeout(resolve, 5_000));

async function expectPublished(): Promise<void> {
  const before = await published();
  expect((await search(world, { id: "U1" })).records).toHaveLength(1);
  await expect.poll(published, within).toBeGreaterThan(before);
  await expect.poll(pending, within).toBe(0);
}

function workerdsOfThisProcess(): number[] {
  const { stdout } = spawnSync("ps", ["-eo", "pid=,ppid=,comm="], { encoding: "utf8" });
  const processes = stdout.split("\n").map((line) => line.trim().split(/\s+/));
  const under = (parent: string): string[] =>
    processes.filter(([, ppid]) => ppid === parent).flatMap(([pid = "", , name]) => [...(name === "workerd" ? [pid] : []), ...under(pid)]);
  return under(`${process.pid}`).map(Number);
}

describe("the log's clock on Workers", { timeout: 60_000 }, () => {
  it("does not go before the first minute, which starts it", async () => {
    await severalTurns();
    expect([await published(), await pending()]).toEqual([0, expect.any(Number)]);
    expect(await pending()).toBeGreaterThan(0);
    await world.keeper.scheduled();
    await expect.poll(pending, within).toBe(0);
  });

  it("numbers and publishes what the edge accepted, within seconds and without cron, also after it had nothing to do for a while", async () => {
    await expectPublished();
    await severalTurns();
    await expectPublished();
    expect(world.keeper.output()).toEqual([]);
  });

  it.runIf(isLong)("goes on by itself in another process, after this one was killed", async () => {
    for (const pid of workerdsOfThisProcess()) process.kill(pid, "SIGKILL");
    await world.edge.restart();
    await world.keeper.restart();
    await expectPublished();
  });

  it("goes beside a keeper on Node and a cron that both number: one log, gap-free", async () => {
    const onNode = await world.openOnNode();
    for (let i = 0; i < 10; i++) {
      await search(world, { id: "U1" });
      await Promise.all([onNode.keeper.sequence(), world.keeper.scheduled()]);
    }
    await onNode.close();
    await expect.poll(pending, within).toBe(0);
    expect(await verifyLog(world, trust)).toMatchObject({ ok: true, problems: [] });
  });

  it("has witnesses cosign what it published, and waits for none that is gone", async () => {
    const directory = mkdtempSync(join(tmpdir(), "postern-clock-witness-"));
    const { publicKey } = await createSigner(fromBase64(world.secrets.log));
    const at = { directory, logs: [noteKey("test/postern/gateway", publicKey)], host: "127.0.0.1", port: 0 };
    const witness = await startWitness({ ...at, name: "witness.example" });
    const gone = formatWitnessVkey(witnessKey("gone.example", (await createSigner(randomBytes(32))).publicKey));
    const witnesses = [
      { key: witness.vkey, url: `http://127.0.0.1:${witness.port}` },
      { key: gone, url: "http://127.0.0.1:9" },
    ];
    await world.keeper.restart({ vars: { POSTERN_CONFIG: `${world.operatorFile}witnesses: ${JSON.stringify(witnesses)}\n` } });
    await world.keeper.scheduled();
    const cosigned = async () => Number((await world.owner.query("select count(*)::int from audit.cosignature"))[0]?.[0]);
    await expect.poll(cosigned, within).toBeGreaterThan(0);
    await expectPublished();
    expect(world.keeper.output().map((line) => JSON.parse(line))).toContainEqual(
      expect.objectContaining({ event: "witness", witness: "gone.example", log: "gateway" }),
    );
    await world.keeper.restart();
    await witness.stop();
    rmSync(directory, { recursive: true });
  });

  it.runIf(isLong)("goes on by itself after a fault, which it reports", async () => {
    await world.owner.query("revoke delete on audit.pending from postern_sequencer");
    await search(world, { id: "U1" });
    await severalTurns();
    expect(await pending()).toBe(1);
    await world.owner.query("grant delete on audit.pending to postern_sequencer");
    await expect.poll(pending, within).toBe(0);
    expect(world.keeper.output().map((line) => JSON.parse(line).event)).toContain("fault");
  });

  it.runIf(isLong)("stops where the script is not set up, says so once, and the next minute starts it when it is mended", async () => {
    await world.keeper.scheduled();
    await world.keeper.restart({ secrets: { POSTERN_LOG_KEY: null } });
    await search(world, { id: "U1" });
    await severalTurns();
    expect(world.keeper.output()).toHaveLength(1);
    await world.keeper.restart();
    await severalTurns();
    expect(await pending()).toBe(1);
    await world.keeper.scheduled();
    await expect.poll(pending, within).toBe(0);
  });

  it("is bound to the keeper alone", () => {
    const bound = (env?: string) => unstable_readConfig({ config: `${root}/wrangler.toml`, env }).durable_objects.bindings;
    expect([bound(), bound("keeper")]).toEqual([[], [{ name: "CLOCK", class_name: "LogClock" }]]);
  });
});
