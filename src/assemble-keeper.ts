/** Puts the keeper together, once: what owners, officers and operators come for, and everything that runs by itself. */
import {
  type ActivationParts,
  activationEffect,
  agreementRoutes,
  lookAtClock,
  policyEffect,
  releaseEffect,
  resumeEffect,
  rolesEffect,
  termsEffect,
  tickAgreements,
} from "./agreement/index.ts";
import type { Side } from "./app.ts";
import { type ApprovalDesk, approvalRoutes } from "./approvals/index.ts";
import { type CommonParts, counted, identityOfOffices, type SideParts, sharedParts } from "./assemble.ts";
import {
  type Anchor,
  type AskedWitness,
  announceHeads,
  createSequencer,
  createWitnessClient,
  gatewayLog,
  isSameLog,
  openLog,
  type Sequencer,
  selectLog,
  selectOpenLogs,
  type WitnessPauses,
  type WitnessReport,
} from "./audit/index.ts";
import { breakGlassEffect, breakGlassRoutes, tellOfGlasses } from "./break-glass/index.ts";
import { anyHoldStands, describeDoubt, holdsOnSubject, namedHolds, selectClock, standingHolds } from "./contracts/index.ts";
import { createCopyFormats, createPump, type Pump, type Sink } from "./copies/index.ts";
import { type Signer, verifySignature } from "./crypto/index.ts";
import { forgetSeatMisses } from "./disclosure/postgres-misses.ts";
import { forgetSeatUses } from "./disclosure/postgres-uses.ts";
import {
  type ErasureParts,
  erasureRoutes,
  orderLapses,
  partialPurgeEffect,
  runErasures,
  runLapses,
  selectUndone,
} from "./erasure/index.ts";
import { forgetExpired, repeatable } from "./idempotency/index.ts";
import { forgetSpentProofs } from "./identity/postgres.ts";
import { type ContractId, type InFlight, inTurn } from "./kernel/index.ts";
import { logTurnedAway } from "./offices/index.ts";
import { ConfigRefused } from "./operator-settings.ts";
import { epochRoutes, logRoutes, oversightRoutes, type SaveDesk } from "./oversight/index.ts";
import {
  type CertificatePrinter,
  issueFinalCertificates,
  orderDuePurges,
  type PurgeParts,
  purgeEffect,
  purgeRoutes,
  remindOfAttestations,
  runPurges,
  sweepTripwires,
} from "./purge/index.ts";
import { pruneLogs, type RetentionParts, retentionRoutes } from "./retention/index.ts";
import { retentionMonthsDefault } from "./retention-settings.ts";
import { forgetExpiredRevocations } from "./revocations/index.ts";
import { rightsRoutes } from "./rights/index.ts";
import { keysRoutes, type RotationParts, rootKeyRoutes, runRotations } from "./rotation/index.ts";
import { forgetEndedSessions } from "./sessions/index.ts";
import { asRefusal, checkRootKey } from "./start-checks.ts";
import { forgetAnswers, forgetWrites } from "./upstream/index.ts";
import { version } from "./version.ts";

/** Longer than looking at what one round prunes takes. */
const pruneLeaseMs = 120_000;

export interface KeeperParts extends SideParts {
  readonly logSigner: Signer;
  readonly certificateSigner: Signer;
  readonly anchor: Anchor;
  /** Default: none. */
  readonly witnesses?: readonly AskedWitness[] | undefined;
  /** As `memory`. */
  readonly witnessPauses?: WitnessPauses | undefined;
  /** Raw public keys of the writers that count, its own among them. */
  readonly writers: readonly Uint8Array[];
  readonly fenceWaitMs: number;
  readonly leaseMs: number;
  /** Default: none. */
  readonly sinks?: readonly Sink[] | undefined;
  /** Default: certificates are answered as they were signed, and not as pages. */
  readonly printer?: CertificatePrinter | undefined;
  /** Whole months that the log's entries are kept after the end of theirs. Default: 37. */
  readonly retentionMonths?: number | undefined;
}

export interface Keeper extends Side {
  /** Once before serving: the gateway log and this month's keys. Throws where the log name is not the one this database began with. */
  prepare(): Promise<void>;
  /** Every second, or more often: numbers what pends, and publishes it. */
  sequence(): Promise<number>;
  /** Every minute: holds every log to its anchor, tells the gateway log the heads of the others, and looks whether what was purged stays so. */
  patrol(): Promise<void>;
  /** Every few seconds: has witnesses cosign what is published. Answers what went wrong. */
  witness(): Promise<WitnessReport[]>;
  /** Every few seconds: ended contracts, due purges, running purges, next month's keys, months whose retention is over. */
  tick(): Promise<void>;
  /** Every second: hands what was numbered to the sinks. Apart from everything else: a sink may hang. */
  readonly pump: Pump;
  readonly purge: PurgeParts;
}

export function assembleKeeper(common: CommonParts, side: KeeperParts, inFlight: InFlight): Keeper {
  const { database, logSigner, certificateSigner } = side;
  const shared = sharedParts(common, side);
  const { auditKeys, keyring, audit, logs, bundles } = shared;
  const sequencer = createSequencer({ database, signer: logSigner, anchor: side.anchor });
  const { mergeDelaySeconds } = common.freshness;
  const writer = { aead: common.aead, now: common.now, signer: side.writer, mergeDelaySeconds };
  const { witnesses = [] } = side;
  const client = createWitnessClient({ database, witnesses, verifySignature, now: common.now, pauses: side.witnessPauses });
  const witnessesOf = (log: string) => witnesses.filter((witness) => witness.logs.includes(log)).map(({ key }) => key);
  const trust = { witnessesOf, log: logSigner.publicKey, certificate: certificateSigner.publicKey, writers: side.writers };
  const door = { ...shared, database, aead: common.aead, identity: identityOfOffices(shared, database) };
  const activation: ActivationParts = { database, keyring, auditKeys, audit, logs, trust };
  const effects = {
    activate: activationEffect(activation),
    break_glass: breakGlassEffect(),
    grant_roles: rolesEffect(bundles),
    change_policy: policyEffect(door),
    purge: purgeEffect({ bundles }),
    partial_purge: partialPurgeEffect(door),
    release_hold: releaseEffect(),
    amend: termsEffect(door, "amend"),
    terminate: termsEffect(door, "terminate"),
    resume: resumeEffect(),
  };
  const desk: ApprovalDesk = { ...door, effects };
  // An export ends at the checkpoint behind its own entry: it is shown to the witnesses before it goes out, and waits for them as long as one request.
  const witnessed: Sequencer = {
    ...sequencer,
    async run(log) {
      const numbered = await sequencer.run(log);
      if (log !== undefined) await client.run(log);
      return numbered;
    },
  };
  const exporter: SaveDesk = {
    ...door,
    sequencer: witnessed,
    publicKeys: { log: trust.log, writers: trust.writers },
    formats: createCopyFormats(version),
    manifestSigner: certificateSigner,
  };
  const { shares } = common;
  const { fenceWaitMs, leaseMs } = side;
  const purge: PurgeParts = {
    aead: common.aead,
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
    tool: `postern/${version}`,
  };
  const alarmed = new Map<string, number>();
  const lapsesLooked = new Map<string, string>();
  let tripped = 0;
  const rotation: RotationParts = { ...purge, aead: common.aead };
  const erasures: ErasureParts = {
    ...purge,
    holdsOn: async (reader, contract, subject) => namedHolds(holdsOnSubject(await standingHolds(reader, contract), subject)),
  };
  const retention: RetentionParts = {
    ...{ database, audit, logs, sequencer, bundles, logKey: trust.log, leaseMs: pruneLeaseMs },
    months: side.retentionMonths ?? retentionMonthsDefault,
    held: async (log) => (log === gatewayLog ? anyHoldStands(database) : (await standingHolds(database, log as ContractId)).length > 0),
  };
  const pump = createPump({ database, sinks: side.sinks ?? [], now: common.now, random: Math.random });
  return {
    database,
    counted: shared,
    freshness: common.freshness,
    pump,
    copies: () => pump.standing(),
    alarms: (): Record<string, string> =>
      tripped > 0 ? { purged: `${tripped} places hold something that was purged again; \`postern doctor\` says which` } : {},
    async waiting() {
      const clock = await selectClock(database);
      const doubt = clock && describeDoubt(clock);
      return doubt ? { clock: doubt } : {};
    },
    purge,
    settle: shared.strangers.settle,
    turnedAway: ({ caller, refusal, contract }) => logTurnedAway(door, caller, { code: refusal.code, contract }),
    routes: [
      ...agreementRoutes({ ...door, trust }),
      ...approvalRoutes(desk),
      ...breakGlassRoutes(door),
      ...oversightRoutes(exporter),
      ...logRoutes({ ...exporter, witnessesOf }),
      ...retentionRoutes({ ...door, retention }),
      ...epochRoutes({ ...door, sequencer, epochs: { database, signer: logSigner, anchor: side.anchor, writer } }),
      ...purgeRoutes({ ...desk, bundles }, side.printer ?? null),
      ...rightsRoutes(door),
      ...keysRoutes(door),
      ...rootKeyRoutes({ ...door, root: common.root, now: common.now }),
      ...erasureRoutes({ ...door, erasures }),
    ].map((route) => counted(inFlight, repeatable(door, route))),
    async prepare() {
      const origin = logs.baseOf(gatewayLog);
      await database.transaction(async (tx) => {
        await openLog(tx, gatewayLog, origin);
        await auditKeys.prepare(tx, gatewayLog, new Date(common.now())).catch(asRefusal);
      });
      const log = await selectLog(database, gatewayLog);
      if (!isSameLog(log?.origin ?? "", origin))
        throw new ConfigRefused(`POSTERN_LOG_NAME is not the name this database began with (${log?.origin})`);
      await checkRootKey(database, common.root);
    },
    sequence: () => sequencer.run(),
    patrol: () => {
      const works = [
        () => sequencer.patrol(),
        () => announceHeads({ database, audit, logs, aead: common.aead, now: common.now }),
        async () => {
          tripped = (await sweepTripwires(purge, alarmed)).length + (await selectUndone(database, shares)).length;
        },
      ];
      return inTurn(works, (work) => work());
    },
    witness: () => client.run(),
    async tick() {
      const prepareKeys = async () => {
        for (const log of await selectOpenLogs(database)) await auditKeys.prepare(database, log, new Date(common.now()));
      };
      const believed = await lookAtClock({ database, audit, logs });
      const byTheClock = (...works: (() => Promise<unknown>)[]) => (believed ? works : []);
      const works = [
        prepareKeys,
        () => forgetExpired(database),
        () => forgetExpiredRevocations(database),
        () => forgetSpentProofs(database),
        () => forgetEndedSessions(database, common.sessions),
        () => forgetSeatUses(database),
        () => forgetSeatMisses(database),
        () => forgetAnswers(database),
        () => forgetWrites(database),
        () => tickAgreements({ ...activation, sequencer, leaseMs }, believed),
        ...byTheClock(
          () => tellOfGlasses(purge),
          () => orderDuePurges(purge),
        ),
        () => runErasures(erasures),
        ...byTheClock(
          () => orderLapses(purge, lapsesLooked),
          () => runLapses(purge),
          () => runRotations(rotation),
        ),
        () => runPurges(purge, believed),
        () => remindOfAttestations(purge),
        ...byTheClock(
          () => issueFinalCertificates(purge),
          () => pruneLogs(retention),
        ),
      ];
      await inTurn(works, (work) => work());
    },
  };
}
