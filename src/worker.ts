/**
 * Postern's edge on Cloudflare Workers, or plain workerd: serves agents, and nobody else.
 * Once an isolate: settings → signer → memory.  Each request: connections → edge → app → answer → close.
 * Trusted with the root key, its writer key and the edge's database role: whoever holds this script reads what passes, and cannot rewrite the log.
 */
import { buildApp } from "./app.ts";
import { assembleEdge } from "./assemble.ts";
import { createInFlight } from "./kernel/index.ts";
import { checkTombstones } from "./start-checks.ts";
import { createFetchReach } from "./upstream/index.ts";
import { version } from "./version.ts";
import {
  addressOf,
  connect,
  countryOf,
  type Environment,
  type Isolate,
  misconfigured,
  onceAnIsolate,
  openIsolate,
  report,
  tellRefused,
  type Waits,
} from "./worker-isolate.ts";
import { readWorkerSettings, type WorkerSettings } from "./worker-settings.ts";
import { behind, checkMainDatabase, passOnce } from "./worker-start.ts";

const limits = { applicationName: "postern-edge", deadlineMs: 5_000 };

/** Its network has no private part. */
const reach = createFetchReach((url, init) => fetch(url, init));

const isolateOf = onceAnIsolate(async (env) => openIsolate(readWorkerSettings(env)));

export default {
  async fetch(request: Request, env: Environment, context: Waits): Promise<Response> {
    const isolate = await isolateOf(env);
    return isolate ? serveOne(isolate, request, context) : misconfigured(request);
  },
};

async function serveOne(isolate: Isolate<WorkerSettings>, request: Request, context: Waits): Promise<Response> {
  const { common, database, close } = connect(isolate, limits);
  const pass = passOnce(
    isolate.main,
    async () => {
      await checkMainDatabase(database, { role: "postern_edge", logName: isolate.settings.logName });
      await checkTombstones(database, common.shares);
    },
    tellRefused,
  );
  const { writer, memory } = isolate;
  const edge = assembleEdge(common, { database: behind(database, pass), writer, memory, reach }, createInFlight());
  try {
    return await buildApp([edge], { version, origin: isolate.settings.origin, addressOf, countryOf, report }).fetch(request);
  } finally {
    context.waitUntil(edge.settle().catch(report).then(close));
  }
}
