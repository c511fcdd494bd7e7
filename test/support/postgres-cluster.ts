/**
 * Vitest's global setup: one Postgres cluster a run, with a template database that has every migration; and the same as a snapshot for the embedded database.
 * And a place for what is built once a run, by whoever needs it first.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { TestProject } from "vitest/node";
import { migrate } from "../../src/storage/index.ts";
import { readMigrations } from "../../src/storage/node-migrations.ts";
import { openPostgres } from "../../src/storage/postgres.ts";
import { startCluster } from "./cluster.ts";
import { makeSnapshot } from "./snapshot.ts";

export const templateDatabase = "postern_template";

/** Nothing here outlives the run; tests that crash a server start their own. */
const throwaway = [
  "max_connections=300",
  "fsync=off",
  "full_page_writes=off",
  "autovacuum=off",
  "checkpoint_timeout=1h",
  "max_wal_size=2GB",
];

declare module "vitest" {
  interface ProvidedContext {
    readonly postgresPort: number;
    /** A directory that is gone after the run. */
    readonly builtOnce: string;
  }
}

export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const snapshot = makeSnapshot();
  const cluster = await startCluster({ settings: throwaway });
  const admin = openPostgres({ url: cluster.url, poolSize: 1, deadlineMs: 30_000, queueMax: 10 });
  await admin.script(`create database ${templateDatabase}`);
  await admin.close();
  const template = openPostgres({ url: cluster.urlOf(templateDatabase), poolSize: 1, deadlineMs: 30_000, queueMax: 10 });
  await migrate(template, readMigrations());
  await template.close();
  await snapshot;
  project.provide("postgresPort", cluster.port);
  const builtOnce = mkdtempSync(join(tmpdir(), "postern-built-"));
  project.provide("builtOnce", builtOnce);
  return async () => {
    rmSync(builtOnce, { recursive: true, force: true });
    await cluster.remove();
  };
}
