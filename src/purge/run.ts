/**
 * Runs an approved purge to its certificate:
 * claim → [ intent entry → act → done entry → advance ] for each act → verified entry, log frozen → certificate → purged
 *
 * Crash order, at every step: the intent is durable before the act, the act is idempotent, the done entry is durable before the job advances.
 * A restart repeats the act it finds unfinished; an entry that stands in the log is not written again, so the certificate names each once.
 * The same function serves a person's order, the clock, and a restart.
 */
import { selectLog } from "../audit/index.ts";
import { inTurn } from "../kernel/index.ts";
import { deleteAll, destroySharesB, eraseSharesA, fence, sweep } from "./acts.ts";
import { attestationsOf } from "./attestations.ts";
import { issueCertificate } from "./certificate.ts";
import { ensureEntry } from "./entries.ts";
import type { Done, EntryFacts, PurgeParts } from "./parts.ts";
import { type Act, acts, nextStep, type Step } from "./plan.ts";
import { claimJob, LeaseLost, type PurgeJob, releaseJob, renewLease, selectRunnable, writeJob } from "./postgres.ts";
import { returnRecords } from "./return.ts";

/** Runs every job that may run, as far as it comes now: another worker may hold it, or it waits for its fence. */
export async function runPurges(parts: PurgeParts): Promise<void> {
  await inTurn(await selectRunnable(parts.database), async ({ contract }) => {
    const job = await claimJob(parts.database, contract, parts.leaseMs);
    if (!job) return;
    try {
      await runPurge(parts, job);
    } catch (error) {
      if (!(error instanceof LeaseLost)) throw error;
    }
  });
}

/** After a fault the lease is left to expire: until then a statement whose outcome is uncertain may still come through. */
async function runPurge(parts: PurgeParts, claimed: PurgeJob): Promise<void> {
  const { database, leaseMs } = parts;
  // An act may take longer than a lease lasts. A beat that fails changes nothing: every write checks the fence.
  const beat = setInterval(() => void renewLease(database, claimed, leaseMs).catch(() => undefined), leaseMs / 3);
  try {
    let job: PurgeJob = claimed;
    for (let next = nextStep(job.step); next !== null; next = nextStep(job.step)) {
      const advanced = await climb(parts, job, next);
      if (!advanced) break;
      job = advanced;
    }
  } finally {
    clearInterval(beat);
  }
  await releaseJob(database, claimed);
}

/** `null` = it has to wait. */
async function climb(parts: PurgeParts, job: PurgeJob, next: Step): Promise<PurgeJob | null> {
  if (isAct(next)) return perform(parts, job, next);
  if (next === "verified") return verify(parts, job);
  if (next === "certified") return issueCertificate(parts, job);
  throw new Error("a purge job runs only once it is approved");
}

async function perform(parts: PurgeParts, job: PurgeJob, act: Act): Promise<PurgeJob | null> {
  const log = parts.logs.closing(job.contract);
  await ensureEntry(parts, log, `purge.${act}.intent`, { job: job.id });
  const done = await performers[act](parts, job);
  if (!done) return null;
  const { facts, entry } = done;
  await ensureEntry(parts, log, `purge.${act}.done`, { job: job.id, ...entry });
  return writeJob(parts.database, job, { step: act, facts }, parts.leaseMs);
}

const performers: Readonly<Record<Act, (parts: PurgeParts, job: PurgeJob) => Promise<Done | null>>> = {
  fence,
  return: returnRecords,
  share_b: destroySharesB,
  share_a: eraseSharesA,
  rows: (parts, job) => deleteAll(parts, job, "rows"),
  derived: (parts, job) => deleteAll(parts, job, "derived"),
  sweep,
};

/** The log's last entry; the sequencer freezes the log with it. */
async function verify(parts: PurgeParts, verifying: PurgeJob): Promise<PurgeJob | null> {
  const frozen = async () => (await selectLog(parts.database, verifying.contract))?.state === "frozen";
  const job = await withAttestations(parts, verifying);
  if (!(await frozen()))
    await ensureEntry(parts, parts.logs.closing(job.contract), "purge.verified", { job: job.id, ...attestedFacts(job) });
  // Of a frozen log too: it may have been numbered, and its last checkpoint not signed any more.
  await parts.sequencer.run(job.contract);
  if (!(await frozen())) return null;
  const times = { ...job.facts.times, verified: new Date(job.readAt).toISOString() };
  return writeJob(parts.database, job, { step: "verified", facts: { ...job.facts, times } }, parts.leaseMs);
}

/** What the vendor had said by now, written down before the entry that repeats it: said later, it is said after the log's end. */
async function withAttestations(parts: PurgeParts, job: PurgeJob): Promise<PurgeJob> {
  if (job.facts.attested) return job;
  const systems = await attestationsOf(parts, job);
  if (systems.length === 0) return job;
  const attested = systems.map(({ system, attestation: filed }) => ({
    system,
    attestation: filed && {
      ...{ digest: filed.digest, signer: filed.signer, signed: filed.jws !== null, evidence: filed.evidenceDigest },
      recorded: new Date(filed.recordedAt).toISOString(),
    },
  }));
  return writeJob(parts.database, job, { facts: { ...job.facts, attested } }, parts.leaseMs);
}

function attestedFacts({ facts: { attested } }: PurgeJob): EntryFacts {
  if (!attested) return {};
  return {
    attested: attested.flatMap(({ system, attestation }) => (attestation ? [`${system} ${attestation.digest}`] : [])),
    not_attested: attested.flatMap(({ system, attestation }) => (attestation ? [] : [system])),
  };
}

function isAct(step: Step): step is Act {
  return (acts as readonly string[]).includes(step);
}
