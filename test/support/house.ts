/** All that a gateway needs to be under fire: a Postgres of its own, a wire between them that can be damaged, a contract in force, a record to read. */
import { readEntry, type Trust } from "../../src/audit/index.ts";
import { parsePromise } from "../../src/audit/promise.ts";
import { decodeEntries } from "../../src/audit/tiles.ts";
import type { Verdict } from "../../src/audit/verdict.ts";
import { verifyExport } from "../../src/audit/verify.ts";
import { verifySignature } from "../../src/crypto/index.ts";
import { type Database, migrate } from "../../src/storage/index.ts";
import { readMigrations } from "../../src/storage/node-migrations.ts";
import { openPostgres } from "../../src/storage/postgres.ts";
import { importLines, search } from "./agreement.ts";
import { bundleOf, membersOf } from "./bundle.ts";
import { type Cluster, type ClusterOptions, startCluster } from "./cluster.ts";
import { createGatewayProcess, type GatewayProcess, type GatewayProcessOptions } from "./gateway-process.ts";
import { agreeOnTrust } from "./log-gateway.ts";
import type { Read } from "./readers.ts";
import { startTcpProxy, type TcpProxy } from "./tcp-proxy.ts";
import { until } from "./until.ts";

const healMsMax = 5_000;
const clockApartMsMax = 60_000;

export interface House {
  readonly cluster: Cluster;
  /** Between the gateway and its Postgres. */
  readonly wire: TcpProxy;
  readonly gateway: GatewayProcess;
  /** An agent's reading of the one record. */
  readonly read: Read;
  readonly trust: Trust;
  /** When, by our clock. */
  readonly openedAt: number;
  /** Superuser, past the wire. */
  readonly owner: Database;
  remove(): Promise<void>;
}

export interface HouseOptions extends Pick<GatewayProcessOptions, "script" | "operators" | "variables"> {
  readonly cluster?: ClusterOptions;
  /** Run on the migrated database before the gateway starts. */
  readonly sql?: string;
}

/** A customer whose values a test may look for in what it is given. */
export const customer = { id: "U1", name: "欧阳娜娜", phone: "13800138000", email: "nana@example.com", vip: true };

export async function openHouse({ cluster: clusterOptions = {}, sql, ...process }: HouseOptions = {}): Promise<House> {
  const closing: (() => Promise<unknown>)[] = [];
  const openedAt = Date.now();
  const remove = async () => {
    for (const step of closing.reverse()) await step();
  };
  try {
    const cluster = await startCluster(clusterOptions);
    closing.push(() => cluster.remove());
    const owner = openPostgres({ url: cluster.url, poolSize: 2, queueMax: 100, deadlineMs: 30_000 });
    closing.push(() => owner.close());
    await migrate(owner, readMigrations());
    if (sql) await owner.script(sql);
    const wire = await startTcpProxy(cluster.port);
    closing.push(() => wire.close());
    const urlOf = (role: string) => `postgres://${role}@127.0.0.1:${wire.port}/postgres`;
    const gateway = await createGatewayProcess({ edgeUrl: urlOf("postern_edge"), keeperUrl: urlOf("postern_keeper"), ...process });
    closing.push(() => gateway.remove());
    await gateway.start();
    const trust = await agreeOnTrust(gateway);
    await importLines(gateway, [customer]);
    const { records } = await search(gateway, { id: customer.id });
    const path = `/v1/contracts/c-test/records/customer/${records[0]?.locator}`;
    return {
      cluster,
      wire,
      gateway,
      trust,
      openedAt,
      owner,
      remove,
      read: { port: gateway.port, path, token: () => gateway.token("agent-1") },
    };
  } catch (error) {
    await remove();
    throw error;
  }
}

export interface Count {
  /** Ids that a client was promised and the log does not hold. */
  readonly missing: readonly string[];
  /** Ids that it holds more than once. */
  readonly twice: readonly string[];
  /** Entries of agents' readings of a record that were allowed. */
  readonly reads: number;
  /** Entries of imports that came to their end. */
  readonly imports: number;
  /** Ids of entries whose time is more than a minute before the house was opened, or after now. */
  readonly untimely: readonly string[];
  readonly verdict: Verdict;
}

/** Holds what clients kept against what an officer takes away: each promise has its entry, once. Waits where the gateway is still healing. */
export async function countBothSides({ gateway, trust, openedAt }: House, promises: readonly string[]): Promise<Count> {
  const path = "/v1/contracts/c-test/audit/export?format=bundle";
  let exported = new Response();
  const took = async () => {
    exported = await gateway.call("GET", path, { as: "officer" });
    return exported.status === 200;
  };
  await until("an export", took, healMsMax);
  if (!exported.body) throw new Error("an export has a body");
  const members = await membersOf(exported.body);
  const times = new Map<string, number>();
  const untimely: string[] = [];
  let [reads, imports] = [0, 0];
  for (const [name, bytes] of members) {
    for (const text of name.startsWith("tile/entries/") ? (decodeEntries(bytes) ?? []) : []) {
      const entry = readEntry(text);
      if (!entry) throw new Error("the log holds what is no entry");
      times.set(entry.id, (times.get(entry.id) ?? 0) + 1);
      const at = Date.parse(entry.time);
      if (at < openedAt - clockApartMsMax || at > Date.now() + clockApartMsMax) untimely.push(entry.id);
      if (entry.event === "record.read" && entry.outcome.effect === "allow") reads++;
      if (entry.event === "records.imported" && entry.outcome.code === "done") imports++;
    }
  }
  const promised = promises.map((promise) => parsePromise(promise)?.id ?? promise);
  return {
    missing: promised.filter((id) => !times.has(id)),
    twice: [...times].filter(([, count]) => count > 1).map(([id]) => id),
    reads,
    imports,
    untimely,
    verdict: await verifyExport({ bundle: bundleOf(members), trust, seen: promises, verifySignature }),
  };
}
