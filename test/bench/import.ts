/**
 * How fast records come in, as NDJSON in one request, and whether memory stays as it is: beside a bare Hono route that puts the same lines into one table as
 * they are, in alternating rounds. Each round brings records that were not there before.
 */
import type { Served } from "./child.ts";
import { type Customer, generateCustomers } from "./customers.ts";
import { bringIn, linesOf, openContract, sendStream } from "./owner.ts";
import { median, rounded } from "./rounds.ts";
import type { Told } from "./suite.ts";
import { createWorld } from "./world.ts";

const lookEveryMs = 100;

interface Imported {
  readonly seconds: number;
  readonly cpuMicros: number;
  /** The most in the first half of the time, and in the second. */
  readonly rssBytes: readonly [number, number];
}

export async function measureImport({ rounds, imported: count }: { readonly rounds: number; readonly imported: number }): Promise<Told> {
  const world = await createWorld({ customers: 1, nodeFlags: [] });
  try {
    const { house, gateway, baseline } = world;
    const token = await openContract(house, "c-import");
    const ours: Imported[] = [];
    const theirs: number[] = [];
    for (let round = 0; round < rounds; round++) {
      const customers = [...generateCustomers(count, 1 + round * count)];
      theirs.push(await timed(() => importBarely(baseline, customers)));
      ours.push(await watched(gateway, () => bringIn(house, token, customers, "c-import")));
      await world.settle();
    }
    const perSecond = count / median(ours.map(({ seconds }) => seconds));
    const barePerSecond = count / median(theirs);
    const growth = median(ours.map(({ rssBytes: [first, second] }) => second - first));
    const row = {
      ...{ records: count, records_per_s: Math.round(perSecond) },
      rss_mb: rounded(Math.max(...ours.flatMap(({ rssBytes }) => rssBytes)) / 2 ** 20, 1),
      rss_growth_mb: rounded(growth / 2 ** 20, 1),
      cpu_us: Math.round(median(ours.map(({ cpuMicros }) => cpuMicros)) / count),
      ...{ baseline: "plain-postgres", baseline_records_per_s: Math.round(barePerSecond), ratio: rounded(perSecond / barePerSecond, 3) },
    };
    return { rows: [row], versions: world.versions, effort: { seconds: 0 } };
  } finally {
    await world.close();
  }
}

async function importBarely({ port }: Served, customers: readonly Customer[]): Promise<void> {
  const answer = await sendStream(`http://127.0.0.1:${port}/import`, {}, linesOf(customers));
  if (!answer.ok) throw new Error(`the bare import answered ${answer.status}`);
}

async function timed(work: () => Promise<unknown>): Promise<number> {
  const begun = performance.now();
  await work();
  return (performance.now() - begun) / 1_000;
}

async function watched(gateway: Served, work: () => Promise<unknown>): Promise<Imported> {
  const before = await gateway.usage();
  const seen: number[] = [before.rssBytes];
  const watch = setInterval(() => void gateway.usage().then(({ rssBytes }) => seen.push(rssBytes)), lookEveryMs);
  const seconds = await timed(work);
  clearInterval(watch);
  const after = await gateway.usage();
  seen.push(after.rssBytes);
  const half = Math.ceil(seen.length / 2);
  return {
    ...{ seconds, cpuMicros: after.cpuMicros - before.cpuMicros },
    rssBytes: [Math.max(...seen.slice(0, half)), Math.max(...seen.slice(half))],
  };
}
