/** Where the journeys are made: both sides in one Node process on each database that we promise, and the three scripts in workerd. */
import { migrate } from "../../src/storage/index.ts";
import { readMigrations } from "../../src/storage/node-migrations.ts";
import { createPostgresDatabase, debianPostgres15, openTestPool, startCluster } from "./databases.ts";
import { createGateway, type GatewayOptions } from "./gateway.ts";
import type { JourneyWorld } from "./journeys.ts";
import { createWorkerWorld } from "./worker.ts";

export async function openNodeWorld(options: GatewayOptions = {}): Promise<JourneyWorld> {
  const gateway = await createGateway(options);
  return {
    call: gateway.call,
    async keep() {
      await gateway.keeper.sequence();
      await gateway.keeper.tick();
    },
    faults: () => gateway.faults,
    close: gateway.close,
  };
}

export async function openPostgresWorld(): Promise<JourneyWorld> {
  const { edgeUrl, keeperUrl, drop } = await createPostgresDatabase();
  return overPools(keeperUrl, edgeUrl, drop);
}

/** A cluster of its own, of Debian's binaries. */
export async function openOldestPostgresWorld(): Promise<JourneyWorld> {
  const cluster = await startCluster({ binaries: debianPostgres15 });
  const owner = openTestPool(cluster.url);
  await migrate(owner, readMigrations());
  await owner.close();
  return overPools(cluster.urlOf("postgres", "postern_keeper"), cluster.urlOf("postgres", "postern_edge"), cluster.remove);
}

async function overPools(keeperUrl: string, edgeUrl: string, remove: () => Promise<void>): Promise<JourneyWorld> {
  const edgeDatabase = openTestPool(edgeUrl);
  const world = await openNodeWorld({ database: openTestPool(keeperUrl), edgeDatabase });
  return {
    ...world,
    async close() {
      await Promise.all([world.close(), edgeDatabase.close()]);
      await remove();
    },
  };
}

export async function openWorkerdWorld(): Promise<JourneyWorld> {
  const { call, edge, directory, keeper, passFence, close } = await createWorkerWorld();
  return {
    call,
    writers: 3,
    /** Two minutes' cron triggers: the first brings a purge to its fence, the second to its end. */
    async keep() {
      await keeper.scheduled();
      await passFence();
      await keeper.scheduled();
    },
    faults: () => [...edge.output(), ...directory.output(), ...keeper.output()],
    close,
  };
}
