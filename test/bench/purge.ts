/**
 * A contract with very many records is purged while agents read another one: how soon its keys are gone, how fast its rows go, what the readers feel, and
 * what the gateway holds. The first records are imported; the others are copies of their rows under names of their own, which the purge cannot tell apart
 * (it opens none). On the embedded database all are imported, and nobody reads.
 */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Database } from "../../src/storage/index.ts";
import { freePort } from "../support/free-port.ts";
import { type Served, startChild } from "./child.ts";
import { generateCustomers } from "./customers.ts";
import { askAs, type House, moveIn, operatorText, readAs } from "./owner.ts";
import { createWorld } from "./world.ts";

const leaving = "c-leaving";
const readCustomers = 2_000;
const importedMax = 10_000;
const embeddedRecords = 50_000;
const copiesAtOnce = 5;
const connections = 16;
const roundSeconds = 5;
const lookEveryMs = 200;

/** The JSON form. `null`: nobody reads meanwhile. */
export interface Purged {
  readonly database: string;
  readonly records: number;
  readonly rows: number;
  /** From the fence's last entry to the one that says share B is destroyed. */
  readonly key_gone_ms: number;
  readonly rows_seconds: number;
  readonly rows_per_s: number;
  /** Of the other contract's readers: before, the median of the rounds meanwhile, and how many times that is. */
  readonly p99_before_ms: number | null;
  readonly p99_meanwhile_ms: number | null;
  readonly p99_times: number | null;
  readonly rss_before_mb: number;
  readonly rss_most_mb: number;
  /** Looks at the progress that showed less than the one before, or more than there is. */
  readonly untrue_looks: number;
  readonly looks: number;
}

export async function measurePurge(records: number): Promise<Purged[]> {
  return [await measureOnPostgres(records), await measureEmbedded(Math.min(records, embeddedRecords))];
}

export async function measureOnPostgres(records: number): Promise<Purged> {
  const world = await createWorld({ customers: readCustomers, nodeFlags: [], beside: "nothing" });
  try {
    const imported = Math.min(records, importedMax);
    await moveIn(world.house, generateCustomers(imported), leaving);
    await multiply(world.owner, Math.ceil(records / imported) - 1);
    for (const statement of ["vacuum analyze", "checkpoint"]) await world.owner.script(statement);
    await world.settle();
    const readers = () => world.load.run({ target: "read", connections, seconds: roundSeconds }).then(({ p99Ms }) => p99Ms);
    await readers();
    const before = [await readers(), await readers(), await readers()];
    const watched = await watch(world.gateway, world.house, await order(world.house));
    const meanwhile: number[] = [];
    while (!watched.isOver()) meanwhile.push(await readers());
    const [p99Before, p99Meanwhile] = [median(before), median(meanwhile)];
    return {
      database: `Postgres ${world.versions.postgres}`,
      ...(await watched.told()),
      p99_before_ms: p99Before,
      p99_meanwhile_ms: p99Meanwhile,
      p99_times: Number((p99Meanwhile / p99Before).toFixed(2)),
    };
  } finally {
    await world.close();
  }
}

async function measureEmbedded(records: number): Promise<Purged> {
  const data = mkdtempSync(join(tmpdir(), "postern-bench-"));
  const config = join(data, "postern.yaml");
  writeFileSync(config, operatorText);
  const port = await freePort();
  const house = { origin: `http://127.0.0.1:${port}`, data };
  const settings = { PORT: String(port), POSTERN_DATA: data, POSTERN_CONFIG: config, POSTERN_ORIGIN: house.origin };
  const gateway = await startChild("gateway-process.ts", settings);
  try {
    await moveIn(house, generateCustomers(records), leaving);
    const watched = await watch(gateway, house, await order(house));
    const told = await watched.told();
    return { database: "embedded", ...told, p99_before_ms: null, p99_meanwhile_ms: null, p99_times: null };
  } finally {
    await gateway.stop();
    rmSync(data, { recursive: true, force: true });
  }
}

/** Each imported row once more, `times` times, under names made of its own. */
async function multiply(owner: Database, times: number): Promise<void> {
  const named = (column: string) =>
    `substr(${column}, 1, 2) || substr(translate(encode(sha256((${column} || '/' || g)::bytea), 'hex'), '0189', 'ghij'), 1, 26)`;
  await owner.script(`create table bench_imported as select * from postern.record where contract_id = '${leaving}';
    create table bench_key as select * from postern.subject_key where contract_id = '${leaving}';
    create table bench_index as select * from postern.blind_index where contract_id = '${leaving}';`);
  for (let from = 1; from <= times; from += copiesAtOnce) {
    const range = [from, Math.min(times, from + copiesAtOnce - 1)];
    for (const statement of [
      `insert into postern.subject_key (contract_id, subject, epoch, wrapped)
       select contract_id, ${named("subject")}, epoch, wrapped from bench_key r, generate_series($1::int, $2::int) g`,
      `insert into postern.blind_index (contract_id, type, field, value, generation, locator)
       select contract_id, type, field, value, generation, ${named("locator")} from bench_index r, generate_series($1::int, $2::int) g`,
      `insert into postern.record (contract_id, type, locator, subject, version, level0, level1, level2, level3)
       select contract_id, type, ${named("locator")}, ${named("subject")}, version, level0, level1, level2, level3 from bench_imported r, generate_series($1::int, $2::int) g`,
    ])
      await owner.query(statement, range);
  }
  await owner.script("drop table bench_imported; drop table bench_key; drop table bench_index;");
}

/** Answers the job's path. */
async function order(house: House): Promise<string> {
  const path = `/v1/contracts/${leaving}/purges`;
  const { job } = (await askAs(house, "owner-1", path, { confirm: leaving })) as { job: string };
  await askAs(house, "owner-2", `${path}/${job}/approve`);
  return `${path}/${job}`;
}

interface Job {
  readonly step: string;
  readonly progress: { readonly rows_deleted: number; readonly rows: number | null };
}

type Told = Omit<Purged, "database" | "p99_before_ms" | "p99_meanwhile_ms" | "p99_times">;

/** Looks at the job and at the gateway's memory until the certificate is there. */
async function watch(gateway: Served, house: House, path: string): Promise<{ isOver(): boolean; told(): Promise<Told> }> {
  const memory = async () => (await gateway.usage()).rssBytes / 2 ** 20;
  const before = await memory();
  let [most, looks, untrue, last, over] = [before, 0, 0, 0, false];
  const look = async (): Promise<number> => {
    for (;;) {
      const { step, progress } = (await readAs(house, "owner-1", path)) as Job;
      const { rows_deleted: deleted, rows } = progress;
      looks++;
      if (deleted < last || (rows !== null && deleted > rows)) untrue++;
      [last, most] = [deleted, Math.max(most, await memory())];
      if (step === "certified") return rows ?? 0;
      await new Promise((resolve) => setTimeout(resolve, lookEveryMs));
    }
  };
  const looking = look().finally(() => {
    over = true;
  });
  return {
    isOver: () => over,
    async told() {
      const rows = await looking;
      const { scope, at } = await certified(house, path);
      const seconds = (at("purge.derived.done") - at("purge.rows.intent")) / 1_000;
      return {
        records: scope["postern.record"] ?? 0,
        rows,
        key_gone_ms: at("purge.share_b.done") - at("purge.fence.done"),
        rows_seconds: Number(seconds.toFixed(1)),
        rows_per_s: Math.round(rows / seconds),
        rss_before_mb: Math.round(before),
        rss_most_mb: Math.round(most),
        untrue_looks: untrue,
        looks,
      };
    },
  };
}

/** What was counted before, and when each entry was written, as the certificate has it. */
async function certified(house: House, path: string): Promise<{ scope: Record<string, number>; at: (event: string) => number }> {
  const jws = (await readAs(house, "owner-1", `${path}/certificate`)) as string;
  const content = JSON.parse(Buffer.from(jws.split(".")[1] ?? "", "base64url").toString("utf8")) as {
    scope: { before: Record<string, number> };
    log: { entries: { bytes: string }[] };
  };
  const entries = content.log.entries.map(
    ({ bytes }) => JSON.parse(Buffer.from(bytes, "base64").toString("utf8")) as { event: string; time: string },
  );
  const at = (event: string) => Date.parse(entries.find((entry) => entry.event === event)?.time ?? "");
  return { scope: content.scope.before, at };
}

function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  return Number((sorted[sorted.length >> 1] ?? Number.NaN).toFixed(1));
}
