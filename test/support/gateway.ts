/**
 * The real thing in one process, without a socket: real crypto, real tokens of the built-in issuer, a real database. Tests replace one part at most.
 */
import type { Hono } from "hono";
import { type AppOptions, buildApp } from "../../src/app.ts";
import { assembleEdge, type CommonParts, type SideParts, type Ways } from "../../src/assemble.ts";
import { assembleDirectory } from "../../src/assemble-directory.ts";
import { assembleKeeper, type Keeper, type KeeperParts } from "../../src/assemble-keeper.ts";
import { readOrigin } from "../../src/audit/epoch.ts";
import type { Anchor, AnchoredHead } from "../../src/audit/index.ts";
import { createSigner, randomBytes } from "../../src/crypto/index.ts";
import { nodeAead } from "../../src/crypto/node-aead.ts";
import { createMetrics } from "../../src/http/index.ts";
import { headerOf, targetOf } from "../../src/http/node-request.ts";
import { createBuiltInIssuer, generateBuiltInKey, type IssuerProfile } from "../../src/identity/index.ts";
import { createInFlight } from "../../src/kernel/index.ts";
import { createKeyring, createRootKey, type Deletion, type ShareStore } from "../../src/keys/index.ts";
import type { Database } from "../../src/storage/index.ts";
import { canaryCustomer } from "./canaries.ts";
import { createOwnerDatabase } from "./databases.ts";

export const audience = "http://127.0.0.1:8787";

export interface Gateway {
  readonly app: Hono;
  readonly keeper: Keeper;
  readonly database: Database;
  readonly shares: ShareStore;
  readonly faults: unknown[];
  token(subject: string, ttlSeconds?: number): Promise<string>;
  /** `as`: a subject of the built-in issuer; absent = no token. A string body goes as it is, anything else as JSON. */
  call(method: string, path: string, options?: CallOptions): Promise<Response>;
  close(): Promise<void>;
}

/** Whatever answers requests as a gateway does: this process, another one, workerd. */
export type Door = Pick<Gateway, "call">;

export interface CallOptions {
  readonly as?: string;
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
}

export interface GatewayOptions {
  /** One database for all sides; default: a fresh one on the run's cluster. */
  readonly database?: Database;
  readonly edgeDatabase?: Database;
  readonly common?: Partial<CommonParts>;
  /** Beside the built-in one. */
  readonly issuers?: readonly IssuerProfile[];
  readonly edge?: Partial<SideParts & Ways>;
  readonly keeper?: Partial<KeeperParts>;
  /** From where requests come; default: this machine. */
  readonly from?: Partial<Pick<AppOptions, "addressOf" | "countryOf">>;
}

const demo = (subject: string) => ({ issuer: "demo", subject });

export const merchants = {
  "m-linxi": { owners: [demo("owner-1"), demo("owner-2")], officers: [demo("officer")] },
  "m-beichen": { owners: [demo("owner-b1"), demo("owner-b2")], officers: [demo("officer-b")] },
};

/** Whoever is asked has this customer: a merchant's API for tests that are about something else. */
const reachNobody: Ways["reach"] = () =>
  Promise.resolve({
    status: 200,
    media: "application/json",
    link: null,
    retryAfter: null,
    read: async () => Buffer.from(JSON.stringify(canaryCustomer)),
  });

/** What holds where an operator says nothing. */
const usualFreshness = { mergeDelaySeconds: 300, disclosureStopsSeconds: 600 };

export async function createGateway(options: GatewayOptions = {}): Promise<Gateway> {
  const database = options.database ?? (await createOwnerDatabase());
  const issuer = createBuiltInIssuer(await generateBuiltInKey());
  const shares = options.common?.shares ?? createMemoryShareStore();
  const root = options.common?.root ?? createRootKey(nodeAead, randomBytes(32));
  const common: CommonParts = {
    aead: nodeAead,
    root,
    shares,
    keyring: createKeyring({ aead: nodeAead, root, shares, now: Date.now }),
    logName: "test/postern",
    freshness: usualFreshness,
    sessions: { idleMinutes: 30, hours: 10 },
    issuers: [issuer.profile, ...(options.issuers ?? [])],
    merchants,
    vendors: { "v-yunfu": { issuers: ["demo", ...(options.issuers ?? []).map(({ id }) => id)], admins: [] } },
    operators: [demo("operator")],
    metrics: createMetrics(),
    audience,
    now: Date.now,
    // Of a clock that a test sets, its entries have the time.
    ...(options.common?.now && { clockApartSecondsMax: 2 ** 31 - 1 }),
    ...options.common,
  };
  const [edgeWriter, keeperWriter] = [await createSigner(randomBytes(32)), await createSigner(randomBytes(32))];
  const inFlight = createInFlight();
  const own = { database, writer: keeperWriter, ...options.keeper };
  const keeper = assembleKeeper(
    common,
    {
      ...own,
      logSigner: await createSigner(randomBytes(32)),
      certificateSigner: await createSigner(randomBytes(32)),
      anchor: createMemoryAnchor(),
      writers: [edgeWriter.publicKey, keeperWriter.publicKey],
      fenceWaitMs: 0,
      leaseMs: 2_000,
      ...options.keeper,
    },
    inFlight,
  );
  const edge = assembleEdge(
    common,
    { database: options.edgeDatabase ?? database, writer: edgeWriter, reach: reachNobody, ...options.edge },
    inFlight,
  );
  const directory = assembleDirectory(common, { ...own, databases: options.edge?.databases }, inFlight);
  const faults: unknown[] = [];
  const report = (fault: unknown) => faults.push(fault);
  const { audience: origin } = common;
  const app = buildApp([edge, keeper, directory], {
    version: "0.0.0",
    origin,
    addressOf: () => "127.0.0.1",
    headerOf,
    targetOf,
    report,
    ...options.from,
  });
  await keeper.prepare();
  const token = (subject: string, ttlSeconds = 900) => issuer.sign({ subject, audience: common.audience, ttlSeconds, now: Date.now() });
  return {
    app,
    keeper,
    database,
    shares: common.shares,
    faults,
    token,
    async call(method, path, { as, body, headers = {} } = {}) {
      const authorization = as === undefined ? {} : { authorization: `Bearer ${await token(as)}` };
      const content = body === undefined ? {} : typeof body === "string" ? { body } : { body: JSON.stringify(body) };
      const media = body === undefined || typeof body === "string" ? {} : { "content-type": "application/json" };
      return app.request(`${common.audience}${path}`, { method, headers: { ...authorization, ...media, ...headers }, ...content });
    },
    close: () => database.close(),
  };
}

/** Share B in this process's memory: as good a second store as any for a test that does not kill the process. */
export function createMemoryShareStore(): ShareStore {
  const shares = new Map<string, Uint8Array>();
  const graves = new Map<string, string>();
  const notes = new Map<string, Deletion>();
  return {
    note: async (deletion) => void notes.set(deletion.job, deletion),
    deletions: async () => [...notes.values()],
    put: async (contract, epoch, share) => void shares.set(`${contract}/${epoch}`, share.slice()),
    get: async (contract, epoch) => shares.get(`${contract}/${epoch}`)?.slice() ?? null,
    destroy: async (contract, epoch) => void shares.delete(`${contract}/${epoch}`),
    bury: async (contract) => void graves.set(contract, graves.get(contract) ?? new Date().toISOString()),
    buried: async () => graves,
  };
}

/** An anchor in this process's memory. */
export function createMemoryAnchor(): Anchor {
  const heads = new Map<string, AnchoredHead>();
  return {
    read: async (log) => heads.get(log) ?? null,
    logs: async () => [...heads.keys()],
    advance: async (log, head) => {
      const held = heads.get(log);
      const isLater = !held || readOrigin(head.origin).epoch > readOrigin(held.origin).epoch;
      if (isLater || (head.origin === held.origin && head.range.size > held.range.size)) heads.set(log, head);
    },
  };
}

/** What is left of an anchor for somebody who can take it away together with the database. */
export const forgetfulAnchor: Anchor = { read: async () => null, logs: async () => [], advance: async () => {} };
