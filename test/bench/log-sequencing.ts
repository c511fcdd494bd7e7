/**
 * How long a durable entry waits for its place under a steady flow: 1,000 entries a second come, each at its time whether or not the last one was answered,
 * and the sequencer goes as it does in a Node process. Counted until the checkpoint over it is stored; beside it, what the append itself took.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createFileAnchor } from "../../src/audit/file-anchor.ts";
import { createSequencer } from "../../src/audit/index.ts";
import { randomBytes } from "../../src/crypto/index.ts";
import { createNodeSigner } from "../../src/crypto/node-ed25519.ts";
import { sequenceEveryMs } from "../../src/node.ts";
import type { Database } from "../../src/storage/index.ts";
import { createLogWorld, type LogWorld, log } from "./log-world.ts";
import type { Effort, Scenario } from "./rounds.ts";
import { Times } from "./times.ts";

const entriesPerSecond = 1_000;
const ticksPerSecond = 100;
const drainMsMax = 10_000;

export async function measureSequencing({ rounds, seconds, connections }: Effort): Promise<Scenario> {
  const directory = mkdtempSync(join(tmpdir(), "postern-bench-anchor-"));
  const world = await createLogWorld();
  try {
    const sequencer = createSequencer({
      database: world.owner,
      signer: await createNodeSigner(randomBytes(32)),
      anchor: createFileAnchor(directory),
    });
    const flow = createFlow(world);
    let running: Promise<unknown> = Promise.resolve();
    const turn = async () => {
      await sequencer.run();
      await flow.numbered();
    };
    let idle = true;
    const timer = setInterval(() => {
      if (!idle) return;
      idle = false;
      running = turn().finally(() => {
        idle = true;
      });
    }, sequenceEveryMs);
    const before = process.cpuUsage();
    await flow.run(rounds * seconds);
    const until = performance.now() + drainMsMax;
    while (flow.waiting() > 0 && performance.now() < until) await new Promise((resolve) => setTimeout(resolve, 100));
    clearInterval(timer);
    await running;
    const { user, system } = process.cpuUsage(before);
    const [places, appends] = [flow.places, flow.appends];
    const rate = (times: Times) => Number((times.count() / (rounds * seconds)).toFixed(1));
    return {
      name: `sequencing at ${entriesPerSecond} entries/s`,
      connections,
      ...places.summary(),
      rps: rate(places),
      rss_mb: Number((process.memoryUsage.rss() / 2 ** 20).toFixed(1)),
      cpu_us: Math.round((user + system) / places.count()),
      baseline: { name: "the append alone", ...appends.summary(), rps: rate(appends) },
      ratio: Number((places.count() / appends.count()).toFixed(3)),
    };
  } finally {
    await world.close();
    rmSync(directory, { recursive: true });
  }
}

interface Flow {
  /** From asking to durable. */
  readonly appends: Times;
  /** From durable to its place in a published tree. */
  readonly places: Times;
  run(seconds: number): Promise<void>;
  /** Looks at what has its place since the last time. */
  numbered(): Promise<void>;
  waiting(): number;
}

function createFlow({ append, owner }: LogWorld): Flow {
  const [appends, places] = [new Times(), new Times()];
  /** When each entry of a flush became durable. */
  const durable = new Map<string, number[]>();
  let size = 0;
  const one = async () => {
    const asked = performance.now();
    const { flush } = await append();
    const now = performance.now();
    appends.add(now - asked);
    durable.set(flush, [...(durable.get(flush) ?? []), now]);
  };
  return {
    appends,
    places,
    async run(seconds) {
      const begun = performance.now();
      const asked: Promise<void>[] = [];
      while (asked.length < seconds * entriesPerSecond) {
        const due = Math.min(seconds * entriesPerSecond, Math.floor(((performance.now() - begun) / 1_000) * entriesPerSecond));
        while (asked.length < due) asked.push(one());
        await new Promise((resolve) => setTimeout(resolve, 1_000 / ticksPerSecond));
      }
      await Promise.all(asked);
    },
    async numbered() {
      const flushes = await flushesFrom(owner, size);
      const now = performance.now();
      for (const { end, id } of flushes) {
        size = end;
        for (const since of durable.get(id) ?? []) places.add(now - since);
        durable.delete(id);
      }
    },
    waiting: () => durable.size,
  };
}

async function flushesFrom(owner: Database, from: number): Promise<{ readonly end: number; readonly id: string }[]> {
  const rows = await owner.query(
    "select index + octet_length(leaf_hashes) / 32, flush_id, now() from audit.seq where log = $1 and index >= $2 order by index",
    [log, from],
  );
  return rows.map(([end, id]) => ({ end: Number(end), id: String(id) }));
}
