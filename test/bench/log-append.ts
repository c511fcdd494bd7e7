/**
 * How fast entries become durable, next to a chain per row: each row carries the hash of the one before, so that writers wait for each other's commits.
 * The same entries, database, pool and numbers of callers; on the loopback, and with 10 ms to the database and back.
 */
import { createAuditWriter, type EntryDraft, openLog } from "../../src/audit/index.ts";
import { randomBytes, sha256, useHashes, utf8 } from "../../src/crypto/index.ts";
import { nodeAead } from "../../src/crypto/node-aead.ts";
import { createNodeSigner } from "../../src/crypto/node-ed25519.ts";
import { nodeHashes } from "../../src/crypto/node-hash.ts";
import { createAuditKeys, createRootKey } from "../../src/keys/index.ts";
import { type Database, migrate } from "../../src/storage/index.ts";
import { readMigrations } from "../../src/storage/node-migrations.ts";
import { openPostgres } from "../../src/storage/postgres.ts";
import { startCluster } from "../support/cluster.ts";
import { startTcpProxy } from "../support/tcp-proxy.ts";
import type { Effort, Scenario } from "./rounds.ts";
import { Times } from "./times.ts";

const log = "c-bench";
const origin = `bench/${log}`;
const oneWayMs = 5;
const warmUpSeconds = 1;
const draft: EntryDraft = {
  event: "record.read",
  actor: { role: "agent", issuer: "bench", subject: "agent-1" },
  request: { id: "0123456789abcdef", route: "GET /v1/contracts/{contract}/records/{type}/{locator}", address: "192.0.2.7" },
  reason: { purpose: "after_sales" },
  resource: { type: "customer", records: [{ locator: `r_${"m".repeat(26)}` }], fields: { name: "mask", phone: "mask" } },
  outcome: { effect: "allow", code: "ok" },
};

export async function measureLogAppend(effort: Effort): Promise<Scenario[]> {
  useHashes(nodeHashes);
  const cluster = await startCluster();
  const proxy = await startTcpProxy(cluster.port);
  const owner = openPostgres({ url: cluster.url, poolSize: 1, queueMax: 10, deadlineMs: 120_000 });
  const pool = openPostgres({
    url: cluster.url.replace(`:${cluster.port}/`, `:${proxy.port}/`),
    poolSize: 10,
    queueMax: 1_000,
    deadlineMs: 60_000,
  });
  try {
    await migrate(owner, readMigrations());
    await owner.script(chainTables);
    const auditKeys = createAuditKeys(createRootKey(nodeAead, randomBytes(32)));
    await openLog(owner, log, origin);
    await auditKeys.prepare(owner, log, new Date());
    const writer = createAuditWriter({
      database: pool,
      aead: nodeAead,
      signer: await createNodeSigner(randomBytes(32)),
      auditKeys,
      now: Date.now,
      mergeDelaySeconds: 300,
    });
    const handle = { log, origin, pseudonymKey: randomBytes(32) };
    const work = { ours: () => writer.append(handle, draft), theirs: () => appendToChain(pool) };
    const near = await measureAt("log-append", work, effort);
    proxy.delay(oneWayMs);
    return [near, await measureAt("log-append, 10 ms away", work, effort)];
  } finally {
    await pool.close();
    await owner.close();
    await proxy.close();
    await cluster.remove();
  }
}

interface Work {
  readonly ours: () => Promise<unknown>;
  readonly theirs: () => Promise<unknown>;
}

async function measureAt(name: string, { ours, theirs }: Work, { rounds, seconds, connections }: Effort): Promise<Scenario> {
  const measured = { ours: new Times(), theirs: new Times() };
  let cpuMicros = 0;
  for (const work of [theirs, ours]) await run(work, connections, warmUpSeconds, new Times());
  for (let round = 0; round < rounds; round++) {
    await run(theirs, connections, seconds, measured.theirs);
    const before = process.cpuUsage();
    await run(ours, connections, seconds, measured.ours);
    const { user, system } = process.cpuUsage(before);
    cpuMicros += user + system;
  }
  const of = (times: Times) => ({ ...times.summary(), rps: Number((times.count() / (rounds * seconds)).toFixed(1)) });
  const entries = of(measured.ours);
  const baseline = of(measured.theirs);
  return {
    name,
    connections,
    ...entries,
    rss_mb: Number((process.memoryUsage.rss() / 2 ** 20).toFixed(1)),
    cpu_us: Math.round(cpuMicros / measured.ours.count()),
    baseline: { name: "chain-per-row", ...baseline },
    ratio: Number((entries.rps / baseline.rps).toFixed(1)),
  };
}

/** So many callers, each of whom asks again when it is answered; what ends after the time is not counted. */
async function run(work: () => Promise<unknown>, callers: number, seconds: number, times: Times): Promise<void> {
  const end = performance.now() + seconds * 1_000;
  const one = async () => {
    for (let start = performance.now(); start < end; ) {
      await work();
      const now = performance.now();
      if (now <= end) times.add(now - start);
      start = now;
    }
  };
  await Promise.all(Array.from({ length: callers }, one));
}

const chainTables = `create schema bench;
create table bench.head (log text primary key, n bigint not null, hash bytea not null);
create table bench.chain (log text, n bigint, entry text not null, hash bytea not null, primary key (log, n));
insert into bench.head values ('${log}', 0, '');`;

/** The lock is held from the first statement to the end of the commit. */
function appendToChain(database: Database): Promise<unknown> {
  return database.transaction(async (tx) => {
    const [head] = await tx.query("select n, hash from bench.head where log = $1 for update", [log]);
    const [n, previous] = [Number(head?.[0]) + 1, head?.[1]];
    const entry = JSON.stringify({ ...draft, n, time: new Date().toISOString() });
    const hash = sha256(utf8(`${previous instanceof Uint8Array ? Buffer.from(previous).toString("hex") : ""}${entry}`));
    await tx.query(
      "with moved as (update bench.head set n = $2, hash = $4 where log = $1) insert into bench.chain (log, n, entry, hash) values ($1, $2, $3, $4)",
      [log, n, entry, hash],
    );
  });
}
