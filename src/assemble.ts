/**
 * Puts the parts together, once. The entries choose the parts (drivers, key files, runtimes); tests replace one part of the real thing.
 * The edge's parts never see the log key, the certificate key or the keeper's database.
 */
import { type ActivationParts, activationEffect, agreementRoutes, tickAgreements } from "./agreement/index.ts";
import type { Side } from "./app.ts";
import { type ApprovalDesk, approvalRoutes } from "./approvals/index.ts";
import {
  type AuditLog,
  createAuditWriter,
  createLogHandles,
  createSequencer,
  gatewayLog,
  openLog,
  selectLog,
  selectOpenLogs,
} from "./audit/index.ts";
import { ConfigRefused } from "./config.ts";
import { createBundles } from "./contracts/index.ts";
import type { Aead, Signer } from "./crypto/index.ts";
import { disclosureRoutes } from "./disclosure/index.ts";
import { createVaultLoad } from "./disclosure/postgres.ts";
import { createIdentity, type Digest, type IssuerProfile } from "./identity/index.ts";
import type { InFlight } from "./kernel/index.ts";
import { createAuditKeys, type Keyring, type RootKey, type ShareStore } from "./keys/index.ts";
import { createOffices, type MerchantOffices } from "./offices/index.ts";
import { type ExportDesk, oversightRoutes } from "./oversight/index.ts";
import { orderDuePurges, type PurgeParts, purgeEffect, purgeRoutes, runPurges } from "./purge/index.ts";
import type { Database } from "./storage/index.ts";

/** What both sides have. */
export interface CommonParts {
  readonly aead: Aead;
  readonly root: RootKey;
  readonly shares: ShareStore;
  /** One for all sides of a process, so that the purge's fence cuts what any of them cached. */
  readonly keyring: Keyring;
  readonly logName: string;
  readonly issuers: readonly IssuerProfile[];
  readonly audience: string;
  readonly digest?: Digest | undefined;
  /** Milliseconds. */
  readonly now: () => number;
}

/** One side's own database role and writer. `audit` replaces the writer, for tests that make the log fail. */
export interface SideParts {
  readonly database: Database;
  readonly writer: Signer;
  readonly audit?: ((made: AuditLog) => AuditLog) | undefined;
}

export interface KeeperParts extends SideParts {
  readonly merchants: Readonly<Record<string, MerchantOffices>>;
  readonly logSigner: Signer;
  readonly certificateSigner: Signer;
  /** Raw public keys of the writers that count, its own among them. */
  readonly writers: readonly Uint8Array[];
  readonly fenceWaitMs: number;
  readonly leaseMs: number;
}

export interface Keeper extends Side {
  /** Once before serving: the gateway log and this month's keys. Throws where the log name is not the one this database began with. */
  prepare(): Promise<void>;
  /** Every second: numbers what pends. */
  sequence(): Promise<number>;
  /** Every few seconds: ended contracts, due purges, running purges, next month's keys. */
  tick(): Promise<void>;
  readonly purge: PurgeParts;
}

export function assembleEdge(common: CommonParts, side: SideParts, inFlight: InFlight): Side {
  const { database } = side;
  const shared = sharedParts(common, side);
  const routes = disclosureRoutes({ ...shared, database, load: createVaultLoad(database), aead: common.aead, inFlight });
  return { routes, database };
}

export function assembleKeeper(common: CommonParts, side: KeeperParts, inFlight: InFlight): Keeper {
  const { database, logSigner, certificateSigner } = side;
  const shared = sharedParts(common, side);
  const { auditKeys, keyring, audit, logs, bundles } = shared;
  const sequencer = createSequencer({ database, signer: logSigner });
  const trust = { log: logSigner.publicKey, certificate: certificateSigner.publicKey, writers: side.writers };
  const door = { ...shared, database, offices: createOffices(side.merchants), aead: common.aead };
  const activation: ActivationParts = { database, keyring, auditKeys, audit, logs, trust };
  const desk: ApprovalDesk = { ...door, effects: { activate: activationEffect(activation), purge: purgeEffect({ bundles }) } };
  const exporter: ExportDesk = { ...door, sequencer, publicKeys: { log: trust.log, writers: trust.writers } };
  const { shares } = common;
  const { fenceWaitMs, leaseMs } = side;
  const purge: PurgeParts = {
    database,
    keyring,
    shares,
    bundles,
    audit,
    logs,
    sequencer,
    certificateSigner,
    inFlight,
    fenceWaitMs,
    leaseMs,
  };
  const issuers = new Set(common.issuers.map((issuer) => issuer.id));
  return {
    database,
    purge,
    routes: [
      ...agreementRoutes({ ...door, issuers, trust }),
      ...approvalRoutes(desk),
      ...oversightRoutes(exporter),
      ...purgeRoutes({ ...desk, bundles }),
    ],
    async prepare() {
      const origin = logs.originOf(gatewayLog);
      await database.transaction(async (tx) => {
        await openLog(tx, gatewayLog, origin);
        await auditKeys.prepare(tx, gatewayLog, new Date(common.now()));
      });
      const log = await selectLog(database, gatewayLog);
      if (log?.origin !== origin) throw new ConfigRefused(`POSTERN_LOG_NAME is not the name this database began with (${log?.origin})`);
      await auditKeys.keyOf(database, gatewayLog, "pseudonym");
    },
    sequence: () => sequencer.run(),
    async tick() {
      for (const log of await selectOpenLogs(database)) await auditKeys.prepare(database, log, new Date(common.now()));
      await tickAgreements(activation);
      await orderDuePurges(purge);
      await runPurges(purge);
    },
  };
}

function sharedParts(common: CommonParts, { database, writer, audit: replace }: SideParts) {
  const { aead, root, keyring, now, issuers, audience, digest } = common;
  const auditKeys = createAuditKeys(root);
  const made = createAuditWriter({ database, aead, signer: writer, auditKeys, now });
  return {
    auditKeys,
    audit: replace ? replace(made) : made,
    logs: createLogHandles(common.logName, auditKeys),
    keyring,
    bundles: createBundles(),
    identity: createIdentity({ issuers, audience, now, digest }),
  };
}
