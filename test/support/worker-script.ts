/**
 * A script of wrangler.toml in real workerd, as Wrangler runs it: built once a run, each start a new isolate.
 */
import { execFile } from "node:child_process";
import { existsSync, mkdirSync, renameSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import { inject } from "vitest";
import { createTestHarness, type TestHarness, type TestHarnessOptions } from "wrangler";
import type { CallOptions, Door } from "./gateway.ts";
import { root } from "./repository.ts";
import { until } from "./until.ts";

/** No reports, no log files, no banner. */
const quiet = {
  WRANGLER_SEND_METRICS: "false",
  WRANGLER_WRITE_LOGS: "false",
  WRANGLER_HIDE_BANNER: "true",
  DO_NOT_TRACK: "1",
} as const;

export interface ScriptSettings {
  /** Where a Hyperdrive binding leads. */
  readonly bindings: Readonly<Record<string, string>>;
  readonly vars: Readonly<Record<string, string>>;
  readonly secrets: Readonly<Record<string, string>>;
}

/** What differs from the good settings; `null` takes a variable or a secret away. */
export interface Over {
  readonly bindings?: Readonly<Record<string, string>>;
  readonly vars?: Readonly<Record<string, string | null>>;
  readonly secrets?: Readonly<Record<string, string | null>>;
}

export interface Script extends Door {
  /** Path of what would be deployed. */
  readonly path: string;
  /** Takes the first bytes of an answer, and no more. */
  abandon(path: string, options?: CallOptions): Promise<void>;
  /** The cron trigger. */
  scheduled(): Promise<void>;
  /** Lines that the script wrote since its start. */
  output(): string[];
  /** A new isolate. One script at a time: where a binding leads stands in this process's environment. */
  restart(over?: Over): Promise<void>;
  close(): Promise<void>;
}

export type Environment = "" | "directory" | "keeper" | "witness";

export async function startScript(environment: Environment, settings: ScriptSettings, built = buildScript(environment)): Promise<Script> {
  const bundle = await built;
  const options = (over: Over) => optionsOf(environment, bundle, settings, over);
  const harness = createTestHarness(options({}));
  await harness.listen();
  return {
    path: join(bundle, environment === "" ? "worker.js" : `worker-${environment}.js`),
    call: (method, path, options = {}) => callScript(harness, method, path, options),
    async abandon(path, { headers = {} } = {}) {
      const answer = await harness.fetch(path, { headers: { ...headers } });
      const reader = answer.body?.getReader();
      await reader?.read();
      await reader?.cancel();
    },
    async scheduled() {
      const { outcome } = await harness.getWorker().scheduled({ cron: "* * * * *", scheduledTime: new Date() });
      if (outcome !== "ok") throw new Error(`the cron trigger ended with ${outcome}`);
    },
    output: () => harness.getLogs().map(({ message }) => message),
    async restart(over = {}) {
      await harness.update(options(over));
      harness.clearLogs();
    },
    close: () => harness.close(),
  };
}

/** A build takes two seconds of the processor. */
const builtWithinMs = 100_000;

/** What would be deployed: by whoever asks first in this run, while the others wait. Made under another name and moved, so that nobody sees half of it. `into`: outside a run. */
export async function buildScript(environment: Environment, into = inject("builtOnce")): Promise<string> {
  const bundle = join(into, `bundle-${environment}`);
  if (mkdirSync(`${bundle}.turn`, { recursive: true }) === undefined) {
    await until(`the bundle ${environment}`, () => existsSync(bundle), builtWithinMs);
    return bundle;
  }
  const args = ["deploy", "--dry-run", "--env", environment, "--outdir", `${bundle}.draft`];
  await promisify(execFile)(join(root, "node_modules/.bin/wrangler"), args, { cwd: root, env: { ...process.env, ...quiet } });
  renameSync(`${bundle}.draft`, bundle);
  return bundle;
}

function optionsOf(environment: Environment, bundle: string, settings: ScriptSettings, over: Over): TestHarnessOptions {
  // Wrangler reads from the environment where a binding leads on this machine.
  const bindings = Object.entries({ ...settings.bindings, ...over.bindings });
  Object.assign(
    process.env,
    quiet,
    Object.fromEntries(bindings.map(([name, url]) => [`CLOUDFLARE_HYPERDRIVE_LOCAL_CONNECTION_STRING_${name}`, withPassword(url)])),
  );
  const worker = {
    configPath: "wrangler.toml",
    ...(environment === "" ? {} : { env: environment }),
    prebuiltWorkerDir: bundle,
    vars: present({ ...settings.vars, ...over.vars }),
    secrets: present({ ...settings.secrets, ...over.secrets }),
  };
  return { root, workers: [worker] };
}

function present(values: Readonly<Record<string, string | null>>): Record<string, string> {
  return Object.fromEntries(Object.entries(values).filter((entry): entry is [string, string] => entry[1] !== null));
}

/** Wrangler insists on one; the test's server asks for none. */
function withPassword(url: string): string {
  return url.replace("@", ":none@");
}

/** Answers a Response of Node's own: Wrangler's is undici's. */
async function callScript(harness: TestHarness, method: string, path: string, { body, headers = {} }: CallOptions): Promise<Response> {
  const media = body === undefined || typeof body === "string" ? {} : { "content-type": "application/json" };
  const content = body === undefined ? {} : { body: typeof body === "string" ? body : JSON.stringify(body) };
  const answer = await harness.fetch(path, { method, headers: { ...media, ...headers }, ...content });
  return new Response(await answer.arrayBuffer(), { status: answer.status, headers: [...answer.headers] });
}
