/**
 * The three scripts in real workerd, as Wrangler runs them from wrangler.toml: on a real Postgres, each as its own role, with the share store in a
 * second database, and their tokens' issuer behind HTTP.
 */
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { importJWK, SignJWT } from "jose";
import { anchorSchema, createPostgresAnchor } from "../../src/audit/postgres-anchor.ts";
import { createSigner, fromBase64, toBase64 } from "../../src/crypto/index.ts";
import { nodeAead } from "../../src/crypto/node-aead.ts";
import { createBuiltInIssuer, generateBuiltInKey, type IssuerProfile } from "../../src/identity/index.ts";
import { createRootKey } from "../../src/keys/index.ts";
import { createPostgresShareStore, shareStoreSchema } from "../../src/keys/postgres-share-store.ts";
import type { Database } from "../../src/storage/index.ts";
import { createPostgresDatabase, openTestPool, type PostgresDatabase } from "./databases.ts";
import { audience, type CallOptions, createGateway, type Door, type Gateway, merchants } from "./gateway.ts";
import { makeSecrets, type Secrets } from "./purge-world.ts";
import { buildScript, type Script, startScript } from "./worker-script.ts";

export interface WorkerWorld extends Door {
  readonly edge: Script;
  readonly directory: Script;
  readonly keeper: Script;
  readonly databases: { readonly main: PostgresDatabase; readonly shares: PostgresDatabase };
  /** Superuser of the main database. */
  readonly owner: Database;
  readonly secrets: Secrets;
  /** Raw public keys of the writers that run apart from the keeper. */
  readonly edgeWriter: Uint8Array;
  readonly directoryWriter: Uint8Array;
  /** The operator's file that the keeper is given. */
  readonly operatorFile: string;
  /** Of the scripts' issuer, bound to the key of that thumbprint. */
  boundToken(subject: string, thumbprint: string): Promise<string>;
  /** How often the issuer was asked for its keys. */
  keySetFetches(): number;
  /** What began before a purge's fence counts as ended: 65 s later, without the wait. */
  passFence(): Promise<void>;
  /** The same operator's gateway on Node, over the same databases and keys. */
  openOnNode(): Promise<Gateway>;
  close(): Promise<void>;
}

const logName = "test/postern";

type Named = "edge" | "directory" | "keeper";

/** `keyService`: secrets of a script whose root key lies in a service; default: all hold it themselves. */
export async function createWorkerWorld(keyService?: (side: Named) => Readonly<Record<string, string>>): Promise<WorkerWorld> {
  const [main, shares] = [await createPostgresDatabase(), await createPostgresDatabase({ migrated: false })];
  const [owner, shareDatabase] = [openTestPool(main.ownerUrl), openTestPool(shares.ownerUrl)];
  await shareDatabase.script(`${shareStoreSchema}${anchorSchema}`);
  const issuerKey = await generateBuiltInKey();
  const issuer = createBuiltInIssuer(issuerKey);
  const keySet = await serveKeySet(issuer.profile);
  const secrets = makeSecrets();
  const { publicKey: edgeWriter } = await createSigner(fromBase64(secrets.edgeWriter));
  const { publicKey: directoryWriter } = await createSigner(fromBase64(secrets.directoryWriter));
  const operatorFile = operatorFileOf(issuer.profile, keySet.url);
  const keeperFile = `${operatorFile}writers: ${JSON.stringify([edgeWriter, directoryWriter].map(toBase64))}\n`;
  const [edge, directory, keeper] = await startScripts({ main, shares, secrets, operatorFile, keeperFile, keyService });
  const token = (subject: string, ttlSeconds = 900) => issuer.sign({ subject, audience, ttlSeconds, now: Date.now() });
  const authorized = async ({ as, headers = {}, ...rest }: CallOptions): Promise<CallOptions> => {
    const authorization = as === undefined ? {} : { authorization: `Bearer ${await token(as)}` };
    return { ...rest, headers: { ...authorization, ...headers } };
  };
  const signed = (door: Door): Door => ({
    call: async (method, path, options = {}) => door.call(method, path, await authorized(options)),
  });
  const signedScript = (script: Script): Script => ({
    ...script,
    ...signed(script),
    abandon: async (path, options = {}) => script.abandon(path, await authorized(options)),
  });
  const [atEdge, atDirectory, atKeeper] = [signedScript(edge), signedScript(directory), signedScript(keeper)];
  const scriptOf = (path: string) => (isAgents(path) ? atEdge : isPeoples(path) ? atDirectory : atKeeper);
  return {
    edge: atEdge,
    directory: atDirectory,
    keeper: atKeeper,
    call: (method, path, options) => scriptOf(path).call(method, path, options),
    databases: { main, shares },
    owner,
    secrets,
    edgeWriter,
    directoryWriter,
    operatorFile: keeperFile,
    async boundToken(subject, jkt) {
      const claims = { iss: issuer.profile.issuer, sub: subject, aud: audience, jti: `bound-${jkt}`, cnf: { jkt } };
      const token = new SignJWT(claims).setProtectedHeader({ alg: "EdDSA", kid: issuerKey.kid, typ: "at+jwt" });
      return token
        .setIssuedAt()
        .setExpirationTime("15m")
        .sign(await importJWK(issuerKey, "EdDSA"));
    },
    keySetFetches: keySet.fetches,
    async passFence() {
      await owner.query(
        `update postern.purge_job j set facts = jsonb_set(j.facts::jsonb, '{times,fenced}', to_jsonb(to_char(at - interval '65 s', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"')))::text
         from (select job_id, (facts::jsonb #>> '{times,fenced}')::timestamptz at time zone 'UTC' as at from postern.purge_job) fenced
         where fenced.job_id = j.job_id and at is not null`,
      );
    },
    async openOnNode() {
      const gateway = await openOnNode({ main, shareDatabase, secrets, issuer: issuer.profile });
      return { ...gateway, token, ...signed(gateway) };
    },
    async close() {
      await Promise.all([edge.close(), directory.close(), keeper.close()]);
      keySet.server.close();
      await Promise.all([owner.close(), shareDatabase.close()]);
      await Promise.all([main.drop(), shares.drop()]);
    },
  };
}

/** What agents ask for; owners and officers come through the keeper. */
function isAgents(path: string): boolean {
  return /^\/(v1\/me|v1\/contracts\/[^/]+\/records\/)/.test(path) && !path.endsWith("/import");
}

/** Who sits where. */
function isPeoples(path: string): boolean {
  return /^\/v1\/(contracts\/[^/]+\/agents|revocations|scim\/[^/]+)(\/|$)/.test(path);
}

interface Operated {
  readonly main: PostgresDatabase;
  readonly secrets: Secrets;
  readonly issuer: IssuerProfile;
}

function operatorFileOf({ issuer }: IssuerProfile, jwks: string): string {
  return `issuers: [{ id: demo, issuer: "${issuer}", jwks: "${jwks}" }]\nmerchants: ${JSON.stringify(merchants)}\nvendors: { v-yunfu: { issuers: [demo] } }\noperators: [{ issuer: demo, subject: operator }]\n`;
}

interface Scripts extends Pick<Operated, "main" | "secrets"> {
  readonly shares: PostgresDatabase;
  readonly operatorFile: string;
  readonly keeperFile: string;
  readonly keyService?: ((side: Named) => Readonly<Record<string, string>>) | undefined;
}

async function startScripts({ main, secrets, shares, operatorFile, keeperFile, keyService }: Scripts): Promise<[Script, Script, Script]> {
  const [edgeBundle, directoryBundle, keeperBundle] = [buildScript(""), buildScript("directory"), buildScript("keeper")];
  const named = { POSTERN_LOG_NAME: logName, POSTERN_ORIGIN: audience };
  const edge = {
    bindings: { HYPERDRIVE: main.edgeUrl, SHARES: shares.ownerUrl },
    vars: { ...named, POSTERN_CONFIG: operatorFile },
    secrets: { POSTERN_ROOT_KEY: secrets.root, POSTERN_WRITER_KEY: secrets.edgeWriter, ...keyService?.("edge") },
  };
  const directory = {
    bindings: { ...edge.bindings, HYPERDRIVE: main.directoryUrl },
    vars: edge.vars,
    secrets: { POSTERN_ROOT_KEY: secrets.root, POSTERN_WRITER_KEY: secrets.directoryWriter, ...keyService?.("directory") },
  };
  const keeper = {
    bindings: { ...edge.bindings, HYPERDRIVE: main.keeperUrl },
    vars: { ...named, POSTERN_CONFIG: keeperFile },
    secrets: {
      POSTERN_ROOT_KEY: secrets.root,
      POSTERN_WRITER_KEY: secrets.keeperWriter,
      POSTERN_LOG_KEY: secrets.log,
      POSTERN_CERTIFICATE_KEY: secrets.certificate,
      ...keyService?.("keeper"),
    },
  };
  // One after the other: where a binding leads stands in the environment of this process.
  return [
    await startScript("", edge, edgeBundle),
    await startScript("directory", directory, directoryBundle),
    await startScript("keeper", keeper, keeperBundle),
  ];
}

async function openOnNode({ main, shareDatabase, secrets, issuer }: Operated & { readonly shareDatabase: Database }): Promise<Gateway> {
  const signer = (secret: string) => createSigner(fromBase64(secret));
  const edgeDatabase = openTestPool(main.edgeUrl);
  const [edgeWriter, keeperWriter] = [await signer(secrets.edgeWriter), await signer(secrets.keeperWriter)];
  const directoryWriter = await signer(secrets.directoryWriter);
  const gateway = await createGateway({
    database: openTestPool(main.keeperUrl),
    edgeDatabase,
    common: {
      root: createRootKey(nodeAead, fromBase64(secrets.root)),
      shares: createPostgresShareStore(shareDatabase),
      issuers: [issuer],
      logName,
    },
    edge: { writer: edgeWriter },
    keeper: {
      writer: keeperWriter,
      logSigner: await signer(secrets.log),
      certificateSigner: await signer(secrets.certificate),
      anchor: createPostgresAnchor(shareDatabase),
      writers: [edgeWriter, directoryWriter, keeperWriter].map(({ publicKey }) => publicKey),
    },
  });
  return {
    ...gateway,
    async close() {
      await Promise.all([gateway.close(), edgeDatabase.close()]);
    },
  };
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
