/**
 * From the command to ready, that is until `/readyz` says so: on the embedded database, which is made then, and with one that is there already; beside a
 * Postgres that was migrated; and the edge on plain workerd. Beside each a bare Hono server on the same Node. And what the Workers' scripts weigh.
 */
import { spawn } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { gzipSync } from "node:zlib";
import { randomBytes, toBase64 } from "../../src/crypto/index.ts";
import { shareStoreSchema } from "../../src/keys/postgres-share-store.ts";
import { migrate } from "../../src/storage/index.ts";
import { readMigrations } from "../../src/storage/node-migrations.ts";
import { openPostgres } from "../../src/storage/postgres.ts";
import { startCluster } from "../support/cluster.ts";
import { freePort } from "../support/free-port.ts";
import { root } from "../support/repository.ts";
import { pause } from "../support/until.ts";
import { buildScript, type Environment } from "../support/worker-script.ts";
import { buildWorkerdTree, serveWorkerd } from "../support/workerd-process.ts";
import { startChild } from "./child.ts";
import { operatorText } from "./owner.ts";
import { median } from "./rounds.ts";
import type { Told } from "./suite.ts";
import { furnish } from "./world.ts";

const readyMsMax = 30_000;
const scripts: readonly (readonly [name: string, environment: Environment, file: string])[] = [
  ["edge", "", "worker.js"],
  ["directory", "directory", "worker-directory.js"],
  ["keeper", "keeper", "worker-keeper.js"],
];

export async function measureStart(rounds: number): Promise<Told> {
  const closing: (() => unknown)[] = [];
  try {
    const { ways, postgres } = await prepare(closing);
    const bare: number[] = [];
    const times = ways.map(({ name, start }) => ({ name, start, ms: [] as number[] }));
    for (let round = 0; round < rounds; round++) {
      bare.push(await startBare());
      for (const { start, ms } of times) ms.push(await start());
    }
    const baseline = Math.round(median(bare));
    const rows = times.map(({ name, ms }) => {
      const [middle, worst] = [Math.round(median(ms)), Math.round(Math.max(...ms))];
      return {
        name,
        ms: middle,
        worst_ms: worst,
        baseline: "bare Hono",
        baseline_ms: baseline,
        ratio: Number((middle / baseline).toFixed(1)),
      };
    });
    return { rows: [...rows, ...(await weigh())], versions: { postgres }, effort: { seconds: 0 } };
  } finally {
    for (const step of closing.reverse()) await step();
  }
}

interface Way {
  readonly name: string;
  /** Milliseconds until it is ready; then it is ended again. */
  start(): Promise<number>;
}

async function prepare(closing: (() => unknown)[]): Promise<{ ways: Way[]; postgres: string }> {
  const directory = () => {
    const made = mkdtempSync(join(tmpdir(), "postern-bench-"));
    closing.push(() => rmSync(made, { recursive: true, force: true }));
    return made;
  };
  const cluster = await startCluster();
  closing.push(() => cluster.remove());
  const owner = openPostgres({ url: cluster.url, poolSize: 1, queueMax: 10, deadlineMs: 120_000 });
  closing.push(() => owner.close());
  await migrate(owner, readMigrations());
  await owner.script("create database shares");
  const shares = openPostgres({ url: cluster.urlOf("shares"), poolSize: 1, queueMax: 10, deadlineMs: 30_000 });
  await shares.script(shareStoreSchema);
  await shares.close();
  const [version] = await owner.query("show server_version");

  const beside = await furnish(cluster, directory());
  const workerd = { tree: buildWorkerdTree(undefined), port: await freePort() };
  closing.push(() => rmSync(workerd.tree, { recursive: true, force: true }));
  const known = directory();
  await startCommand(await embedded(known));
  const variables = {
    ...{ DATABASE_URL_EDGE: cluster.urlOf("postgres", "postern_edge"), POSTERN_SHARE_STORE: cluster.urlOf("shares") },
    ...{
      POSTERN_ROOT_KEY: toBase64(randomBytes(32)),
      POSTERN_WRITER_KEY: toBase64(randomBytes(32)),
      POSTERN_LOG_NAME: "localhost/postern",
    },
    ...{ POSTERN_ORIGIN: "https://bench.example", POSTERN_CONFIG: issuersText },
  };
  const ways = [
    { name: "embedded", start: async () => startCommand(await embedded(directory())) },
    { name: "embedded, its database there", start: async () => startCommand(await embedded(known)) },
    { name: "Postgres", start: () => startCommand(beside) },
    { name: "raw workerd", start: () => startWorkerd(workerd, variables) },
  ];
  return { ways, postgres: String(version?.[0]) };
}

const issuersText = `issuers: [{ id: bench, issuer: "https://issuer.example", jwks: "https://issuer.example/jwks" }]
merchants: { m-bench: { owners: [{ issuer: bench, subject: owner-1 }, { issuer: bench, subject: owner-2 }] } }
`;

async function embedded(data: string): Promise<Settings> {
  const config = join(data, "postern.yaml");
  writeFileSync(config, operatorText);
  const port = String(await freePort());
  return { PORT: port, POSTERN_DATA: data, POSTERN_CONFIG: config, POSTERN_ORIGIN: `http://127.0.0.1:${port}` };
}

type Settings = Readonly<Record<string, string>> & { readonly PORT: string };

/** As a shell starts it. */
async function startCommand(settings: Settings): Promise<number> {
  const begun = performance.now();
  const ours = Object.entries(process.env).filter(([name]) => !name.startsWith("POSTERN_") && !name.startsWith("DATABASE_URL"));
  const path = `${dirname(process.execPath)}:${process.env.PATH}`;
  const child = spawn(join(root, "bin/postern.mjs"), ["serve"], {
    env: { ...Object.fromEntries(ours), ...settings, PATH: path },
    stdio: ["ignore", "ignore", "pipe"],
  });
  let said = "";
  child.stderr.on("data", (chunk: Buffer) => {
    said += chunk.toString("utf8");
  });
  const ended = new Promise((resolve) => child.once("exit", resolve));
  try {
    await ready(
      Number(settings.PORT),
      () => child.exitCode !== null,
      () => said,
    );
    return performance.now() - begun;
  } finally {
    child.kill("SIGTERM");
    await ended;
  }
}

async function startWorkerd(
  { tree, port }: { readonly tree: string; readonly port: number },
  variables: Readonly<Record<string, string>>,
): Promise<number> {
  const begun = performance.now();
  const serving = await serveWorkerd(tree, port, variables);
  try {
    await ready(port, () => false, serving.output);
    return performance.now() - begun;
  } finally {
    await serving.stop();
  }
}

async function startBare(): Promise<number> {
  const begun = performance.now();
  const bare = await startChild("proxy-process.ts");
  const ms = performance.now() - begun;
  await bare.stop();
  return ms;
}

async function ready(port: number, isOver: () => boolean, said: () => string): Promise<void> {
  for (const until = Date.now() + readyMsMax; ; await pause(5)) {
    const answer = await fetch(`http://127.0.0.1:${port}/readyz`).catch(() => null);
    const text = await answer?.text();
    if (answer?.ok) return;
    if (isOver() || Date.now() > until) throw new Error(`it is not ready: ${text ?? ""} ${said().slice(-1_000)}`);
  }
}

async function weigh() {
  const weighed = [];
  const made = mkdtempSync(join(tmpdir(), "postern-bench-"));
  for (const [name, environment, file] of scripts) {
    const bundle = await buildScript(environment, made);
    const kilobytes = gzipSync(readFileSync(join(bundle, file))).length / 1024;
    weighed.push({ name: `script: ${name}`, gzip_kb: Number(kilobytes.toFixed(1)) });
  }
  rmSync(made, { recursive: true, force: true });
  return weighed;
}
