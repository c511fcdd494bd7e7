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
import { type Customer, generateCustomer, generateCustomers } from "./customers.ts";
import { type Load, startLoad, type Target } from "./load.ts";
import { startNginx } from "./nginx.ts";
import { agentTokens, contract, type House, moveIn, officerToken, operatorText } from "./owner.ts";
import { createPlainTable, fillPlainTable, rememberedMax } from "./plain.ts";
import { plainPostgres } from "./rounds.ts";
import { startViews } from "./views.ts";

export interface WorldOptions {
  readonly customers: number;
  /** Of the gateway's Node: `--cpu-prof`. */
  readonly nodeFlags: readonly string[];
  /** What is there to be compared with: the plain table, or everything that a read is compared with. */
  readonly beside?: "nothing" | "plain" | "everything";
}

export interface World {
  /** Superuser. */
  readonly owner: Database;
  readonly house: House;
  readonly gateway: Served;
  /** The bare routes. */
  readonly baseline: Served;
  readonly load: Load;
  /** What a read is compared with: names of the load's targets. */
  readonly baselines: readonly string[];
  readonly versions: Readonly<Record<string, string>>;
  /** Waits until the gateway has numbered every entry, so that one round does not pay for the one before. */
  settle(): Promise<void>;
  close(): Promise<void>;
}

const settleMs = 100;
/** Customers that are asked for: a hundred thousand requests more would only fill the load's memory. */
const askedMax = 20_000;

export async function createWorld({ customers: count, nodeFlags, beside = "plain" }: WorldOptions): Promise<World> {
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

    const asked = sampleOf(count);
    const data = mkdtempSync(join(tmpdir(), "postern-bench-"));
    closing.push(() => rmSync(data, { recursive: true, force: true }));
    const environment = await furnish(cluster, data);
    const house: House = { origin: environment.POSTERN_ORIGIN, data };
    const filling = await startChild("gateway-process.ts", environment);
    closing.push(() => filling.stop());
    await moveIn(house, generateCustomers(count));
    await filling.stop();
    const gateway = await startChild("gateway-process.ts", environment, nodeFlags);
    closing.push(() => gateway.stop());
    await createPlainTable(owner);
    if (beside !== "nothing") await fillPlainTable(owner, generateCustomers(count));
    const views = beside === "everything" ? await startViews(generateCustomers(count)) : null;
    if (views) closing.push(() => views.close());
    const baseline = await startChild("baseline-process.ts", {
      BASELINE_DATABASE_URL: cluster.url,
      BASELINE_VIEWS_URL: views?.url ?? cluster.url,
    });
    closing.push(() => baseline.stop());
    const nginx = beside === "everything" ? await startNginx(baseline.port) : null;
    if (nginx) closing.push(() => nginx.stop());
    await owner.script("vacuum analyze");

    const baselines = baselineTargets(asked, { baseline, views: views?.name ?? null, nginx });
    const load = startLoad({ ...(await targetsOf({ owner, customers: asked, gateway, house })), ...baselines });
    closing.push(() => load.stop());
    const [version] = await owner.query("show server_version");
    const versions = {
      postgres: String(version?.[0]),
      ...(views ? { "postgres of the views": views.postgresVersion } : {}),
      ...(nginx ? { nginx: nginx.version } : {}),
    };
    return { owner, house, gateway, baseline, load, baselines: Object.keys(baselines), versions, settle: () => settle(owner), close };
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

/** Evenly out of all. */
function sampleOf(count: number): Customer[] {
  const step = Math.ceil(count / askedMax);
  return Array.from({ length: Math.ceil(count / step) }, (_, number) => generateCustomer(number * step));
}

interface Filled {
  readonly owner: Database;
  readonly customers: readonly Customer[];
  readonly gateway: Served;
  readonly house: House;
}

/** By the scenario's name. */
async function targetsOf({ owner, customers, gateway, house }: Filled): Promise<Record<string, Target>> {
  const tokens = await agentTokens(house);
  const located = await owner.query("select locator from postern.record where contract_id = $1 order by random() limit $2", [
    contract,
    askedMax,
  ]);
  const records = `/v1/contracts/${contract}/records/customer`;
  const search = ({ phone }: Customer) => {
    const body = JSON.stringify({ by: { phone } });
    return { head: `POST ${records}/search HTTP/1.1\r\ncontent-type: application/json\r\ncontent-length: ${body.length}\r\n`, body };
  };
  return {
    read: { port: gateway.port, tokens, requests: located.map(([locator]) => get(`${records}/${locator}`)) },
    search: { port: gateway.port, tokens, requests: customers.map(search) },
    "officer search": {
      ...{ port: gateway.port, tokens: [await officerToken(house)] },
      requests: located.map(([locator]) => get(`/v1/contracts/${contract}/audit/entries?subject=${locator}`)),
    },
  };
}

const get = (path: string) => ({ head: `GET ${path} HTTP/1.1\r\n`, body: "" });

interface Beside {
  readonly baseline: Served;
  /** What they are called, where there are any. */
  readonly views: string | null;
  readonly nginx: { readonly port: number } | null;
}

/** The plain row first: a search is compared with it as well. */
function baselineTargets(customers: readonly Customer[], { baseline, views, nginx }: Beside): Record<string, Target> {
  const asking = (path: string, { port }: { readonly port: number } = baseline, max = customers.length): Target => ({
    ...{ port, tokens: [] },
    requests: customers.slice(0, max).map(({ id }) => get(`/${path}/${id}`)),
  });
  return {
    [plainPostgres]: asking("customers"),
    ...(views ? { memory: asking("memory", baseline, rememberedMax), [views]: asking("masked") } : {}),
    ...(nginx ? { "nginx before plain-postgres": asking("customers", nginx) } : {}),
  };
}

export async function settle(owner: Database): Promise<void> {
  for (;;) {
    const [row] = await owner.query("select count(*)::int from audit.pending");
    if (row?.[0] === 0) return;
    await new Promise((resolve) => setTimeout(resolve, settleMs));
  }
}
