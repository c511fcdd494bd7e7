/**
 * Postern's directory on Cloudflare Workers: serves whoever decides who sits where. Today: seats.
 * Once an isolate: settings → signer → memory.  Each request: connections → directory → app → answer → close.
 * Trusted with the root key, its writer key and the directory's database role: whoever holds this script can seat whom they like, and with a copy of the
 * database read it; through it they open no record, and they cannot rewrite the log (decision 0030).
 */
import { buildApp } from "./app.ts";
import { assembleDirectory } from "./assemble-directory.ts";
import { createInFlight } from "./kernel/index.ts";
import { checkTombstones } from "./start-checks.ts";
import { version } from "./version.ts";
import {
  addressOf,
  connect,
  type Environment,
  type Isolate,
  misconfigured,
  onceAnIsolate,
  openIsolate,
  report,
  tellRefused,
  type Waits,
} from "./worker-isolate.ts";
import { readDirectorySettings, type WorkerSettings } from "./worker-settings.ts";
import { behind, checkMainDatabase, passOnce } from "./worker-start.ts";

/** An import of five thousand seats is one transaction. */
const limits = { applicationName: "postern-directory", deadlineMs: 20_000 };

const isolateOf = onceAnIsolate(async (env) => openIsolate(readDirectorySettings(env)));

export default {
  async fetch(request: Request, env: Environment, context: Waits): Promise<Response> {
    const isolate = await isolateOf(env);
    return isolate ? serveOne(isolate, request, context) : misconfigured(request);
  },
};

async function serveOne(isolate: Isolate<WorkerSettings>, request: Request, context: Waits): Promise<Response> {
  const { common, database, close } = connect(isolate, limits);
  const check = async () => {
    await checkMainDatabase(database, { role: "postern_directory", logName: isolate.settings.logName });
    await checkTombstones(database, common.shares);
  };
  const { writer, memory } = isolate;
  const side = { database: behind(database, passOnce(isolate.main, check, tellRefused)), writer, memory };
  const directory = assembleDirectory(common, side, createInFlight());
  try {
    return await buildApp([directory], { version, origin: isolate.settings.origin, addressOf, report }).fetch(request);
  } finally {
    context.waitUntil(directory.settle().catch(report).then(close));
  }
}
