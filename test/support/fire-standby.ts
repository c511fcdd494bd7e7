/** A standby that follows a house's Postgres, and what may come of two: rows for `fire.ts`. */
import { execFileSync } from "node:child_process";
import { chownSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { openPostgres } from "../../src/storage/postgres.ts";
import { type Cluster, serverUser, startCluster } from "./cluster.ts";
import type { Fault } from "./fire.ts";

/** It follows `cluster` by streaming, and takes over whatever that one has when it is shut down. */
export async function startStandby(cluster: Cluster): Promise<Cluster> {
  const home = mkdtempSync(join(tmpdir(), "postern-standby-"));
  const copy = join(home, "data");
  const owner = openPostgres({ url: cluster.url, poolSize: 1, queueMax: 1, deadlineMs: 30_000 });
  try {
    await owner.query("select pg_backup_start('standby', true), now()");
    execFileSync("cp", ["-a", cluster.dataDirectory, copy]);
    const [row] = await owner.query("select labelfile, now() from pg_backup_stop(false)");
    rmSync(join(copy, "postmaster.pid"));
    const user = serverUser();
    for (const [name, text] of [["backup_label", String(row?.[0])] as const, ["standby.signal", ""] as const]) {
      writeFileSync(join(copy, name), text);
      if (user) chownSync(join(copy, name), user.uid, user.gid);
    }
    return await startCluster({ from: copy, settings: [`primary_conninfo=host=127.0.0.1 port=${cluster.port} user=postgres`] });
  } finally {
    await owner.close();
    rmSync(home, { recursive: true });
  }
}

/** The last of them leaves the standby in its place. */
export function faultsOfFailover(standby: () => Cluster): Fault[] {
  return [
    {
      name: "the name of the database leads to a standby, which only reads",
      inflict({ cluster, wire }) {
        wire.leadTo(standby().port);
        wire.cut();
        return () => wire.leadTo(cluster.port);
      },
      late: "503",
      meanwhile: ["200"],
    },
    {
      name: "the database is shut down, and its standby takes its place",
      async inflict({ cluster, wire }) {
        await cluster.stop();
        return async () => {
          await promote(standby());
          wire.leadTo(standby().port);
        };
      },
      late: "503",
      meanwhile: ["200"],
    },
  ];
}

async function promote(standby: Cluster): Promise<void> {
  const owner = openPostgres({ url: standby.url, poolSize: 1, queueMax: 1, deadlineMs: 30_000 });
  await owner.query("select pg_promote(), now()");
  await owner.close();
}
