/**
 * The second certificate of a purge, once the time is over for which backups may hold copies: claim → look again → sign, store → log → close.
 * It says that the time has passed, that nothing has come back (a database restored from a backup would be found here), and what only others can know.
 *
 * Crash order: stored before it is logged, logged before it is closed; a restart signs nothing anew, and an entry that stands is not written again.
 */
import {
  gatewayLog,
  type LogHandle,
  readEntry,
  readInclusion,
  selectCheckpoints,
  selectEntriesAt,
  selectIndexesOfEvent,
} from "../audit/index.ts";
import { type Contract, selectContract } from "../contracts/index.ts";
import { signJws, toBase64 } from "../crypto/index.ts";
import { ensureEntry } from "../jobs/index.ts";
import { canonicalJson, inTurn } from "../kernel/index.ts";
import type { Database } from "../storage/index.ts";
import { assurances, certificateDigest, type FinalCertificate, finalCertificateTyp, horizonOf } from "./certificate-document.ts";
import { attestationsOf } from "./certificate-feeds.ts";
import { finalStatementOf } from "./certificate-statement.ts";
import { countShares } from "./controls.ts";
import { purgeTerms } from "./order.ts";
import type { PurgeParts } from "./parts.ts";
import {
  claimJob,
  closeCertificate,
  countRows,
  type PurgeJob,
  releaseJob,
  selectCertificates,
  selectHorizonsPassed,
  storeFinalCertificate,
} from "./postgres.ts";

const [proven, seen, , unknown] = assurances;

/** Run every few seconds; any number of keepers issue one. */
export async function issueFinalCertificates(parts: PurgeParts): Promise<void> {
  await inTurn(await selectHorizonsPassed(parts.database), async (contract) => {
    const job = await claimJob(parts.database, contract, parts.leaseMs);
    if (!job) return;
    await issueFinal(parts, job);
    await releaseJob(parts.database, job);
  });
}

async function issueFinal(parts: PurgeParts, job: PurgeJob): Promise<void> {
  const { database } = parts;
  const issued = await selectCertificates(database, job);
  // Another keeper may have closed it since it was found.
  if (!issued || issued.isFinal) return;
  const log = await parts.logs.gateway(database);
  const jws = issued.final ?? (await signFinal(parts, job, { first: issued.first, log }));
  if (jws === null) return;
  await storeFinalCertificate(database, job, jws);
  const facts = { job: job.id, contract: job.contract, digest: certificateDigest(jws) };
  await ensureEntry(parts, log, { event: "certificate.final", code: "issued", facts });
  await closeCertificate(database, job);
}

/** `null` = the log's entry about the first one is not under a checkpoint yet. */
async function signFinal(
  parts: PurgeParts,
  job: PurgeJob,
  { first, log }: { readonly first: string; readonly log: LogHandle },
): Promise<string | null> {
  const { database } = parts;
  const contract = await selectContract(database, job.contract);
  if (!contract) throw new Error("a purge without its contract");
  await lookAgain(parts, job);
  await parts.sequencer.run(log.log);
  const proof = await proofOfIssue(database, job);
  if (!proof) return null;
  const { newest: origin } = await parts.logs.originsOf(database, log.log);
  const { backupHorizonHours } = await purgeTerms(parts, contract);
  const certificate = describe(job, { contract, first, hours: backupHorizonHours, tool: parts.tool });
  return signJws(parts.certificateSigner, finalCertificateTyp, canonicalJson({ ...certificate, log: { origin, ...proof } }));
}

/** Throws where something of the contract is there: then there is no second certificate. */
async function lookAgain(parts: PurgeParts, job: PurgeJob): Promise<void> {
  const back = Object.entries(await countRows(parts.database, job.contract)).filter(([, count]) => count > 0);
  if (back.length > 0) throw new Error(`rows of a purged contract are in ${back.map(([table]) => table).join(", ")}`);
  const { share_a, share_b } = await countShares(parts, job.contract);
  if (share_a + share_b > 0) throw new Error("a share of a purged contract is back");
}

function describe(
  job: PurgeJob,
  { contract, first, hours, tool }: { contract: Contract; first: string; hours: number; tool: string },
): Omit<FinalCertificate, "log"> {
  const destroyedAt = job.facts.times.share_b ?? "";
  const seenAt = new Date(job.readAt).toISOString();
  const checked = { result: "none left", tool, at: seenAt, assurance: seen } as const;
  const told = {
    contract: contract.id,
    horizon: {
      destroyed_at: destroyedAt,
      hours,
      passed_at: new Date(horizonOf(destroyedAt, hours)).toISOString(),
      seen_at: seenAt,
      assurance: seen,
    },
    attestations: attestationsOf(contract),
  };
  return {
    format: "postern-certificate-final/1",
    statement: finalStatementOf(told),
    ...told,
    job: job.id,
    merchant: contract.merchant,
    vendor: contract.vendor,
    first: { digest: certificateDigest(first), assurance: proven },
    verification: [
      { check: "rows", ...checked },
      { check: "shares", ...checked },
    ],
    copies: { state: "not attested", assurance: unknown },
  };
}

/** The entry that named the first certificate's digest, with its path to a checkpoint of the gateway log. */
async function proofOfIssue(database: Database, job: PurgeJob): Promise<Pick<FinalCertificate["log"], "checkpoint" | "entry"> | null> {
  const indexes = await selectIndexesOfEvent(database, gatewayLog, "certificate.issued");
  const entries = await selectEntriesAt(database, gatewayLog, indexes);
  const found = entries.find(({ bytes }) => bytes && readEntry(bytes)?.facts?.job === job.id);
  if (!found?.bytes) return null;
  const [checkpoint] = await selectCheckpoints(database, gatewayLog, { from: found.index + 1, limit: 1 });
  if (!checkpoint) return null;
  const proof = await readInclusion(database, gatewayLog, found.index, checkpoint.size);
  return {
    checkpoint: checkpoint.note,
    entry: { index: found.index, bytes: toBase64(found.bytes), proof: proof.map(toBase64) },
  };
}
