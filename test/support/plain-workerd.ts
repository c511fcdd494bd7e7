/**
 * The edge on plain workerd: the bundle that `wrangler deploy --dry-run` builds, served by the workerd binary under deploy/workerd.capnp as it
 * stands, on a real Postgres as its own role. Beside it a keeper on Node, on the same two databases.
 */
import { readFileSync, rmSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { createSigner, randomBytes, toBase64 } from "../../src/crypto/index.ts";
import { nodeAead } from "../../src/crypto/node-aead.ts";
import { createBuiltInIssuer, generateBuiltInKey, type IssuerProfile } from "../../src/identity/index.ts";
import { createRootKey } from "../../src/keys/index.ts";
import { createPostgresShareStore, shareStoreSchema } from "../../src/keys/postgres-share-store.ts";
import { createPostgresDatabase, openTestPool } from "./databases.ts";
import { freePort } from "./free-port.ts";
import { audience, type CallOptions, createGateway, type Gateway, merchants } from "./gateway.ts";
import { plantTree, root } from "./repository.ts";
import { buildWorkerdTree, serveWorkerd, shopsService } from "./workerd-process.ts";

export interface PlainWorkerd {
  /** The keeper on Node. The trust file names workerd's writer. */
  readonly gateway: Gateway;
  /** Superuser of the main database. */
  readonly ownerUrl: string;
  readonly origin: string;
  /** As `gateway.call`, but workerd answers. */
  call(method: string, path: string, options?: CallOptions & { readonly signal?: AbortSignal }): Promise<Response>;
  /** What the process wrote since its start. */
  output(): string;
  /** Ends it, and starts another with these variables over the good ones; `null` takes one away. */
  restart(over?: Readonly<Record<string, string | null>>): Promise<void>;
  close(): Promise<void>;
}

/** As docs/DEPLOY.md advises: an edge's login that can read shares and cannot destroy them. Roles are the cluster's. */
const shareReader = `do $$ begin create role postern_shares_edge login; exception when duplicate_object or unique_violation then null; end $$;`;

/** `shop`: the port that stands for every merchant's API, on loopback and in the clear. */
export async function createPlainWorkerd({ shop }: { readonly shop?: number } = {}): Promise<PlainWorkerd> {
  const [main, shares] = [await createPostgresDatabase(), await createPostgresDatabase({ migrated: false })];
  const shareDatabase = openTestPool(shares.ownerUrl);
  await shareDatabase.script(shareStoreSchema);
  await shareDatabase.script(`${shareReader} grant select on postern_share, postern_deletion to postern_shares_edge;`);
  const issuer = createBuiltInIssuer(await generateBuiltInKey());
  const keySet = await serveKeySet(issuer.profile);
  const [rootKey, writerSeed] = [randomBytes(32), randomBytes(32)];
  const [edge, keeper] = [await createSigner(writerSeed), await createSigner(randomBytes(32))];
  const gateway = await createGateway({
    database: openTestPool(main.keeperUrl),
    common: {
      root: createRootKey(nodeAead, rootKey),
      shares: createPostgresShareStore(shareDatabase),
      issuers: [issuer.profile],
      logName: "test/postern",
    },
    edge: { writer: keeper },
    keeper: { writer: keeper, writers: [keeper.publicKey, edge.publicKey] },
  });
  const good = {
    DATABASE_URL_EDGE: main.edgeUrl,
    POSTERN_SHARE_STORE: shares.ownerUrl.replace("postgres@", "postern_shares_edge@"),
    POSTERN_ROOT_KEY: toBase64(rootKey),
    POSTERN_WRITER_KEY: toBase64(writerSeed),
    POSTERN_LOG_NAME: "test/postern",
    POSTERN_ORIGIN: audience,
    POSTERN_CONFIG: `issuers: [{ id: demo, issuer: "${issuer.profile.issuer}", jwks: "${keySet.url}" }]\nmerchants: ${JSON.stringify(merchants)}\n`,
  };
  const token = (subject: string) => issuer.sign({ subject, audience, ttlSeconds: 900, now: Date.now() });
  const authorized = async ({ as, headers = {}, ...rest }: CallOptions) => {
    const authorization = as === undefined ? {} : { authorization: `Bearer ${await token(as)}` };
    return { ...rest, headers: { ...authorization, ...headers } };
  };
  const tree = buildWorkerdTree(shop);
  const port = await freePort();
  const origin = `http://127.0.0.1:${port}`;
  let running = await serveWorkerd(tree, port, good);
  return {
    gateway: { ...gateway, token, call: async (method, path, options = {}) => gateway.call(method, path, await authorized(options)) },
    ownerUrl: main.ownerUrl,
    origin,
    async call(method, path, options = {}) {
      const { body, headers } = await authorized(options);
      const content = body === undefined ? {} : { body: typeof body === "string" ? body : JSON.stringify(body) };
      const media = body === undefined || typeof body === "string" ? {} : { "content-type": "application/json" };
      const signal = options.signal ? { signal: options.signal } : {};
      return fetch(origin + path, { method, headers: { ...media, ...headers }, ...content, ...signal });
    },
    output: () => running.output(),
    async restart(over = {}) {
      await running.stop();
      running = await serveWorkerd(tree, port, { ...good, ...over });
    },
    async close() {
      await running.stop();
      await gateway.close();
      await shareDatabase.close();
      keySet.close();
      rmSync(tree, { recursive: true, force: true });
      await Promise.all([main.drop(), shares.drop()]);
    },
  };
}

/** What a script is told that fetches `url` by the network of merchants' APIs, as deploy/workerd.capnp has it. */
export async function askThroughShops(url: string): Promise<string> {
  const [shops] = shopsService.exec(readFileSync(join(root, "deploy/workerd.capnp"), "utf8")) ?? [];
  const script = `export default { fetch: (_, { SHOPS }) => SHOPS.fetch(${JSON.stringify(url)}).then(({ status }) => new Response("connected: " + status), (fault) => new Response("not connected: " + fault)) }`;
  const worker = `(modules = [(name = "main.js", esModule = ${JSON.stringify(script)})], compatibilityDate = "2026-08-01", bindings = [(name = "SHOPS", service = "shops")])`;
  const port = await freePort();
  const config = `using Workerd = import "/workerd/workerd.capnp";
const config :Workerd.Config = (services = [(name = "main", worker = .main), ${shops}], sockets = [(name = "http", address = "127.0.0.1:${port}", http = (), service = "main")]);
const main :Workerd.Worker = ${worker};
`;
  const tree = plantTree({ "deploy/workerd.capnp": config }, []);
  const running = await serveWorkerd(tree, port, {});
  try {
    return await (await fetch(`http://127.0.0.1:${port}/`)).text();
  } finally {
    await running.stop();
    rmSync(tree, { recursive: true, force: true });
  }
}

async function serveKeySet({ keys }: IssuerProfile): Promise<{ readonly url: string; close(): void }> {
  const server = createServer((_request, response) => {
    response.setHeader("content-type", "application/json").end(JSON.stringify("local" in keys ? keys.local : {}));
  });
  await new Promise<void>((resolve) => {
    server.listen(0, "127.0.0.1", resolve);
  });
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/jwks`, close: () => void server.close() };
}
