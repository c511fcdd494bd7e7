/**
 * Runs an approved purge to its certificate:
 * claim → [ intent entry → act → done entry → advance ] for each act → verified entry, log frozen → certificate → purged
 *
 * Crash order, at every step: the intent is durable before the act, the act is idempotent, the done entry is durable before the job advances.
 * A restart repeats the act it finds unfinished; an entry that stands in the log is not written again, so the certificate names each once.
 * The same function serves a person's order, the clock, and a restart.
 */
import { selectLog } from "../audit/index.ts";
import { lockContract, makeIrrevocable } from "../contracts/index.ts";
import { ensureEntry, runJobs } from "../jobs/index.ts";
import { deleteAll, destroySharesB, eraseSharesA, fence, sweep } from "./acts.ts";
import { attestedBy } from "./attestations.ts";
import { issueCertificate } from "./certificate.ts";
import type { Done, EntryFacts, PurgeParts } from "./parts.ts";
import { type Act, acts, isPastReturn, nextStep, type Step } from "./plan.ts";
import { claimJob, type PurgeJob, releaseJob, renewLease, selectRunnable, writeJob } from "./postgres.ts";
import { returnRecords } from "./return.ts";

/**
 * Runs every job that may run, as far as it comes now: another worker may hold it, or it waits for its fence. `believed`: the database's clock did not leap;
 * while it is doubted, nothing passes the point of no return, because a cooling or a hold may not be over at all.
 */
export async function runPurges(parts: PurgeParts, believed: boolean): Promise<void> {
  const { database, leaseMs } = parts;
  const runnable = (await selectRunnable(database)).filter(({ step }) => believed || isPastReturn(step));
  await runJobs(runnable, {
    leaseMs,
    claim: ({ contract }) => claimJob(database, contract, leaseMs),
    renew: (job) => renewLease(database, job, leaseMs),
    release: (job) => releaseJob(database, job),
    async climb(job) {
      const next = nextStep(job.step);
      return next && climb(parts, job, next);
    },
  });
}

/** `null` = it has to wait. */
async function climb(parts: PurgeParts, job: PurgeJob, next: Step): Promise<PurgeJob | null> {
  if (isAct(next)) return perform(parts, job, next);
  if (next === "verified") return verify(parts, job);
  if (next === "certified") return issueCertificate(parts, job);
  throw new Error("a purge job runs only once it is approved");
}

async function perform(parts: PurgeParts, job: PurgeJob, act: Act): Promise<PurgeJob | null> {
  if (act === "share_b" && !(await passPointOfNoReturn(parts, job))) return null;
  const log = parts.logs.closing(job.contract);
  await ensureEntry(parts, log, { event: `purge.${act}.intent`, code: "purge", facts: { job: job.id } });
  const done = await performers[act](parts, job);
  if (!done) return null;
  const { facts, entry } = done;
  await ensureEntry(parts, log, { event: `purge.${act}.done`, code: "purge", facts: { job: job.id, ...entry } });
  return writeJob(parts.database, job, { step: act, facts }, parts.leaseMs);
}

/** Held, a job waits here with nothing destroyed. Under the row lock: a hold is placed before, or refused after. */
function passPointOfNoReturn({ database, leaseMs }: PurgeParts, job: PurgeJob): Promise<boolean> {
  return database.transaction(async (tx) => {
    await lockContract(tx, job.contract, "update");
    await writeJob(tx, job, {}, leaseMs);
    return makeIrrevocable(tx, job.contract);
  });
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
  const entry = { event: "purge.verified", code: "purge", facts: { job: job.id, ...attestedFacts(job) } } as const;
  if (!(await frozen())) await ensureEntry(parts, parts.logs.closing(job.contract), entry);
  // Of a frozen log too: it may have been numbered, and its last checkpoint not signed any more.
  await parts.sequencer.run(job.contract);
  if (!(await frozen())) return null;
  // Somebody else may have been numbering it just then, and not have come to sign it yet: the certificate takes that checkpoint along.
  await parts.sequencer.run(job.contract);
  const times = { ...job.facts.times, verified: new Date(job.readAt).toISOString() };
  return writeJob(parts.database, job, { step: "verified", facts: { ...job.facts, times } }, parts.leaseMs);
}

/** What the vendor had said by now, written down before the entry that repeats it: said later, it is said after the log's end. */
async function withAttestations(parts: PurgeParts, job: PurgeJob): Promise<PurgeJob> {
  if (job.facts.attested) return job;
  const attested = await attestedBy(parts, job);
  if (!attested) return job;
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
