/**
 * What it costs to ask a merchant's own API through the gateway, with the log on: an order of 5 kB and a trade of 600 fields, next to the API itself and
 * next to Hono's proxy, which hands everything on. The API answers from memory on the loopback, in the clear, so nothing hides what the gateway adds.
 */
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { migrate } from "../../src/storage/index.ts";
import { readMigrations } from "../../src/storage/node-migrations.ts";
import { openPostgres } from "../../src/storage/postgres.ts";
import { startCluster } from "../support/cluster.ts";
import { startChild } from "./child.ts";
import { startLoad, type Target } from "./load.ts";
import { agentTokens, type House, openApi } from "./owner.ts";
import { type Effort, type Measurable, measureBeside, type Scenario } from "./rounds.ts";
import { furnish, settle } from "./world.ts";

const shop = { contract: "c-shop", path: "/admin/api/2026-07/orders/450789469.json" };
const top = { contract: "c-top", path: "/router/rest?method=taobao.trade.fullinfo.get&tid=2188082354079" };
const file = (path: string) => readFileSync(new URL(`../../policies/${path}`, import.meta.url), "utf8");

export async function measureUpstream(
  efforts: readonly Effort[],
  nodeFlags: readonly string[],
): Promise<{ scenarios: Scenario[]; postgres: string }> {
  const closing: (() => unknown)[] = [];
  try {
    const { world, postgres } = await createUpstreamWorld(closing, nodeFlags);
    const scenarios: Scenario[] = [];
    for (const effort of efforts)
      for (const body of ["order", "trade"])
        scenarios.push(
          ...(await measureBeside(
            world,
            `${body}, masked`,
            { [`upstream-${body}`]: `${body}, hono-proxy`, [`upstream-${body}, added`]: `${body}, direct` },
            effort,
          )),
        );
    return { scenarios, postgres };
  } finally {
    for (const step of closing.reverse()) await step();
  }
}

async function createUpstreamWorld(
  closing: (() => unknown)[],
  nodeFlags: readonly string[],
): Promise<{ world: Measurable; postgres: string }> {
  const cluster = await startCluster();
  closing.push(() => cluster.remove());
  const owner = openPostgres({ url: cluster.url, poolSize: 1, queueMax: 10, deadlineMs: 120_000 });
  closing.push(() => owner.close());
  await migrate(owner, readMigrations());
  const data = mkdtempSync(join(tmpdir(), "postern-bench-"));
  closing.push(() => rmSync(data, { recursive: true, force: true }));
  const upstream = await startChild("upstream-process.ts");
  closing.push(() => upstream.stop());
  const where = { BENCH_UPSTREAM_PORT: String(upstream.port) };
  const environment = await furnish(cluster, data);
  const house: House = { origin: environment.POSTERN_ORIGIN, data };
  const gateway = await startChild("gateway-process.ts", { ...environment, ...where }, nodeFlags);
  closing.push(() => gateway.stop());
  const proxy = await startChild("proxy-process.ts", where);
  closing.push(() => proxy.stop());
  const open = (contract: string, policy: string, connector: string, settings: Record<string, string>, credential: string) =>
    openApi(house, { contract, policy: file(`${policy}.yaml`), connector: file(`connectors/${connector}.yaml`), settings, credential });
  await open(shop.contract, "western-shop", "shopify", { shop: "acme" }, "bench-token");
  await open(top.contract, "cs-standard", "taobao", {}, "1234:bench-secret:bench-session");
  const tokens = await agentTokens(house);
  const target = (port: number, path: string, own: readonly string[] = []): Target => ({
    ...{ port, tokens: own },
    requests: [{ head: `GET ${path} HTTP/1.1\r\n`, body: "" }],
  });
  const masked = ({ contract, path }: typeof shop) => target(gateway.port, `/v1/contracts/${contract}/upstream/api${path}`, tokens);
  const load = startLoad({
    ...{ "order, masked": masked(shop), "trade, masked": masked(top) },
    ...{ "order, hono-proxy": target(proxy.port, shop.path), "trade, hono-proxy": target(proxy.port, top.path) },
    ...{ "order, direct": target(upstream.port, shop.path), "trade, direct": target(upstream.port, top.path) },
  });
  closing.push(() => load.stop());
  const [version] = await owner.query("show server_version");
  return { world: { gateway, load, settle: () => settle(owner) }, postgres: String(version?.[0]) };
}
