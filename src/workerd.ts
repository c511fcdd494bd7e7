/**
 * Postern's edge on plain workerd, without a cloud account: one Durable Object is the edge, and every request goes to it.
 * Once a process: settings → signer → pools → edge → app.  Each request: app → answer.
 *
 * A Worker's socket may not outlive its request, an object's may: here the edge is assembled once, over pools, as on Node, and requests share
 * what is under way. The object stores nothing. Trusted with what `worker.ts` is trusted with.
 */
import type { Hono } from "hono";
import { buildApp, describeForOperators } from "./app.ts";
import { assembleEdge } from "./assemble.ts";
import { ConfigRefused } from "./config.ts";
import { createSigner, portableAead } from "./crypto/index.ts";
import { languageOf, problem } from "./http/index.ts";
import { createInFlight } from "./kernel/index.ts";
import { createKeyring, createRootKey } from "./keys/index.ts";
import { createPostgresShareStore } from "./keys/postgres-share-store.ts";
import { checkMigrationDigests, type Database, DatabaseUnavailable, MigrationRefused, migrationsOfThisBuild } from "./storage/index.ts";
import { openPostgres } from "./storage/postgres.ts";
import { version } from "./version.ts";
import { readWorkerSettings } from "./worker-settings.ts";

const databaseLimits = { poolSize: 10, queueMax: 1_000, deadlineMs: 5_000 };
const shareLimits = { ...databaseLimits, poolSize: 2 };

/** A variable that the process was not given arrives as null. */
type Environment = Readonly<Record<string, unknown>>;

/** workerd's DurableObjectNamespace, as far as it is used here. */
interface Objects {
  idFromName(name: string): unknown;
  get(id: unknown): { fetch(request: Request): Promise<Response> };
}

export default {
  fetch(request: Request, { EDGE: objects }: { readonly EDGE: Objects }): Promise<Response> {
    return objects.get(objects.idFromName("edge")).fetch(request);
  },
};

export class Edge {
  readonly #environment: Environment;
  #app: Promise<Hono> | null = null;

  constructor(_state: unknown, environment: Environment) {
    this.#environment = environment;
  }

  async fetch(request: Request): Promise<Response> {
    try {
      this.#app ??= openEdge(this.#environment);
      return await (await this.#app).fetch(request);
    } catch (error) {
      if (!(error instanceof ConfigRefused)) throw error;
      tell({ event: "refused", line: error.message });
      const language = languageOf(request.headers.get("accept-language"));
      return problem({ code: "misconfigured" }, { requestId: crypto.randomUUID(), language });
    }
  }
}

/** Throws ConfigRefused. */
async function openEdge(environment: Environment): Promise<Hono> {
  const settings = readWorkerSettings(Object.fromEntries(Object.entries(environment).filter(([, value]) => value !== null)));
  const writer = await createSigner(settings.writerSeed);
  const root = createRootKey(portableAead, settings.rootKey);
  const shares = createPostgresShareStore(openPostgres({ url: settings.sharesUrl, applicationName: "postern-shares", ...shareLimits }));
  const database = openPostgres({ url: settings.databaseUrl, applicationName: "postern-edge", ...databaseLimits });
  const common = {
    aead: portableAead,
    root,
    shares,
    keyring: createKeyring({ aead: portableAead, root, shares, now: Date.now }),
    logName: settings.logName,
    issuers: settings.issuers,
    merchants: settings.merchants,
    audience: settings.origin,
    now: Date.now,
  };
  const edge = assembleEdge(common, { database: behindSchemaCheck(database), writer }, createInFlight());
  // No address: whoever calls plain workerd could have written the header that would name one.
  return buildApp([edge], { version, addressOf: () => undefined, report: (fault) => tell(describeForOperators(fault)) });
}

/** No statement runs before the schema is known to be this build's: asked until it fits, then never again. */
function behindSchemaCheck(database: Database): Database {
  let fits = false;
  const check = async (): Promise<void> => {
    if (fits) return;
    try {
      await checkMigrationDigests(database, migrationsOfThisBuild);
    } catch (error) {
      if (!(error instanceof MigrationRefused)) throw error;
      tell({ event: "refused", line: error.message });
      throw new DatabaseUnavailable(error.message, false);
    }
    fits = true;
  };
  return {
    ...database,
    query: (text, params) => check().then(() => database.query(text, params)),
    transaction: (work) => check().then(() => database.transaction(work)),
  };
}

function tell(line: Readonly<Record<string, unknown>>): void {
  console.error(JSON.stringify({ level: "error", ...line }));
}
