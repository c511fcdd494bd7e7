import { existsSync } from "node:fs";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { migrate } from "../src/storage/index.ts";
import { readMigrations } from "../src/storage/node-migrations.ts";
import { bringIntoForce, importLines, search } from "./support/agreement.ts";
import { type Cluster, debianPostgres15, openTestPool, startCluster } from "./support/databases.ts";
import { createGateway, type Gateway } from "./support/gateway.ts";

describe.skipIf(!existsSync(debianPostgres15))("the oldest Postgres that we promise: 15", () => {
  let cluster: Cluster;
  let gateway: Gateway;
  beforeAll(async () => {
    cluster = await startCluster({ binaries: debianPostgres15 });
    const owner = openTestPool(cluster.url);
    await migrate(owner, readMigrations());
    await owner.close();
    const edge = openTestPool(cluster.urlOf("postgres", "postern_edge"));
    gateway = await createGateway({ database: openTestPool(cluster.urlOf("postgres", "postern_keeper")), edgeDatabase: edge });
  }, 60_000);
  afterAll(async () => {
    await gateway.close();
    await cluster.remove();
  });

  it("serves the whole journey: in force, imported, found, numbered, purged", async () => {
    await bringIntoForce(gateway);
    await importLines(gateway, [{ id: "1", name: "林小满", phone: "13800138000" }]);
    expect((await search(gateway, { phone: "138 0013 8000" })).records.map((record) => record.fields.name)).toEqual(["林**"]);
    expect(await gateway.keeper.sequence()).toBeGreaterThan(0);
    const started = await gateway.call("POST", "/v1/contracts/c-test/purges", { as: "owner-1", body: { confirm: "c-test" } });
    const { job } = (await started.json()) as { job: string };
    await gateway.call("POST", `/v1/contracts/c-test/purges/${job}/approve`, { as: "owner-2" });
    await gateway.keeper.tick();
    const watched = await gateway.call("GET", `/v1/contracts/c-test/purges/${job}`, { as: "owner-1" });
    expect(await watched.json()).toMatchObject({ step: "certified" });
    expect(gateway.faults).toEqual([]);
  });
});
