/**
 * The edge in real workerd, as Wrangler runs it from wrangler.toml: on a real Postgres as its own role, with the share store in a second database,
 * and its tokens' issuer behind HTTP. Beside it a keeper on Node, on the same two databases.
 */
import { rmSync } from "node:fs";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { dirname, join } from "node:path";
import { createTestHarness, type TestHarness } from "wrangler";
import { createSigner, randomBytes, toBase64 } from "../../src/crypto/index.ts";
import { nodeAead } from "../../src/crypto/node-aead.ts";
import { createBuiltInIssuer, generateBuiltInKey, type IssuerProfile } from "../../src/identity/index.ts";
import { createRootKey } from "../../src/keys/index.ts";
import { createPostgresShareStore, shareStoreSchema } from "../../src/keys/postgres-share-store.ts";
import { createPostgresDatabase, openTestPool, type PostgresDatabase } from "./databases.ts";
import { audience, type CallOptions, createGateway, type Gateway, merchants } from "./gateway.ts";
import { plantTree, root, runTool } from "./repository.ts";

export interface WorkerWorld {
  /** The keeper on Node, with an edge of its own beside it. The trust file names the worker's writer. */
  readonly gateway: Gateway;
  readonly databases: { readonly main: PostgresDatabase; readonly shares: PostgresDatabase };
  readonly writerKey: Uint8Array;
  /** Path of the script that runs. */
  readonly script: string;
  /** How often the issuer was asked for its keys. */
  keySetFetches(): number;
  /** As `gateway.call`, but workerd answers. */
  call(method: string, path: string, options?: CallOptions): Promise<Response>;
  /** Lines that the worker wrote since its start. */
  output(): string[];
  /** A new isolate, with these settings put over the good ones; `null` takes one away. */
  restart(over?: Readonly<Record<string, string | null>>): Promise<void>;
  close(): Promise<void>;
}

const logName = "test/postern";
const secrets = new Set(["POSTERN_ROOT_KEY", "POSTERN_WRITER_KEY", "POSTERN_LOG_KEY", "POSTERN_CERTIFICATE_KEY"]);

export async function createWorkerWorld(): Promise<WorkerWorld> {
  const main = await createPostgresDatabase();
  const shares = await createPostgresDatabase();
  const shareDatabase = openTestPool(shares.ownerUrl);
  await shareDatabase.script(shareStoreSchema);
  const issuer = createBuiltInIssuer(await generateBuiltInKey());
  const keySet = await serveKeySet(issuer.profile);
  const [rootKey, writerSeed] = [randomBytes(32), randomBytes(32)];
  const [worker, keeper] = [await createSigner(writerSeed), await createSigner(randomBytes(32))];
  const gateway = await createGateway({
    database: openTestPool(main.keeperUrl),
    common: {
      root: createRootKey(nodeAead, rootKey),
      shares: createPostgresShareStore(shareDatabase),
      issuers: [issuer.profile],
      logName,
    },
    edge: { writer: keeper },
    keeper: { writer: keeper, writers: [keeper.publicKey, worker.publicKey] },
  });
  const token = (subject: string, ttlSeconds = 900) => issuer.sign({ subject, audience, ttlSeconds, now: Date.now() });
  const authorized = async ({ as, headers = {}, ...rest }: CallOptions) => {
    const authorization = as === undefined ? {} : { authorization: `Bearer ${await token(as)}` };
    return { ...rest, headers: { ...authorization, ...headers } };
  };
  const good = {
    POSTERN_LOG_NAME: logName,
    POSTERN_ORIGIN: audience,
    POSTERN_CONFIG: `issuers: [{ id: demo, issuer: "${issuer.profile.issuer}", jwks: "${keySet.url}" }]\nmerchants: ${JSON.stringify(merchants)}\n`,
    POSTERN_ROOT_KEY: toBase64(rootKey),
    POSTERN_WRITER_KEY: toBase64(writerSeed),
  };
  prepareWrangler(main.edgeUrl, shares.ownerUrl);
  const bundle = buildBundle();
  let harness = await startWorker(bundle, good);
  return {
    gateway: { ...gateway, token, call: async (method, path, options = {}) => gateway.call(method, path, await authorized(options)) },
    databases: { main, shares },
    writerKey: worker.publicKey,
    script: join(bundle, "worker.js"),
    keySetFetches: keySet.fetches,
    call: async (method, path, options = {}) => callWorker(harness, method, path, await authorized(options)),
    output: () => harness.getLogs().map(({ message }) => message),
    async restart(over = {}) {
      await harness.close();
      harness = await startWorker(bundle, { ...good, ...over });
    },
    async close() {
      await harness.close();
      await gateway.close();
      await shareDatabase.close();
      keySet.server.close();
      rmSync(dirname(bundle), { recursive: true, force: true });
      await Promise.all([main.drop(), shares.drop()]);
    },
  };
}

/** No reports, no log files, no banner. Where a Hyperdrive binding leads on this machine Wrangler reads from the environment. */
function prepareWrangler(databaseUrl: string, sharesUrl: string): void {
  Object.assign(process.env, {
    ...quietWrangler,
    CLOUDFLARE_HYPERDRIVE_LOCAL_CONNECTION_STRING_HYPERDRIVE: withPassword(databaseUrl),
    CLOUDFLARE_HYPERDRIVE_LOCAL_CONNECTION_STRING_SHARES: withPassword(sharesUrl),
  });
}

const quietWrangler = {
  WRANGLER_SEND_METRICS: "false",
  WRANGLER_WRITE_LOGS: "false",
  WRANGLER_HIDE_BANNER: "true",
  DO_NOT_TRACK: "1",
} as const;

/** Wrangler insists on one; the test's server asks for none. */
function withPassword(url: string): string {
  return url.replace("@", ":none@");
}

/** What would be deployed, so that it is built once a world and not once an isolate. */
function buildBundle(): string {
  const out = plantTree({}, []);
  const { exitCode, output } = runTool("wrangler", ["deploy", "--dry-run", "--outdir", join(out, "bundle")], root);
  if (exitCode !== 0) throw new Error(`the edge's bundle does not build: ${output}`);
  return join(out, "bundle");
}

async function startWorker(bundle: string, settings: Readonly<Record<string, string | null>>): Promise<TestHarness> {
  const set = Object.entries(settings).filter((entry): entry is [string, string] => entry[1] !== null);
  const [secret, open] = [true, false].map((wanted) => Object.fromEntries(set.filter(([name]) => secrets.has(name) === wanted)));
  const worker = { configPath: "wrangler.toml", prebuiltWorkerDir: bundle, vars: open ?? {}, secrets: secret ?? {} };
  const harness = createTestHarness({ root, workers: [worker] });
  await harness.listen();
  return harness;
}

/** Answers a Response of Node's own: Wrangler's is undici's. */
async function callWorker(harness: TestHarness, method: string, path: string, { body, headers = {} }: CallOptions): Promise<Response> {
  const media = body === undefined || typeof body === "string" ? {} : { "content-type": "application/json" };
  const content = body === undefined ? {} : { body: typeof body === "string" ? body : JSON.stringify(body) };
  const answer = await harness.fetch(path, { method, headers: { ...media, ...headers }, ...content });
  return new Response(await answer.text(), { status: answer.status, headers: [...answer.headers] });
}

async function serveKeySet({ keys }: IssuerProfile): Promise<{ server: Server; url: string; fetches: () => number }> {
  let fetches = 0;
  const server = createServer((_request, response) => {
    fetches++;
    response.setHeader("content-type", "application/json").end(JSON.stringify("local" in keys ? keys.local : {}));
  });
  await new Promise<void>((resolve) => {
    server.listen(0, "127.0.0.1", resolve);
  });
  return { server, url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/jwks`, fetches: () => fetches };
}
