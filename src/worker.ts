/**
 * Postern's edge on Cloudflare Workers, or plain workerd: serves agents, and nobody else.
 * Once an isolate: settings → signer → memory.  Each request: connections → edge → app → answer → close.
 *
 * A socket may not outlive its request, so whatever holds one is assembled for each request and nothing under way is kept; what is kept is inert.
 * Trusted with the root key, its writer key and the edge's database role: whoever holds this script reads what passes, and cannot rewrite the log.
 */
import type { ExecutionContext } from "@cloudflare/workers-types";
import type { Context } from "hono";
import { buildApp, describeForOperators } from "./app.ts";
import { assembleEdge, createMemory, type Memory } from "./assemble.ts";
import { ConfigRefused } from "./config.ts";
import { createSigner, portableAead, type Signer } from "./crypto/index.ts";
import { languageOf, problem } from "./http/index.ts";
import { createInFlight } from "./kernel/index.ts";
import { createKeyring, createRootKey, type OpenedKeys, type RootKey } from "./keys/index.ts";
import { createPostgresShareStore } from "./keys/postgres-share-store.ts";
import { checkMigrationDigests, type Database, DatabaseUnavailable, MigrationRefused, migrationsOfThisBuild } from "./storage/index.ts";
import { openPostgres } from "./storage/postgres.ts";
import { version } from "./version.ts";
import { readWorkerSettings, type WorkerSettings } from "./worker-settings.ts";

/** A request's statements follow each other; what overlaps shares the connection. */
const connectionLimits = { poolSize: 1, queueMax: 100, deadlineMs: 5_000 };

/** Inert: no connection, nothing of a request, nothing under way. */
interface Isolate {
  readonly settings: WorkerSettings;
  readonly root: RootKey;
  readonly writer: Signer;
  readonly memory: Memory;
  readonly contractKeys: OpenedKeys;
}

let isolate: Isolate | null = null;
let schemaFits = false;

export default {
  async fetch(request: Request, env: Readonly<Record<string, unknown>>, context: Pick<ExecutionContext, "waitUntil">): Promise<Response> {
    try {
      isolate ??= await openIsolate(env);
    } catch (error) {
      if (!(error instanceof ConfigRefused)) throw error;
      tell({ event: "refused", line: error.message });
      return refused(request);
    }
    return serveOne(isolate, request, context);
  },
};

/** Throws ConfigRefused. */
async function openIsolate(env: Readonly<Record<string, unknown>>): Promise<Isolate> {
  const settings = readWorkerSettings(env);
  return {
    settings,
    root: createRootKey(portableAead, settings.rootKey),
    writer: await createSigner(settings.writerSeed),
    memory: createMemory({ issuers: settings.issuers, audience: settings.origin, now: Date.now }),
    contractKeys: new Map(),
  };
}

async function serveOne(
  { settings, root, writer, memory, contractKeys }: Isolate,
  request: Request,
  context: Pick<ExecutionContext, "waitUntil">,
): Promise<Response> {
  const database = behindSchemaCheck(openPostgres({ url: settings.databaseUrl, applicationName: "postern-edge", ...connectionLimits }));
  const shareDatabase = openPostgres({ url: settings.sharesUrl, applicationName: "postern-shares", ...connectionLimits });
  const shares = createPostgresShareStore(shareDatabase);
  const common = {
    aead: portableAead,
    root,
    shares,
    keyring: createKeyring({ aead: portableAead, root, shares, now: Date.now, opened: contractKeys }),
    logName: settings.logName,
    issuers: settings.issuers,
    merchants: settings.merchants,
    audience: settings.origin,
    now: Date.now,
  };
  const edge = assembleEdge(common, { database, writer, memory }, createInFlight());
  try {
    return await buildApp([edge], { version, addressOf, report }).fetch(request);
  } finally {
    context.waitUntil(Promise.all([database.close(), shareDatabase.close()]));
  }
}

/** No statement runs before the schema is known to be this build's: asked until it fits, then never again in this isolate. */
function behindSchemaCheck(database: Database): Database {
  const check = async (): Promise<void> => {
    if (schemaFits) return;
    try {
      await checkMigrationDigests(database, migrationsOfThisBuild);
    } catch (error) {
      if (!(error instanceof MigrationRefused)) throw error;
      tell({ event: "refused", line: error.message });
      throw new DatabaseUnavailable(error.message, false);
    }
    schemaFits = true;
  };
  return {
    ...database,
    query: (text, params) => check().then(() => database.query(text, params)),
    transaction: (work) => check().then(() => database.transaction(work)),
  };
}

/** Cloudflare sets the header, and `cf` beside it; without that whoever calls could have written it. */
function addressOf(c: Context): string | undefined {
  return "cf" in c.req.raw && c.req.raw.cf ? c.req.header("cf-connecting-ip") : undefined;
}

/** An edge that is not set up serves nothing; why stands in its own log alone. */
function refused(request: Request): Response {
  const language = languageOf(request.headers.get("accept-language"));
  return problem({ code: "misconfigured" }, { requestId: crypto.randomUUID(), language });
}

function report(fault: unknown): void {
  tell(describeForOperators(fault));
}

function tell(line: Readonly<Record<string, unknown>>): void {
  console.error(JSON.stringify({ level: "error", ...line }));
}
