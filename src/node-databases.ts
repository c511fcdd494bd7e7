/** The databases of a Node process: one embedded, which it migrates itself and both sides share, or a Postgres for each side under its own role. */
import { join } from "node:path";
import type { Environment } from "./config.ts";
import type { Only } from "./node-keys.ts";
import { ConfigRefused } from "./operator-settings.ts";
import { checkRole } from "./start-checks.ts";
import { checkMigrations, type Database, migrate } from "./storage/index.ts";
import { readMigrations } from "./storage/node-migrations.ts";
import { openPglite } from "./storage/pglite.ts";
import { openPostgres } from "./storage/postgres.ts";

const poolSize = 10;
const queueMax = 1_000;
const edgeDeadlineMs = 5_000;
const keeperDeadlineMs = 60_000;

export interface Databases {
  readonly edge: Database;
  readonly keeper: Database;
  close(): Promise<void>;
}

/** Throws ConfigRefused where one is missing, is not migrated, or opens with another role than its side is to have. */
export async function openDatabases(environment: Environment, only: Only): Promise<Databases> {
  const { DATABASE_URL_EDGE: edgeUrl, DATABASE_URL_KEEPER: keeperUrl } = environment;
  if (edgeUrl === undefined && keeperUrl === undefined) {
    if (only) throw new ConfigRefused(`--only ${only} needs a Postgres: the embedded database belongs to one process`);
    const embedded = await openPglite({ directory: join(environment.POSTERN_DATA, "db") });
    await migrate(embedded, readMigrations());
    return { edge: embedded, keeper: embedded, close: () => embedded.close() };
  }
  const needed = [
    ...(only === "keeper" ? [] : [["DATABASE_URL_EDGE", edgeUrl]]),
    ...(only === "edge" ? [] : [["DATABASE_URL_KEEPER", keeperUrl]]),
  ];
  const missing = needed.find(([, url]) => url === undefined);
  if (missing) throw new ConfigRefused(`${missing[0]} is needed: each side has its own database role`);
  const open = (url: string, deadlineMs: number, side: "edge" | "keeper") =>
    openPostgres({ url, poolSize, queueMax, deadlineMs, applicationName: `postern-${side}` });
  const edge = open(edgeUrl ?? keeperUrl ?? "", edgeDeadlineMs, "edge");
  const keeper = open(keeperUrl ?? edgeUrl ?? "", keeperDeadlineMs, "keeper");
  const close = async () => {
    await Promise.all([edge.close(), keeper.close()]);
  };
  try {
    await checkMigrations(only === "edge" ? edge : keeper, readMigrations());
    if (only !== "keeper") await checkRole(edge, "postern_edge");
    if (only !== "edge") await checkRole(keeper, "postern_keeper");
  } catch (error) {
    await close();
    throw error;
  }
  return { edge, keeper, close };
}
