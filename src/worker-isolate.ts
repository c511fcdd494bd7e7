/**
 * What the Workers scripts on the database do alike.  Once an isolate: settings → signer → memory.  Each event: connections → (start's checks) → work → close.
 * A socket may not outlive its request, so whatever holds one is made for each event; what is kept at module scope is inert.
 */
import type { ExecutionContext } from "@cloudflare/workers-types";
import type { Context } from "hono";
import { describeForOperators } from "./app.ts";
import { type CommonParts, createMemory, type Memory } from "./assemble.ts";
import { createSigner, portableAead, type Signer } from "./crypto/index.ts";
import { createMetrics, languageOf, type Metrics, problem } from "./http/index.ts";
import { createKeyring, createRootKey, createServiceRootKey, type OpenedKeys, type RootKey, type ShareHolders } from "./keys/index.ts";
import { createPostgresShareStore } from "./keys/postgres-share-store.ts";
import { openShareHolders } from "./open-key-holders.ts";
import { ConfigRefused } from "./operator-settings.ts";
import { checkShareDatabase, rootKeysOf } from "./start-checks.ts";
import type { Database } from "./storage/index.ts";
import { openPostgres } from "./storage/postgres.ts";
import type { WorkerSettings } from "./worker-settings.ts";
import { behind, type Passed, passOnce } from "./worker-start.ts";

export type Environment = Readonly<Record<string, unknown>>;
export type Waits = Pick<ExecutionContext, "waitUntil">;

/** Inert: no connection, nothing of a request, nothing under way. */
export interface Isolate<Settings extends WorkerSettings> {
  readonly settings: Settings;
  readonly root: RootKey;
  readonly writer: Signer;
  readonly memory: Memory;
  readonly holders: ShareHolders;
  readonly contractKeys: OpenedKeys;
  /** The app is made for each event; what it counts is the isolate's. */
  readonly metrics: Metrics;
  /** Whether the start's checks have passed, of each database. */
  readonly main: Passed;
  readonly shares: Passed;
}

export async function openIsolate<Settings extends WorkerSettings>(settings: Settings): Promise<Isolate<Settings>> {
  const writer = await createSigner(settings.writerSeed);
  return {
    settings,
    root: rootKeysOf(rootKeyOf(settings.rootKey), settings.rootKeyBeside && rootKeyOf(settings.rootKeyBeside)),
    writer,
    holders: openShareHolders(settings.merchants, writer, Number.POSITIVE_INFINITY),
    memory: createMemory({ issuers: settings.issuers, audience: settings.origin, now: Date.now }),
    contractKeys: new Map(),
    metrics: createMetrics(),
    main: { yet: false },
    shares: { yet: false },
  };
}

function rootKeyOf(key: WorkerSettings["rootKey"]): RootKey {
  return key instanceof Uint8Array ? createRootKey(portableAead, key) : createServiceRootKey(key);
}

/** Runs `open` until it succeeds, and remembers what it made. `null`: the settings are refused, and why stands in the script's own log. */
export function onceAnIsolate<Opened>(open: (env: Environment) => Promise<Opened>): (env: Environment) => Promise<Opened | null> {
  let opened: Opened | null = null;
  return async (env) => {
    try {
      opened ??= await open(env);
    } catch (error) {
      if (!(error instanceof ConfigRefused)) throw error;
      tellRefused(error.message);
    }
    return opened;
  };
}

export interface Connections {
  readonly common: CommonParts;
  /** Nothing stands before it yet. */
  readonly database: Database;
  /** Of the shares, behind its check. */
  readonly second: Database;
  close(): Promise<unknown>;
}

/** An event's statements follow each other; what overlaps shares the connection. */
const eventLimits = { poolSize: 1, queueMax: 100 };
const sharesDeadlineMs = 5_000;

export interface ConnectOptions {
  readonly applicationName: string;
  readonly deadlineMs: number;
  /** Default: what one event needs. */
  readonly poolSize?: number;
  readonly queueMax?: number;
}

/** Opens none yet: the first statement does. */
export function connect(
  { settings, root, holders, contractKeys, metrics, shares: passed }: Isolate<WorkerSettings>,
  { applicationName, deadlineMs, ...limits }: ConnectOptions,
): Connections {
  const database = openPostgres({ url: settings.databaseUrl, applicationName, deadlineMs, ...eventLimits, ...limits });
  const ofShares = openPostgres({
    url: settings.sharesUrl,
    applicationName: "postern-shares",
    deadlineMs: sharesDeadlineMs,
    ...eventLimits,
  });
  const pass = passOnce(passed, () => checkShareDatabase(ofShares), tellRefused);
  const second = behind(ofShares, pass);
  const shares = createPostgresShareStore(second);
  const common = {
    aead: portableAead,
    root,
    shares,
    keyring: createKeyring({ aead: portableAead, root, shares, holders, now: Date.now, opened: contractKeys }),
    logName: settings.logName,
    freshness: settings.freshness,
    sessions: settings.sessions,
    issuers: settings.issuers,
    merchants: settings.merchants,
    vendors: settings.vendors,
    operators: settings.operators,
    metrics,
    audience: settings.origin,
    now: Date.now,
  };
  return { common, database, second, close: () => Promise.all([database.close(), ofShares.close()]) };
}

/** Cloudflare sets the header, and `cf` beside it; without that whoever calls could have written it. */
export function addressOf(c: Context): string | undefined {
  return "cf" in c.req.raw && c.req.raw.cf ? c.req.header("cf-connecting-ip") : undefined;
}

/** As Cloudflare has it of the address; `XX`: it does not know. */
export function countryOf(c: Context): string | undefined {
  const country = "cf" in c.req.raw && c.req.raw.cf ? c.req.header("cf-ipcountry") : undefined;
  return country === "XX" ? undefined : country;
}

/** A script that is not set up serves nothing; why stands in its own log alone. */
export function misconfigured(request: Request): Response {
  const language = languageOf(request.headers.get("accept-language"));
  return problem({ code: "misconfigured" }, { requestId: crypto.randomUUID(), language });
}

export function report(fault: unknown): void {
  tell(describeForOperators(fault));
}

export function tellRefused(line: string): void {
  tell({ event: "refused", line });
}

export function tell(line: Readonly<Record<string, unknown>>): void {
  console.error(JSON.stringify({ level: "error", ...line }));
}
