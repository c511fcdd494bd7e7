/** One approved purge, copied for every run, so that runs differ by where they were killed and by nothing else. */
import { spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { cpSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { readEntry, type Trust } from "../../src/audit/index.ts";
import type { Database } from "../../src/storage/index.ts";
import { openPostgres } from "../../src/storage/postgres.ts";
import type { Agreement } from "./agreement.ts";
import type { ChildTask, Moment } from "./purge-child.ts";
import { approvePurge, contentOf, createWorld, neighbour, orderPurge, type Place, populate, type Secrets } from "./purge-world.ts";
import { nodeImports } from "./repository.ts";

const compileCache = join(tmpdir(), "postern-compile-cache");
const child = fileURLToPath(new URL("purge-child.ts", import.meta.url));

export interface ApprovedPurge {
  readonly trust: Trust;
  readonly job: string;
  /** The same database, shares and keys once more. */
  copy(): Promise<Copy>;
  remove(): Promise<void>;
}

export interface Copy extends Place {
  readonly ownerUrl: string;
  remove(): Promise<void>;
}

export async function makeApprovedPurge(agreement: Agreement = {}, records = 20): Promise<ApprovedPurge> {
  const world = await createWorld();
  const trust = await populate(world.gateway, agreement, records);
  await populate(world.gateway, neighbour, 7);
  const { job } = await orderPurge(world.gateway);
  await approvePurge(world.gateway, job);
  await world.gateway.keeper.sequence();
  await world.gateway.close();
  await world.owner.close();
  return { trust, job, copy: () => copyOf(world), remove: () => world.close() };
}

/** The database of a closed world once more, with its shares and keys. */
export async function copyOf(origin: {
  ownerUrl: string;
  edgeUrl: string;
  keeperUrl: string;
  shareDirectory: string;
  secrets: Secrets;
}): Promise<Copy> {
  const name = `copy_${randomBytes(8).toString("hex")}`;
  const urlOf = (url: string, database: string) => Object.assign(new URL(url), { pathname: `/${database}` }).href;
  const source = new URL(origin.ownerUrl).pathname.slice(1);
  const admin = urlOf(origin.ownerUrl, "postgres");
  await run(admin, `create database ${name} template ${source}`);
  const shareDirectory = mkdtempSync(join(tmpdir(), "postern-shares-"));
  cpSync(origin.shareDirectory, shareDirectory, { recursive: true });
  return {
    ownerUrl: urlOf(origin.ownerUrl, name),
    edgeUrl: urlOf(origin.edgeUrl, name),
    keeperUrl: urlOf(origin.keeperUrl, name),
    secrets: origin.secrets,
    shareDirectory,
    async remove() {
      await run(admin, `drop database ${name} with (force)`);
      rmSync(shareDirectory, { recursive: true, force: true });
    },
  };
}

async function run(url: string, statement: string): Promise<void> {
  const database = openPostgres({ url, poolSize: 1, deadlineMs: 30_000, queueMax: 1 });
  await database.script(statement);
  await database.close();
}

/** How the process ended: a signal, or an exit code. */
export function runKeeper(
  { edgeUrl, keeperUrl, secrets, shareDirectory }: Place,
  killAt: Moment | null,
  job: ChildTask["job"] = "purge_job",
): Promise<string> {
  const task: ChildTask = { edgeUrl, keeperUrl, secrets, shareDirectory, contract: "c-test", job, killAt };
  return new Promise((resolve, reject) => {
    const running = spawn(process.execPath, [...nodeImports, child, JSON.stringify(task)], {
      stdio: ["ignore", "ignore", "pipe"],
      env: { ...process.env, NODE_COMPILE_CACHE: compileCache },
    });
    let said = "";
    running.stderr.on("data", (chunk: Buffer) => {
      said = (said + chunk.toString("utf8")).slice(-4_096);
    });
    running.once("error", reject);
    running.once("exit", (code, signal) => resolve(signal ?? (code === 0 ? "0" : `${code}: ${said}`)));
  });
}

/** A certificate without what two runs of one purge may differ in: times, and what follows from an entry's id, time and writer. */
export function essenceOf(jws: string): unknown {
  const { times, residuals, log, statement, scope, shares, verification, ...rest } = contentOf(jws);
  return {
    ...rest,
    statement: [statement.deleted, statement.remains],
    scope: { ...scope, span: scope.span.from },
    shares: shares.map(({ at, ...share }) => ({ ...share, known: at !== null })),
    verification: verification.map(({ at, ...look }) => ({ ...look, known: at !== "" })),
    times: Object.keys(times).sort(),
    residuals: residuals.map(({ what }) => what),
    log: {
      origin: log.origin,
      size: log.checkpoint.split("\n")[1],
      entries: log.entries.map(({ index, bytes }) => {
        const { event, actor, outcome, facts } = readEntry(Buffer.from(bytes, "base64")) ?? {};
        return { index, event, actor, outcome, facts };
      }),
    },
  };
}

export async function certificateIn(database: Database): Promise<string[]> {
  const rows = await database.query("select jws from postern.certificate where contract_id = 'c-test'");
  return rows.map(([jws]) => String(jws));
}
