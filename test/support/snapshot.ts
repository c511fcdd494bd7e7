/**
 * The migrated embedded database as a file, made once for each text of the migrations: it opens in a fifth of the time.
 */
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { migrate } from "../../src/storage/index.ts";
import { readMigrations } from "../../src/storage/node-migrations.ts";
import { openPglite } from "../../src/storage/pglite.ts";

function snapshotPath(): string {
  const hash = createHash("sha256").update(readFileSync(new URL("../../package-lock.json", import.meta.url)));
  for (const { name, text } of readMigrations()) hash.update(`${name}\n${text}`);
  return join(tmpdir(), "postern-snapshots", `${hash.digest("hex").slice(0, 32)}.tar`);
}

export async function makeSnapshot(): Promise<void> {
  const path = snapshotPath();
  if (existsSync(path)) return;
  const database = await openPglite({ memory: true });
  await migrate(database, readMigrations());
  const dump = await database.dump();
  await database.close();
  mkdirSync(join(path, ".."), { recursive: true });
  // Written aside and moved: another run may read at the same time.
  const draft = `${path}.${process.pid}`;
  writeFileSync(draft, new Uint8Array(await dump.arrayBuffer()));
  renameSync(draft, path);
}

export function readSnapshot(): Blob {
  return new Blob([readFileSync(snapshotPath())]);
}
