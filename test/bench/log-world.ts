/** A log on a Postgres of its own, and who writes to it: what the scenarios about the log share. The way to the database can be made longer. */
import { createAuditWriter, type EntryDraft, openLog } from "../../src/audit/index.ts";
import type { DurableReceipt } from "../../src/audit/log.ts";
import { randomBytes, useHashes } from "../../src/crypto/index.ts";
import { nodeAead } from "../../src/crypto/node-aead.ts";
import { createNodeSigner } from "../../src/crypto/node-ed25519.ts";
import { nodeHashes } from "../../src/crypto/node-hash.ts";
import { createAuditKeys, createRootKey } from "../../src/keys/index.ts";
import { type Database, migrate } from "../../src/storage/index.ts";
import { readMigrations } from "../../src/storage/node-migrations.ts";
import { openPostgres } from "../../src/storage/postgres.ts";
import { startCluster } from "../support/cluster.ts";
import { startTcpProxy } from "../support/tcp-proxy.ts";

export const log = "c-bench";
const origin = `bench/${log}`;

/** As long as an agent's reading is. */
export const draft: EntryDraft = {
  event: "record.read",
  actor: { role: "agent", issuer: "bench", subject: "agent-1" },
  request: { id: "0123456789abcdef", route: "GET /v1/contracts/{contract}/records/{type}/{locator}", address: "192.0.2.7" },
  reason: { purpose: "after_sales" },
  resource: { type: "customer", records: [{ locator: `r_${"m".repeat(26)}` }], fields: { name: "mask", phone: "mask" } },
  outcome: { effect: "allow", code: "ok" },
};

export interface LogWorld {
  /** One connection, as superuser, directly. */
  readonly owner: Database;
  /** Ten, over the wire that `delay` makes longer. */
  readonly pool: Database;
  /** Milliseconds, each way. */
  delay(ms: number): void;
  append(): Promise<DurableReceipt>;
  close(): Promise<void>;
}

export async function createLogWorld(): Promise<LogWorld> {
  useHashes(nodeHashes);
  const cluster = await startCluster();
  const proxy = await startTcpProxy(cluster.port);
  const owner = openPostgres({ url: cluster.url, poolSize: 1, queueMax: 10, deadlineMs: 120_000 });
  const url = cluster.url.replace(`:${cluster.port}/`, `:${proxy.port}/`);
  const pool = openPostgres({ url, poolSize: 10, queueMax: 1_000, deadlineMs: 60_000 });
  await migrate(owner, readMigrations());
  const auditKeys = createAuditKeys(createRootKey(nodeAead, randomBytes(32)));
  await openLog(owner, log, origin);
  await auditKeys.prepare(owner, log, new Date());
  const signer = await createNodeSigner(randomBytes(32));
  const writer = createAuditWriter({ database: pool, aead: nodeAead, signer, auditKeys, now: Date.now, mergeDelaySeconds: 300 });
  const handle = { log, base: origin, pseudonymKey: randomBytes(32) };
  return {
    owner,
    pool,
    delay: proxy.delay,
    append: () => writer.append(handle, draft),
    async close() {
      await pool.close();
      await owner.close();
      await proxy.close();
      await cluster.remove();
    },
  };
}
