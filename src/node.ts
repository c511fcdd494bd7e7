/**
 * Postern on Node: both sides in one process, or one by `--only`. Opens databases and key files, serves, runs the keeper's loops, drains on SIGTERM.
 */
import { Server } from "node:http";
import { serve as listen } from "@hono/node-server";
import { buildApp, describeForOperators, type Side } from "./app.ts";
import { askedWitnesses } from "./asked-witnesses.ts";
import { assembleEdge, type CommonParts } from "./assemble.ts";
import { assembleDirectory } from "./assemble-directory.ts";
import { assembleKeeper, type Keeper, type KeeperParts } from "./assemble-keeper.ts";
import type { Anchor } from "./audit/index.ts";
import type { Environment } from "./config.ts";
import { fromBase64, useHashes } from "./crypto/index.ts";
import { nodeAead } from "./crypto/node-aead.ts";
import { nodeHashes } from "./crypto/node-hash.ts";
import { createMetrics, type Route } from "./http/index.ts";
import { addressOf, headerOf, targetOf } from "./http/node-request.ts";
import type { IssuerProfile } from "./identity/index.ts";
import { nodeDigest } from "./identity/node-digest.ts";
import { issuerProfile } from "./issuer-settings.ts";
import { createInFlight } from "./kernel/index.ts";
import { createKeyring, type ShareStore } from "./keys/index.ts";
import { type Databases, openDatabases } from "./node-databases.ts";
import { createDrain, within } from "./node-drain.ts";
import { type KeyFiles, keyPathsOf, type Only, readBuiltInIssuer, readKeyFiles } from "./node-keys.ts";
import { createPrinter } from "./node-printer.ts";
import { openRootKey } from "./node-root-key.ts";
import { openSinks } from "./node-sinks.ts";
import { openAnchor, openShares } from "./node-stores.ts";
import { openShareHolders } from "./open-key-holders.ts";
import type { OperatorFile } from "./operator-settings.ts";
import { checkRootKey, checkTombstones } from "./start-checks.ts";
import { openPostgres } from "./storage/postgres.ts";
import type { Reach } from "./upstream/index.ts";
import { createNodeDatabaseReach } from "./upstream/node-database-reach.ts";
import { createNodeReach } from "./upstream/node-reach.ts";
import { version } from "./version.ts";

export interface Running {
  readonly keeper: Keeper | null;
  readonly port: number;
  /** The app's own door, without a socket. */
  request(path: string, init: RequestInit): Promise<Response>;
  /** Stops accepting, lets what is under way end (at most 10 s), closes the databases. */
  stop(): Promise<void>;
}

/** Twice in the second in which an entry is to have its place. */
export const sequenceEveryMs = 500;
const tickEveryMs = 2_000;
const patrolEveryMs = 60_000;
const witnessEveryMs = 5_000;
const pumpEveryMs = 1_000;
/** From the signal to the end of the process: ten seconds in all, after which supervisors kill. */
const drainMs = 8_000;
const closeMs = 2_000;
const importMs = 6 * 3_600_000;
const leaseMs = 10_000;
/** Request deadline + 60 s, after which no process uses a key it cached before the fence. */
const fenceWaitMs = 65_000;

export interface StartOptions {
  readonly environment: Environment;
  readonly operators: OperatorFile;
  readonly only?: Only;
  /** Routes beside the product's own: the demo's. */
  readonly moreRoutes?: ((keeper: Keeper) => readonly Route[]) | undefined;
  /** To merchants' APIs. Default: to public addresses alone, over TLS. */
  readonly reach?: Reach;
}

/** Starts both sides, or one. Throws ConfigRefused for what the operator can mend. */
export async function start(options: StartOptions): Promise<Running> {
  const { keeper, sides, databases, shares } = await assembleSides(options);
  try {
    await checkTombstones(options.only === "edge" ? databases.edge : databases.keeper, shares);
    return await serveSides({ environment: options.environment, keeper, sides, databases });
  } catch (error) {
    await databases.close();
    throw error;
  }
}

/**
 * What no request waits for and nothing catches is told like any other fault, without its message, which Node would print. A promise that was rejected unheard
 * leaves all else as it was. Resolves once something was thrown: after that nobody knows how things stand, and the process is to end.
 */
export function strayFault(): Promise<void> {
  process.on("unhandledRejection", report);
  return new Promise((resolve) => {
    process.on("uncaughtException", (fault) => {
      report(fault);
      resolve();
    });
  });
}

/** A keeper that serves nothing: for work on a database that may not be served yet. */
export async function openIdleKeeper(
  options: Pick<StartOptions, "environment" | "operators">,
): Promise<{ readonly keeper: Keeper; close(): Promise<void> }> {
  const embedded = options.environment.DATABASE_URL_KEEPER === undefined;
  const { keeper, databases } = await assembleSides(embedded ? options : { ...options, only: "keeper" });
  if (!keeper) throw new Error("a keeper was asked for");
  return { keeper, close: () => databases.close() };
}

interface Assembled {
  readonly keeper: Keeper | null;
  readonly sides: readonly Side[];
  readonly databases: Databases;
  readonly shares: ShareStore;
}

async function assembleSides({
  environment,
  operators,
  only,
  moreRoutes = () => [],
  reach = createNodeReach(),
}: StartOptions): Promise<Assembled> {
  useHashes(nodeHashes);
  const data = environment.POSTERN_DATA;
  // What an operator can have got wrong is read before the database opens: a start that fails does so at once.
  const keys = await readKeyFiles(data, keyPathsOf(environment), only);
  const issuers = await issuersOf(operators, data);
  const root = await openRootKey(environment, keys);
  const sinks = keys.keeper ? await openSinks(operators.sinks) : [];
  const shares = await openShares(environment);
  const databases = await openDatabases(environment, only);
  const holders = openShareHolders(operators.merchants, keys.edge?.writer ?? keys.keeper?.writer);
  try {
    const common: CommonParts = {
      aead: nodeAead,
      root,
      shares,
      keyring: createKeyring({ aead: nodeAead, root, shares, holders, now: Date.now }),
      logName: environment.POSTERN_LOG_NAME,
      freshness: operators.log,
      sessions: operators.sessions,
      issuers,
      merchants: operators.merchants,
      vendors: operators.vendors,
      operators: operators.operators,
      metrics: createMetrics(),
      audience: environment.POSTERN_ORIGIN,
      digest: nodeDigest,
      now: Date.now,
    };
    const inFlight = createInFlight();
    const ways = { reach, databases: createNodeDatabaseReach({ open: openPostgres }) };
    const edge = keys.edge && assembleEdge(common, { database: databases.edge, writer: keys.edge.writer, ...ways }, inFlight);
    const parts = async (own: NonNullable<KeyFiles["keeper"]>) => ({
      ...keeperParts(keys, own, { databases, operators, anchor: await openAnchor(environment) }),
      sinks,
    });
    const keeper = keys.keeper && assembleKeeper(common, await parts(keys.keeper), inFlight);
    await keeper?.prepare();
    if (!keeper) await checkRootKey(databases.edge, root);
    const kept = keeper && { ...keeper, routes: [...keeper.routes, ...moreRoutes(keeper)] };
    const directory =
      keys.keeper && assembleDirectory(common, { database: databases.keeper, writer: keys.keeper.writer, ...ways }, inFlight);
    return { keeper, sides: [edge, kept, directory].filter((side) => side !== null), databases, shares };
  } catch (error) {
    await databases.close();
    throw error;
  }
}

/** `own`: the keeper's keys among `keys`. */
function keeperParts(
  keys: KeyFiles,
  own: NonNullable<KeyFiles["keeper"]>,
  { databases, operators, anchor }: { readonly databases: Databases; readonly operators: OperatorFile; readonly anchor: Anchor },
): KeeperParts {
  const here = [keys.edge?.writer.publicKey, own.writer.publicKey].filter((key) => key !== undefined);
  return {
    database: databases.keeper,
    writer: own.writer,
    logSigner: own.log,
    certificateSigner: own.certificate,
    anchor,
    witnesses: askedWitnesses(operators),
    retentionMonths: operators.retention.months,
    writers: [...here, ...operators.writers.map(fromBase64)],
    printer: createPrinter(),
    fenceWaitMs: keys.edge ? 0 : fenceWaitMs,
    leaseMs,
  };
}

async function issuersOf(operators: OperatorFile, data: string): Promise<IssuerProfile[]> {
  const profiles: IssuerProfile[] = [];
  for (const issuer of operators.issuers) {
    if (issuer.built_in) profiles.push((await readBuiltInIssuer(data)).profile);
    else profiles.push(issuerProfile(issuer));
  }
  return profiles;
}

interface Serving {
  readonly environment: Environment;
  readonly keeper: Keeper | null;
  readonly sides: readonly Side[];
  readonly databases: Databases;
}

async function serveSides({ environment, keeper, sides, databases }: Serving): Promise<Running> {
  const app = buildApp(sides, { version, origin: environment.POSTERN_ORIGIN, addressOf, headerOf, targetOf, report });
  const server = await new Promise<Server>((resolve, reject) => {
    const opened = listen({ fetch: app.fetch, port: environment.PORT, hostname: environment.HOST }, () => {
      if (opened instanceof Server) resolve(opened);
      else reject(new Error("the server speaks HTTP/1.1"));
    });
    opened.once("error", reject);
  });
  // An import takes as long as its file; Node would cut it after five minutes. Headers still have to come within one.
  server.requestTimeout = importMs;
  const drain = createDrain(server);
  const loops = [...(keeper ? loopsOf(keeper) : []), ...sides.map((side) => every(tickEveryMs, () => side.settle()))];
  const address = server.address();
  return {
    keeper,
    port: typeof address === "object" && address ? address.port : environment.PORT,
    request: async (path, init) => app.request(new URL(path, environment.POSTERN_ORIGIN), init, {}),
    async stop() {
      await drain.begin(drainMs);
      // A statement of the keeper's may hang for longer than anybody waits; what it did is found by the next start.
      await within(
        closeMs,
        Promise.all(loops.map((loop) => loop.stop()))
          .then(() => Promise.all(sides.map((side) => side.settle("now").catch(report))))
          .then(() => databases.close()),
      );
    },
  };
}

function report(fault: unknown): void {
  tell(describeForOperators(fault));
}

function tell(line: Readonly<Record<string, unknown>>): void {
  process.stderr.write(`${JSON.stringify({ level: "error", ...line })}\n`);
}

/** A database that was set back while nothing ran is met before anything is built on it. */
function loopsOf(keeper: Keeper): Loop[] {
  const patrol = every(patrolEveryMs, () => keeper.patrol());
  patrol.turn();
  const witness = async () => {
    for (const refused of await keeper.witness()) tell({ event: "witness", ...refused });
  };
  return [
    patrol,
    every(sequenceEveryMs, () => keeper.sequence()),
    every(tickEveryMs, () => keeper.tick()),
    every(witnessEveryMs, witness),
    every(pumpEveryMs, () => keeper.pump.run()),
  ];
}

interface Loop {
  turn(): void;
  stop(): Promise<void>;
}

/** One run at a time; a run that fails is reported, and tried again at the next turn. */
function every(ms: number, work: () => Promise<unknown>): Loop {
  let running: Promise<unknown> = Promise.resolve();
  let idle = true;
  const turn = () => {
    if (!idle) return;
    idle = false;
    running = work()
      .catch(report)
      .finally(() => {
        idle = true;
      });
  };
  const timer = setInterval(turn, ms);
  return {
    turn,
    async stop() {
      clearInterval(timer);
      await running;
    },
  };
}
