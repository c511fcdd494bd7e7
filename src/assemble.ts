import type { Side } from "./app.ts";
import {
  type AuditLog,
  createAuditWriter,
  createLogHandles,
  createStrangers,
  createStrangersTally,
  type Freshness,
  type LogOrigins,
  type StrangersTally,
} from "./audit/index.ts";
import { type Bundles, createBundles } from "./contracts/index.ts";
import type { Aead, Signer } from "./crypto/index.ts";
import { disclosureRoutes, logAgentTurnedAway } from "./disclosure/index.ts";
import { createVaultLoad } from "./disclosure/postgres.ts";
import { createMissWatch, type MissMemory } from "./disclosure/postgres-misses.ts";
import { createSeatWatch, type WatchMemory } from "./disclosure/postgres-watch.ts";
import type { Metrics, Route } from "./http/index.ts";
import { createIdentity, type Digest, type Identity, type IssuerProfile, type TokenIdentity, withSpentProofs } from "./identity/index.ts";
import { createSpentProofs } from "./identity/postgres.ts";
import type { VendorSettings } from "./issuer-settings.ts";
import type { InFlight } from "./kernel/index.ts";
import { createAuditKeys, type Keyring, type OpenedAuditKeys, type RootKey, type ShareStore } from "./keys/index.ts";
import { createOffices, type MerchantOffices, type OfficeHolder } from "./offices/index.ts";
import { withRevocations } from "./revocations/index.ts";
import { withServiceKeys } from "./service-keys/index.ts";
import { type SessionLimits, withSessions } from "./sessions/index.ts";
import type { Database } from "./storage/index.ts";
import { type Connectors, createConnectors, createGates, type Gates, type Way } from "./upstream/index.ts";

/** What both sides have. */
export interface CommonParts {
  readonly aead: Aead;
  readonly root: RootKey;
  readonly shares: ShareStore;
  /** One for all sides of a process, so that the purge's fence cuts what any of them cached. */
  readonly keyring: Keyring;
  readonly logName: string;
  readonly freshness: Freshness;
  /** As of the log's writer. */
  readonly clockApartSecondsMax?: number | undefined;
  readonly sessions: SessionLimits;
  readonly issuers: readonly IssuerProfile[];
  readonly merchants: Readonly<Record<string, MerchantOffices>>;
  /** By whose tokens a vendor's agents come; a vendor that is not here has no issuers of its own. */
  readonly vendors: Readonly<Record<string, VendorSettings>>;
  readonly operators: readonly OfficeHolder[];
  /** One for all sides of a process. */
  readonly metrics: Metrics;
  readonly audience: string;
  readonly digest?: Digest | undefined;
  /** Milliseconds. */
  readonly now: () => number;
}

/**
 * What a side remembers from one request to the next: verified tokens and issuers' keys, compiled bundles, the logs' keys. Inert: no connection,
 * nothing under way, so that on Workers it outlives the request whose connections filled it.
 */
export interface Memory {
  readonly identity: TokenIdentity;
  readonly bundles: Bundles;
  readonly auditKeys: OpenedAuditKeys;
  readonly strangers: StrangersTally;
  readonly origins: LogOrigins;
  readonly uses: WatchMemory;
  readonly gates: Gates;
  readonly connectors: Connectors;
  readonly misses: MissMemory;
}

export function createMemory({ issuers, audience, now, digest }: Pick<CommonParts, "issuers" | "audience" | "now" | "digest">): Memory {
  return {
    identity: createIdentity({ issuers, audience, now, digest }),
    bundles: createBundles(),
    auditKeys: new Map(),
    strangers: createStrangersTally(),
    origins: new Map(),
    uses: new Map(),
    gates: createGates(now),
    connectors: createConnectors(),
    misses: new Map(),
  };
}

/** One side's own database role and writer. `audit` replaces the writer, for tests that make the log fail. */
export interface SideParts {
  readonly database: Database;
  readonly writer: Signer;
  readonly audit?: ((made: AuditLog) => AuditLog) | undefined;
  /** Default: its own. On Workers a side is assembled for each request, over the isolate's one memory. */
  readonly memory?: Memory | undefined;
}

/** The ways to merchants' own systems. */
export type Ways = Pick<Way, "reach" | "databases">;

export function assembleEdge(common: CommonParts, side: SideParts & Ways, inFlight: InFlight): Side {
  const { database, reach, databases, memory = createMemory(common) } = side;
  const shared = sharedParts(common, { ...side, memory }, common.freshness.disclosureStopsSeconds);
  const watch = createSeatWatch({ database, logs: shared.logs, memory: memory.uses, now: common.now });
  const misses = createMissWatch({ database, memory: memory.misses, now: common.now });
  const deps = {
    ...shared,
    database,
    load: createVaultLoad(database),
    watch,
    misses,
    aead: common.aead,
    inFlight,
    way: { reach, databases, gates: memory.gates, random: Math.random },
    connectors: memory.connectors,
    now: common.now,
    origin: common.audience,
  };
  const { settle } = shared.strangers;
  return {
    ...{ database, settle, counted: shared, freshness: common.freshness },
    routes: disclosureRoutes(deps),
    turnedAway: (away) => logAgentTurnedAway(deps, away),
  };
}

/** Of one side. */
export function sharedParts(
  common: CommonParts,
  { database, writer, audit: replace, memory = createMemory(common) }: SideParts,
  stopsAfterSeconds?: number,
) {
  const { aead, root, keyring, now, sessions, clockApartSecondsMax } = common;
  const auditKeys = createAuditKeys(root, memory.auditKeys);
  const { mergeDelaySeconds } = common.freshness;
  const { origins } = memory;
  const tokens = withSpentProofs(memory.identity, createSpentProofs(database));
  const limits = { mergeDelaySeconds, stopsAfterSeconds, clockApartSecondsMax };
  const made = createAuditWriter({ database, aead, signer: writer, auditKeys, now, origins, ...limits });
  const audit = replace ? replace(made) : made;
  const logs = createLogHandles(common.logName, auditKeys);
  return {
    auditKeys,
    audit,
    logs,
    strangers: createStrangers({ audit, log: () => logs.gateway(database), now, tally: memory.strangers }),
    keyring,
    offices: createOffices(common),
    metrics: common.metrics,
    bundles: memory.bundles,
    identity: withRevocations(tokens, database),
    tokens,
    readLogout: memory.identity.readLogout,
    sessions,
  };
}

/** Whom directory and keeper know: people by token or session, and merchants' own systems by their keys. */
export function identityOfOffices(
  { tokens, sessions }: { readonly tokens: Identity; readonly sessions: SessionLimits },
  database: Database,
): Identity {
  return withServiceKeys(withRevocations(withSessions(tokens, database, sessions), database), database);
}

/**
 * What owners and officers do at a contract counts as under way as well: the fence waits for their entries before the purge writes the log's last ones.
 * Not where the caller streams a body: a slow one must not hold the fence, and those acts look at the contract's state when they write.
 */
export function counted(inFlight: InFlight, route: Route): Route {
  const streams = route.body !== undefined && route.body.schema === undefined;
  if (streams || !/\{(contract|log)\}/.test(route.path)) return route;
  return {
    ...route,
    handle: (received) => inFlight.run(received.params.contract ?? received.params.log ?? "", () => route.handle(received)),
  };
}
