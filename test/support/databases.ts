/**
 * A fresh, migrated database for a test: of the run's Postgres cluster, or embedded in memory.
 */
import { randomBytes } from "node:crypto";
import { inject } from "vitest";
import type { Database } from "../../src/storage/index.ts";
import { openPglite } from "../../src/storage/pglite.ts";
import { openPostgres } from "../../src/storage/postgres.ts";
import { templateDatabase } from "./postgres-cluster.ts";
import { makeSnapshot, readSnapshot } from "./snapshot.ts";

export { type Cluster, type ClusterOptions, debianPostgres15, startCluster } from "./cluster.ts";

export interface PostgresDatabase {
  /** Superuser, as migrations are run. */
  readonly ownerUrl: string;
  readonly edgeUrl: string;
  readonly keeperUrl: string;
  readonly directoryUrl: string;
  drop(): Promise<void>;
}

/** `migrated: false`: an empty one, as a share store's. */
export async function createPostgresDatabase({ migrated = true } = {}): Promise<PostgresDatabase> {
  const name = `test_${randomBytes(8).toString("hex")}`;
  const url = (database: string, role = "postgres") => `postgres://${role}@127.0.0.1:${inject("postgresPort")}/${database}`;
  await administer(url("postgres"), `create database ${name} template ${migrated ? templateDatabase : "template0"}`);
  return {
    ownerUrl: url(name),
    edgeUrl: url(name, "postern_edge"),
    keeperUrl: url(name, "postern_keeper"),
    directoryUrl: url(name, "postern_directory"),
    drop: () => administer(url("postgres"), `drop database if exists ${name} with (force)`),
  };
}

/** A migrated one of the run's cluster as its superuser, gone with `close`. It waits for whom it has no room, as the embedded one does. */
export async function createOwnerDatabase(): Promise<Database> {
  const { ownerUrl, drop } = await createPostgresDatabase();
  const pool = openTestPool(ownerUrl, { deadlineMs: 30_000, queueMax: 100_000 });
  return { ...pool, close: () => pool.close().then(drop) };
}

/** PGlite with all migrations; one superuser session. It costs a file of tests three times the processor time of one on the cluster. */
export async function createMemoryDatabase(): Promise<Database> {
  await makeSnapshot();
  return openPglite({ memory: true, snapshot: readSnapshot() });
}

/** A pool of `poolSize` with test-sized limits. */
export function openTestPool(
  url: string,
  limits: { readonly poolSize?: number; readonly deadlineMs?: number; readonly queueMax?: number } = {},
): Database {
  return openPostgres({ url, poolSize: 4, deadlineMs: 5_000, queueMax: 1_000, ...limits });
}

/** The pids of a role's or everybody's backends in the database that `database` is connected to, its own left out. */
export async function backendPids(database: Database): Promise<number[]> {
  const rows = await database.query(
    "select pid from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid() order by pid",
  );
  return rows.map(([pid]) => Number(pid));
}

async function administer(url: string, statement: string): Promise<void> {
  const database = openPostgres({ url, poolSize: 1, deadlineMs: 30_000, queueMax: 1 });
  try {
    await database.script(statement);
  } finally {
    await database.close();
  }
}
