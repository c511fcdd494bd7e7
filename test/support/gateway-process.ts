/** The gateway as it is served in production, a real process on a real Postgres, which a test kills, hangs and starts again on the same port. */
import { type ChildProcess, spawn } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { readBuiltInIssuer } from "../../src/node-keys.ts";
import { operatorFile } from "./command-line.ts";
import { freePort } from "./free-port.ts";
import type { Door } from "./gateway.ts";
import { continueTree, killTree, stopTree } from "./processes.ts";
import { nodeImports, root } from "./repository.ts";
import { shippedFlags, shippedVariables } from "./shipped-command.ts";

export interface GatewayProcess extends Door {
  readonly port: number;
  /** Its working directory. */
  readonly home: string;
  pid(): number;
  /** Resolves once it serves. Throws with what it said where it ends instead. */
  start(): Promise<void>;
  /** SIGKILL. */
  kill(): Promise<void>;
  /** SIGTERM, and how that ended. */
  terminate(): Promise<Ended>;
  /** SIGSTOP: it accepts connections and answers nobody. */
  hang(): void;
  /** SIGCONT. */
  goOn(): void;
  /** Whether it still is the process that `start` made. */
  runs(): boolean;
  /** Of the built-in issuer, good for at least ten minutes. */
  token(subject: string): Promise<string>;
  /** From now on the issuer's clock is so far ahead of ours. */
  shiftTokens(ms: number): void;
  /** What it wrote to standard error in all its lives. */
  errors(): string;
  /** Ends it and removes its directory. */
  remove(): Promise<void>;
}

interface Ended {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly tookMs: number;
}

export interface GatewayProcessOptions {
  readonly edgeUrl: string;
  readonly keeperUrl: string;
  /** Path of what runs instead of the command line: a gateway that is broken on purpose. */
  readonly script?: string;
  /** Further lines of the operator's file. */
  readonly operators?: string;
  /** Of its environment, beside those that a gateway has. */
  readonly variables?: Readonly<Record<string, string>>;
}

/** It starts often. */
const compileCache = join(tmpdir(), "postern-compile-cache");
/** A statement of the keeper's may take a minute. */
const callMsMax = 90_000;
const tokenSeconds = 900;
const tokenKeptMs = 300_000;

/** Does not start it. */
export async function createGatewayProcess(options: GatewayProcessOptions): Promise<GatewayProcess> {
  const { edgeUrl, keeperUrl, script, operators = "", variables } = options;
  const home = mkdtempSync(join(tmpdir(), "postern-gateway-"));
  const data = join(home, "data");
  const config = join(home, "postern.yaml");
  writeFileSync(config, `${operatorFile}${operators}`);
  const port = await freePort();
  const origin = `http://127.0.0.1:${port}`;
  const settings = { PORT: String(port), POSTERN_ORIGIN: origin, POSTERN_DATA: data, POSTERN_CONFIG: config };
  const databases = { DATABASE_URL_EDGE: edgeUrl, DATABASE_URL_KEEPER: keeperUrl };
  const env = { PATH: process.env.PATH, ...shippedVariables, NODE_COMPILE_CACHE: compileCache, ...settings, ...databases, ...variables };
  const words = [...shippedFlags, ...nodeImports, script ?? join(root, "src/cli.ts"), "serve"];
  let shiftMs = 0;
  const signTokens = tokensOf(data, origin, () => Date.now() + shiftMs);
  let child: ChildProcess | null = null;
  let errors = "";
  const runs = () => child !== null && child.exitCode === null && child.signalCode === null;
  const pid = () => {
    if (!child?.pid || !runs()) throw new Error(`the gateway does not run: ${errors}`);
    return child.pid;
  };
  const gateway: GatewayProcess = {
    port,
    home,
    pid,
    runs,
    async start() {
      const started = spawn(process.execPath, words, { cwd: home, env, stdio: ["ignore", "pipe", "pipe"] });
      child = started;
      started.stderr.setEncoding("utf8").on("data", (text: string) => {
        errors += text;
      });
      await new Promise<void>((resolve, reject) => {
        started.stdout.once("data", () => resolve());
        started.once("exit", (code) => reject(new Error(`the gateway ended with ${code}: ${errors}`)));
      });
    },
    async kill() {
      const ended = endOf(child);
      await killTree(pid());
      await ended;
    },
    async terminate() {
      const begun = performance.now();
      const ended = endOf(child);
      process.kill(pid(), "SIGTERM");
      return { ...(await ended), tookMs: performance.now() - begun };
    },
    hang: () => stopTree(pid()),
    goOn: () => continueTree(pid()),
    token: signTokens,
    shiftTokens(ms) {
      shiftMs = ms;
    },
    errors: () => errors,
    async call(method, path, { as, body, headers = {} } = {}) {
      const authorization = as === undefined ? {} : { authorization: `Bearer ${await signTokens(as)}` };
      const content = body === undefined ? {} : { body: typeof body === "string" ? body : JSON.stringify(body) };
      const media = body === undefined || typeof body === "string" ? {} : { "content-type": "application/json" };
      const signal = AbortSignal.timeout(callMsMax);
      return fetch(`${origin}${path}`, { method, headers: { ...authorization, ...media, ...headers }, signal, ...content });
    },
    async remove() {
      if (runs()) await gateway.kill();
      rmSync(home, { recursive: true, force: true });
    },
  };
  return gateway;
}

function tokensOf(data: string, origin: string, clock: () => number): (subject: string) => Promise<string> {
  const kept = new Map<string, { readonly token: string; readonly signedAt: number }>();
  return async (subject) => {
    const known = kept.get(subject);
    const now = clock();
    if (known && Math.abs(now - known.signedAt) < tokenKeptMs) return known.token;
    const issuer = await readBuiltInIssuer(data);
    const token = await issuer.sign({ subject, audience: origin, ttlSeconds: tokenSeconds, now });
    kept.set(subject, { token, signedAt: now });
    return token;
  };
}

function endOf(child: ChildProcess | null): Promise<Omit<Ended, "tookMs">> {
  return new Promise((resolve) => child?.once("exit", (code, signal) => resolve({ code, signal })));
}
