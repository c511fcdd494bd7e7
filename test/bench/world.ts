/**
 * All that a run needs, started and filled: a Postgres 18 of its own with its defaults (fsync on), the gateway and the baseline as one Node process
 * each, the same customers in both, and the load. The gateway that imported them is not the one that is measured: serving is.
 */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Database, migrate } from "../../src/storage/index.ts";
import { readMigrations } from "../../src/storage/node-migrations.ts";
import { openPostgres } from "../../src/storage/postgres.ts";
import { type Cluster, startCluster } from "../support/cluster.ts";
import { freePort } from "../support/free-port.ts";
import { type Served, startChild } from "./child.ts";
import { type Customer, generateCustomer } from "./customers.ts";
import { type Load, startLoad, type Target } from "./load.ts";
import { agentTokens, contract, type House, moveIn, operatorText } from "./owner.ts";

export interface WorldOptions {
  readonly customers: number;
  /** Of the gateway's Node: `--cpu-prof`. */
  readonly nodeFlags: readonly string[];
}

export interface World {
  /** Superuser. */
  readonly owner: Database;
  readonly house: House;
  readonly gateway: Served;
  readonly load: Load;
  readonly postgresVersion: string;
  /** Waits until the gateway has numbered every entry, so that one round does not pay for the one before. */
  settle(): Promise<void>;
  close(): Promise<void>;
}

const settleMs = 100;

export async function createWorld({ customers: count, nodeFlags }: WorldOptions): Promise<World> {
  const closing: (() => unknown)[] = [];
  const close = async () => {
    for (const step of closing.reverse()) await step();
  };
  try {
    const cluster = await startCluster();
    closing.push(() => cluster.remove());
    const owner = openPostgres({ url: cluster.url, poolSize: 1, queueMax: 10, deadlineMs: 120_000 });
    closing.push(() => owner.close());
    await migrate(owner, readMigrations());

    const customers = Array.from({ length: count }, (_, number) => generateCustomer(number));
    const data = mkdtempSync(join(tmpdir(), "postern-bench-"));
    closing.push(() => rmSync(data, { recursive: true, force: true }));
    const environment = await furnish(cluster, data);
    const house: House = { origin: environment.POSTERN_ORIGIN, data };
    const filling = await startChild("gateway-process.ts", environment);
    closing.push(() => filling.stop());
    await moveIn(house, customers);
    await filling.stop();
    const gateway = await startChild("gateway-process.ts", environment, nodeFlags);
    closing.push(() => gateway.stop());
    await fillBaseline(owner, customers);
    const baseline = await startChild("baseline-process.ts", { BASELINE_DATABASE_URL: cluster.url });
    closing.push(() => baseline.stop());
    await owner.script("vacuum analyze");

    const load = startLoad(await targetsOf({ owner, customers, gateway, baseline, house }));
    closing.push(() => load.stop());
    const [version] = await owner.query("show server_version");
    return { owner, house, gateway, load, postgresVersion: String(version?.[0]), settle: () => settle(owner), close };
  } catch (error) {
    await close();
    throw error;
  }
}

/** The operator's file, and the gateway's environment. */
export async function furnish(cluster: Cluster, data: string) {
  const config = join(data, "postern.yaml");
  writeFileSync(config, operatorText);
  const port = await freePort();
  const origin = `http://127.0.0.1:${port}`;
  return {
    PORT: String(port),
    DATABASE_URL_EDGE: cluster.urlOf("postgres", "postern_edge"),
    DATABASE_URL_KEEPER: cluster.urlOf("postgres", "postern_keeper"),
    POSTERN_DATA: data,
    POSTERN_CONFIG: config,
    POSTERN_ORIGIN: origin,
  };
}

async function fillBaseline(owner: Database, customers: readonly Customer[]): Promise<void> {
  await owner.script("create schema bench; create table bench.customer (id text primary key, doc jsonb not null);");
  for (let from = 0; from < customers.length; from += 1_000) {
    const batch = JSON.stringify(customers.slice(from, from + 1_000));
    await owner.query("insert into bench.customer select doc ->> 'id', doc from jsonb_array_elements($1::text::jsonb) doc", [batch]);
  }
}

interface Filled {
  readonly owner: Database;
  readonly customers: readonly Customer[];
  readonly gateway: Served;
  readonly baseline: Served;
  readonly house: House;
}

/** By the scenario's name, and `plain-postgres`. */
async function targetsOf({ owner, customers, gateway, baseline, house }: Filled): Promise<Record<string, Target>> {
  const tokens = await agentTokens(house);
  const located = await owner.query("select locator from postern.record where contract_id = $1", [contract]);
  const records = `/v1/contracts/${contract}/records/customer`;
  const get = (path: string) => ({ head: `GET ${path} HTTP/1.1\r\n`, body: "" });
  const search = ({ phone }: Customer) => {
    const body = JSON.stringify({ by: { phone } });
    return { head: `POST ${records}/search HTTP/1.1\r\ncontent-type: application/json\r\ncontent-length: ${body.length}\r\n`, body };
  };
  return {
    read: { port: gateway.port, tokens, requests: located.map(([locator]) => get(`${records}/${locator}`)) },
    search: { port: gateway.port, tokens, requests: customers.map(search) },
    "plain-postgres": { port: baseline.port, tokens: [], requests: customers.map(({ id }) => get(`/customers/${id}`)) },
  };
}

export async function settle(owner: Database): Promise<void> {
  for (;;) {
    const [row] = await owner.query("select count(*)::int from audit.pending");
    if (row?.[0] === 0) return;
    await new Promise((resolve) => setTimeout(resolve, settleMs));
  }
}
