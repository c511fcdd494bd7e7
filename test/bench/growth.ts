/**
 * What grows with records and with the log, at each size: masked reads, searches, an officer's search, appends, a verification, a purge, and memory. What one
 * process can hold side by side stands side by side and is measured in alternating rounds, the sizes one after the other, so that they share the machine's moods.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createFileAnchor } from "../../src/audit/file-anchor.ts";
import { createSequencer } from "../../src/audit/index.ts";
import { randomBytes } from "../../src/crypto/index.ts";
import { createNodeSigner } from "../../src/crypto/node-ed25519.ts";
import { appendFor } from "./log-append.ts";
import { measureOneWriter } from "./log-verify.ts";
import { createLogWorld, type LogWorld } from "./log-world.ts";
import type { Options } from "./options.ts";
import { contract } from "./owner.ts";
import { measureOnPostgres } from "./purge.ts";
import type { Row } from "./results.ts";
import { type Effort, median, rounded } from "./rounds.ts";
import type { Told } from "./suite.ts";
import { createWorld, type World } from "./world.ts";

const fillSeconds = 2;
const fillAtOnce = 1_000;

/** Figure → size → its value. */
type Curves = Map<string, { readonly unit: string; readonly values: Map<number, number> }>;

export async function measureGrowth({ sizes, rounds, seconds, connections: [connections = 64] }: Options): Promise<Told> {
  const curves: Curves = new Map();
  const effort = { rounds, seconds, connections };
  const versions = await growRecords(sizes, effort, curves);
  await growLog(sizes, effort, curves);
  for (const size of sizes) {
    const verified = await measureOneWriter(size);
    put(curves, ["verification", "entries/s"], size, verified.verified_entries_per_s);
    put(curves, ["memory, verifying", "MB"], size, verified.rss_mb);
  }
  for (const size of sizes) {
    const purged = await measureOnPostgres(size);
    put(curves, ["purge", "rows/s"], size, purged.rows_per_s);
    put(curves, ["memory, purging", "MB"], size, purged.rss_most_mb);
  }
  return { rows: rowsOf(curves), versions };
}

function put(curves: Curves, [figure, unit]: readonly [figure: string, unit: string], size: number, value: number): void {
  const curve = curves.get(figure) ?? { unit, values: new Map<number, number>() };
  curve.values.set(size, value);
  curves.set(figure, curve);
}

function rowsOf(curves: Curves): Row[] {
  return [...curves].flatMap(([figure, { unit, values }]) => {
    const [smallest = 0] = values.values();
    return [...values].map(([size, value]) => ({ figure, size, value, unit, of_smallest: rounded(value / smallest, 2) }));
  });
}

async function growRecords(sizes: readonly number[], { rounds, seconds, connections }: Effort, curves: Curves): Promise<World["versions"]> {
  const worlds: { readonly size: number; readonly world: World; memory: number }[] = [];
  try {
    for (const size of sizes) {
      const world = await createWorld({ customers: size, nodeFlags: [], beside: "nothing" });
      worlds.push({ size, world, memory: 0 });
      await lengthen(world, size, connections);
    }
    for (const [target, unit] of [
      ["officer search", "requests/s"] as const,
      ["read", "requests/s"] as const,
      ["search", "requests/s"] as const,
    ]) {
      const seen = new Map<number, number[]>(sizes.map((size) => [size, []]));
      for (let round = 0; round < rounds; round++)
        for (const held of worlds) {
          const { rps } = await held.world.load.run({ target, connections, seconds });
          seen.get(held.size)?.push(rps);
          held.memory = Math.max(held.memory, (await held.world.gateway.usage()).rssBytes);
          await held.world.settle();
        }
      for (const [size, rates] of seen) put(curves, [target, unit], size, Math.round(median(rates)));
    }
    for (const { size, memory } of worlds) put(curves, ["memory, serving", "MB"], size, Math.round(memory / 2 ** 20));
    return worlds[0]?.world.versions ?? {};
  } finally {
    for (const { world } of worlds) await world.close();
  }
}

/** Until the contract's log has so many entries, by reading. */
async function lengthen({ owner, load, settle }: World, entries: number, connections: number): Promise<void> {
  const size = async () => Number((await owner.query("select size::text from audit.log where log = $1", [contract]))[0]?.[0]);
  while ((await size()) < entries) {
    await load.run({ target: "read", connections, seconds: fillSeconds });
    await settle();
  }
  await owner.script("vacuum analyze");
}

async function growLog(sizes: readonly number[], { rounds, seconds, connections }: Effort, curves: Curves): Promise<void> {
  const logs: { readonly size: number; readonly log: FilledLog }[] = [];
  try {
    for (const size of sizes) logs.push({ size, log: await fillLog(size) });
    const rates = new Map<number, number[]>(sizes.map((size) => [size, []]));
    for (let round = 0; round < rounds; round++)
      for (const { size, log } of logs) {
        rates.get(size)?.push((await appendFor(log.world.append, connections, seconds)) / seconds);
        await log.number();
      }
    for (const [size, seen] of rates) put(curves, ["log append", "entries/s"], size, Math.round(median(seen)));
  } finally {
    for (const { log } of logs) await log.close();
  }
}

interface FilledLog {
  readonly world: LogWorld;
  /** Gives every entry its place. */
  number(): Promise<void>;
  close(): Promise<void>;
}

async function fillLog(entries: number): Promise<FilledLog> {
  const [world, directory] = [await createLogWorld(), mkdtempSync(join(tmpdir(), "postern-bench-anchor-"))];
  const signer = await createNodeSigner(randomBytes(32));
  const sequencer = createSequencer({ database: world.owner, signer, anchor: createFileAnchor(directory) });
  const number = async () => {
    while ((await sequencer.run()) > 0);
  };
  for (let left = entries; left > 0; left -= fillAtOnce) {
    await Promise.all(Array.from({ length: Math.min(left, fillAtOnce) }, () => world.append()));
  }
  await number();
  await world.owner.script("vacuum analyze");
  const close = async () => {
    await world.close();
    rmSync(directory, { recursive: true });
  };
  return { world, number, close };
}
