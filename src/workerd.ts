/**
 * Postern's edge on plain workerd, without a cloud account: one Durable Object is the edge, and every request goes to it.
 * Once a process: settings → signer → pools → edge → app.  Each request: app → answer.
 *
 * A Worker's socket may not outlive its request, an object's may: here the edge is assembled once, over pools, as on Node, and requests share
 * what is under way. The object stores nothing. Trusted with what `worker.ts` is trusted with.
 */
import type { Hono } from "hono";
import { buildApp } from "./app.ts";
import { assembleEdge } from "./assemble.ts";
import { createInFlight } from "./kernel/index.ts";
import { ConfigRefused } from "./operator-settings.ts";
import { checkTombstones } from "./start-checks.ts";
import { createFetchReach, type Leave } from "./upstream/index.ts";
import { version } from "./version.ts";
import { connect, type Environment, misconfigured, onceAnIsolate, openIsolate, report, tellRefused } from "./worker-isolate.ts";
import { readWorkerSettings } from "./worker-settings.ts";
import { behind, checkMainDatabase, passOnce } from "./worker-start.ts";

const limits = { poolSize: 10, queueMax: 1_000, deadlineMs: 5_000 };

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
  #app: Promise<Hono | null> | null = null;

  constructor(_state: unknown, environment: Environment) {
    // A variable that the process was not given arrives as null.
    this.#environment = Object.fromEntries(Object.entries(environment).filter(([, value]) => value !== null));
  }

  async fetch(request: Request): Promise<Response> {
    // Requests of one object may share what is under way; the first ones share one set of connections.
    this.#app ??= onceAnIsolate(openEdge)(this.#environment);
    const app = await this.#app;
    return app ? app.fetch(request) : misconfigured(request);
  }
}

/** Throws ConfigRefused. */
async function openEdge(environment: Environment): Promise<Hono> {
  const isolate = await openIsolate(readWorkerSettings(environment));
  const { common, database } = connect(isolate, { applicationName: "postern-edge", ...limits });
  const pass = passOnce(
    isolate.main,
    async () => {
      await checkMainDatabase(database, { role: "postern_edge", logName: isolate.settings.logName });
      await checkTombstones(database, common.shares);
    },
    tellRefused,
  );
  const edge = assembleEdge(
    common,
    { database: behind(database, pass), writer: isolate.writer, reach: createFetchReach(shopsOf(environment)) },
    createInFlight(),
  );
  // No address: whoever calls plain workerd could have written the header that would name one.
  return buildApp([edge], { version, origin: isolate.settings.origin, addressOf: () => undefined, report });
}

/** workerd's own `fetch` reaches the databases' network as well; a merchant's API is asked by a service that reaches public addresses alone. */
function shopsOf({ SHOPS: shops }: Environment): Leave {
  if (!isFetcher(shops))
    throw new ConfigRefused("SHOPS is missing; deploy/workerd.capnp binds it to the network of merchants' APIs, which has no private part");
  return (url, init) => shops.fetch(url, init);
}

function isFetcher(value: unknown): value is { readonly fetch: Leave } {
  return typeof value === "object" && value !== null && "fetch" in value;
}
