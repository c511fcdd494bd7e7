/**
 * PgBouncer in transaction mode in front of a Postgres: many connections of clients take turns on a few of the server's, another one each time.
 * The program is the system's (Debian: package pgbouncer), present on some machines only.
 */
import { spawn, spawnSync } from "node:child_process";
import { chownSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { serverUser } from "./cluster.ts";
import { freePort } from "./free-port.ts";

/** Debian puts it where not everybody's path leads. */
const environment = { ...process.env, PATH: `${process.env.PATH}:/usr/sbin` };

/** `[1, 18]`; `null` = there is none. */
export function pgbouncerVersion(): readonly [major: number, minor: number] | null {
  const { stdout } = spawnSync("pgbouncer", ["--version"], { env: environment, encoding: "utf8" });
  const [, major, minor] = /^PgBouncer (\d+)\.(\d+)/.exec(stdout ?? "") ?? [];
  return major && minor ? [Number(major), Number(minor)] : null;
}

/** From 1.21 on it carries named statements from one server connection to the next. */
export function tracksStatements(version: readonly [number, number]): boolean {
  return version[0] > 1 || version[1] >= 21;
}

export interface Pooler {
  urlOf(database: string, role: string): string;
  /** Connections that clients made, ever. */
  clients(): number;
  stop(): Promise<void>;
}

/** `serverConnections`: of each role in each database. */
export async function startPooler(serverPort: number, roles: readonly string[], serverConnections: number): Promise<Pooler> {
  const port = await freePort();
  const home = mkdtempSync(join(tmpdir(), "postern-pooler-"));
  const version = pgbouncerVersion();
  const settings = [
    "listen_addr = 127.0.0.1",
    `listen_port = ${port}`,
    "unix_socket_dir =",
    "auth_type = trust",
    `auth_file = ${join(home, "users.txt")}`,
    "pool_mode = transaction",
    `default_pool_size = ${serverConnections}`,
    "server_round_robin = 1",
    "log_connections = 1",
    ...(version && tracksStatements(version) ? ["max_prepared_statements = 200"] : []),
  ];
  writeFileSync(join(home, "users.txt"), roles.map((role) => `"${role}" ""\n`).join(""));
  const databases = `[databases]\n* = host=127.0.0.1 port=${serverPort}\n`;
  writeFileSync(join(home, "pgbouncer.ini"), `${databases}[pgbouncer]\n${settings.join("\n")}\n`);
  const user = serverUser();
  if (user) chownSync(home, user.uid, user.gid);
  const child = spawn("pgbouncer", [join(home, "pgbouncer.ini")], {
    ...(user && { uid: user.uid, gid: user.gid }),
    ...{ cwd: home, env: environment, stdio: ["ignore", "ignore", "pipe"] },
  });
  let said = "";
  await new Promise<void>((resolve, reject) => {
    child.stderr.on("data", (chunk: Buffer) => {
      said += chunk.toString("utf8");
      if (said.includes("process up")) resolve();
    });
    child.once("error", reject);
    child.once("exit", (code) => reject(new Error(`pgbouncer ended with ${code}: ${said}`)));
  });
  return {
    urlOf: (database, role) => `postgres://${role}@127.0.0.1:${port}/${database}`,
    clients: () => said.split("login attempt").length - 1,
    async stop() {
      const ended = new Promise((resolve) => child.once("exit", resolve));
      child.kill("SIGKILL");
      await ended;
      rmSync(home, { recursive: true, force: true });
    },
  };
}
