/**
 * The certificate of a purge: what was deleted, how, by whose order, what stays and until when copies may exist; with the log's own proof inside.
 * A JWS under the certificate key, which the edge does not hold. It answers PIPL 21(2) and 69, GDPR 28(3)(g), NIST SP 800-88 §4.7.
 * Its fields: certificate-document.ts. What other acts record for it: certificate-feeds.ts.
 */
import {
  type Entry,
  readEntry,
  readInclusion,
  selectCheckpoints,
  selectEntriesAt,
  selectIndexesOfEvent,
  selectLog,
} from "../audit/index.ts";
import { type Contract, moveState, selectContract } from "../contracts/index.ts";
import { fromBase64, signJws, toBase64 } from "../crypto/index.ts";
import { ensureEntry } from "../jobs/index.ts";
import { canonicalJson } from "../kernel/index.ts";
import { selectKeyEpochs } from "../keys/index.ts";
import type { Database } from "../storage/index.ts";
import {
  assurances,
  type Certificate,
  certificateDigest,
  certificateTyp,
  horizonOf,
  orderingEvents,
  provenEvents,
} from "./certificate-document.ts";
import { attestationsOf, holdsOf, keyServicesOf, returnOf, shareCOf } from "./certificate-feeds.ts";
import { statementOf } from "./certificate-statement.ts";
import { orderOf, purgeTerms } from "./order.ts";
import type { PurgeParts } from "./parts.ts";
import { stayingStores } from "./plan.ts";
import { insertCertificate, type PurgeJob, selectCertificates, writeJob } from "./postgres.ts";

const [proven, seen, , unknown] = assurances;
const law = ["PIPL 21(2)", "PIPL 47", "PIPL 55-56", "PIPL 69", "网络数据安全管理条例 12", "GDPR 28(3)(g)", "NIST SP 800-88"];

/**
 * Crash order: signed and stored, then logged in the gateway log, then the contract stands as purged and the job is at its end.
 * Everything in it was fixed before, so a repeat signs the same bytes.
 */
export async function issueCertificate(parts: PurgeParts, job: PurgeJob): Promise<PurgeJob> {
  const { database } = parts;
  const written = await selectCertificates(database, job);
  const jws = written?.first ?? (await signAndStore(parts, job));
  const digest = certificateDigest(jws);
  const facts = { job: job.id, contract: job.contract, digest };
  await ensureEntry(parts, await parts.logs.gateway(database), { event: "certificate.issued", code: "issued", facts });
  return database.transaction(async (tx) => {
    await moveState(tx, job.contract, "purging", "purged");
    return writeJob(tx, job, { step: "certified" }, parts.leaseMs);
  });
}

async function signAndStore(parts: PurgeParts, job: PurgeJob): Promise<string> {
  const certificate = await compose(parts, job);
  const jws = await signJws(parts.certificateSigner, certificateTyp, canonicalJson(certificate));
  const horizonAt = horizonOf(timeOf(job, "share_b"), certificate.agreement.backup_horizon_hours);
  await insertCertificate(parts.database, job, { jws, horizonAt });
  return jws;
}

async function compose(parts: PurgeParts, job: PurgeJob): Promise<Certificate> {
  const { database } = parts;
  const contract = await selectContract(database, job.contract);
  const order = await orderOf(database, job);
  if (!contract || !order?.decidedBy) throw new Error("a purge without its contract or its two owners");
  const { backupHorizonHours } = await purgeTerms(parts, contract);
  const epochs = await selectKeyEpochs(database, job.contract);
  const log = await proofOf(database, job);
  const told = {
    contract: contract.id,
    agreement: agreementOf(contract, backupHorizonHours),
    scope: scopeOf(job, contract),
    attestations: attestationsOf(contract, job.facts.attested),
    holds: holdsOf(entriesOf(log), timeOf(job, "share_b")),
    residuals: residualsOf(job, backupHorizonHours),
  };
  return {
    format: "postern-certificate/1",
    statement: statementOf(told),
    ...told,
    job: job.id,
    merchant: contract.merchant,
    vendor: contract.vendor,
    basis: job.basis,
    law,
    order: { digest: order.digest, requested_by: order.requestedBy, approved_by: order.decidedBy },
    times: { ...job.facts.times },
    keys: epochs.map(({ epoch, commitmentA, commitmentB, commitmentC }) => ({
      epoch,
      share_a: commitmentA,
      share_b: commitmentB,
      share_c: commitmentC,
    })),
    shares: [
      { share: "A", place: "the keyring", state: "destroyed", at: timeOf(job, "share_a"), assurance: seen },
      { share: "B", place: "the share store", state: "destroyed", at: timeOf(job, "share_b"), assurance: seen },
      ...(epochs.some(({ commitmentC }) => commitmentC !== null) ? [shareCOf(job.facts)] : []),
    ],
    key_services: keyServicesOf(),
    returned: returnOf(job.facts),
    methods: methodsOf(told),
    stays: stayingStores(),
    exceptions: [{ what: "agents_screens", assurance: unknown }],
    verification: verificationOf(job),
    assurance: {
      ...{ parties: seen, agreement: seen, order: seen, times: seen, scope: seen, holds: seen },
      ...{ keys: proven, log: proven },
    },
    log,
  };
}

function agreementOf({ bundleDigest, startsAt, endsAt, purgeDueAt }: Contract, backupHorizonHours: number): Certificate["agreement"] {
  const iso = (ms: number) => new Date(ms).toISOString();
  return {
    digest: bundleDigest,
    starts_at: iso(startsAt),
    ends_at: iso(endsAt),
    purge_due_at: iso(purgeDueAt),
    backup_horizon_hours: backupHorizonHours,
  };
}

function scopeOf(job: PurgeJob, { startsAt }: Contract): Certificate["scope"] {
  const before = { ...job.facts.before };
  return {
    before,
    after: Object.fromEntries(Object.keys(before).map((table) => [table, 0])),
    records: before["postern.record"] ?? 0,
    subjects: before["postern.subject_key"] ?? 0,
    span: { from: new Date(startsAt).toISOString(), until: timeOf(job, "fenced") },
  };
}

/** Also what no key opens may lie about until then; whether it does, nobody here can see. */
function residualsOf(job: PurgeJob, backupHorizonHours: number): Certificate["residuals"] {
  const until = new Date(horizonOf(timeOf(job, "share_b"), backupHorizonHours)).toISOString();
  return [{ what: "ciphertext_copies", until, assurance: unknown }];
}

function methodsOf({ scope, attestations }: Pick<Certificate, "scope" | "attestations">): Certificate["methods"] {
  const attested = attestations.every(({ state }) => state === "received") ? assurances[2] : unknown;
  return [
    { store: "cached_keys", method: "fenced", assurance: seen },
    { store: "share_b", method: "destroyed", assurance: seen },
    { store: "share_a", method: "erased", assurance: seen },
    { store: "ciphertext_copies", method: "cryptographic_erase", assurance: proven },
    ...Object.keys(scope.before).map((store) => ({ store, method: "deleted", assurance: seen }) as const),
    { store: "vendor_systems", method: "outside_this_gateway", assurance: attested },
  ];
}

/** What the sweep did, and what each of its looks showed of itself: as its own entry has it. */
function verificationOf({ facts }: PurgeJob): Certificate["verification"] {
  const { swept, shares, before = {} } = facts;
  if (!swept || !shares) throw new Error("a purge that was not swept has no certificate");
  const checked = { tool: swept.tool, at: facts.times.sweep ?? "", assurance: seen };
  const rows = Object.values(before).reduce((sum, count) => sum + count, 0);
  return [
    { check: "rows", result: "none left", negative_control: { ...swept.control, before: rows }, ...checked },
    { check: "catalogue", result: "no unknown table", negative_control: { ...swept.catalogue }, ...checked },
    { check: "shares", result: "none left", negative_control: { ...shares }, ...checked },
  ];
}

async function proofOf(database: Database, job: PurgeJob): Promise<Certificate["log"]> {
  const log = await selectLog(database, job.contract);
  const [checkpoint] = await selectCheckpoints(database, job.contract, { from: log?.size ?? 0, to: log?.size ?? 0 });
  if (log?.state !== "frozen" || !checkpoint) throw new Error("the log is not frozen at a checkpoint");
  const indexes = new Set<number>();
  for (const event of [...orderingEvents, ...provenEvents]) {
    for (const index of await selectIndexesOfEvent(database, job.contract, event)) indexes.add(index);
  }
  const entries: Certificate["log"]["entries"][number][] = [];
  for (const { index, bytes } of await selectEntriesAt(database, job.contract, [...indexes])) {
    if (!bytes) throw new Error("an entry of the purge is gone from the log");
    const proof = await readInclusion(database, job.contract, index, log.size);
    entries.push({ index, bytes: toBase64(bytes), proof: proof.map(toBase64) });
  }
  return { origin: log.origin, checkpoint: checkpoint.note, entries };
}

function entriesOf({ entries }: Certificate["log"]): Entry[] {
  return entries.flatMap(({ bytes }) => readEntry(fromBase64(bytes)) ?? []);
}

function timeOf({ facts }: PurgeJob, step: string): string {
  const time = facts.times[step];
  if (time === undefined) throw new Error(`a purge job that does not know when ${step} was`);
  return time;
}
