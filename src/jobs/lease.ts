/**
 * Jobs that any number of keepers may take up: one holds the lease, every write of theirs checks the fencing counter, and whoever lost it changes nothing.
 * A job is a row with a step; what a step does is the journey's own affair (purge, rotation, erasure).
 */
import { inTurn } from "../kernel/index.ts";

/** Thrown by a write whose fence is no longer the job's; rolls back the transaction around it. */
export class LeaseLost extends Error {
  constructor() {
    super("another worker has taken the job over");
    this.name = "LeaseLost";
  }
}

export interface JobKind<Job> {
  readonly leaseMs: number;
  /** Takes the lease and a new fence. `null` = another worker holds it. */
  claim(job: Job): Promise<Job | null>;
  /** Throws LeaseLost. */
  renew(job: Job): Promise<void>;
  /** Gives the lease back early, so that whoever comes next need not wait. */
  release(job: Job): Promise<void>;
  /** One step. `null` = it has to wait, or is at its end. */
  climb(job: Job): Promise<Job | null>;
}

/** Runs every job as far as it comes now: another worker may hold it, or it waits. */
export async function runJobs<Job>(jobs: readonly Job[], kind: JobKind<Job>): Promise<void> {
  await inTurn(jobs, async (standing) => {
    const job = await kind.claim(standing);
    if (!job) return;
    try {
      await runJob(kind, job);
    } catch (error) {
      if (!(error instanceof LeaseLost)) throw error;
    }
  });
}

/** After a fault the lease is left to expire: until then a statement whose outcome is uncertain may still come through. */
async function runJob<Job>(kind: JobKind<Job>, claimed: Job): Promise<void> {
  // A step may take longer than a lease lasts. A beat that fails changes nothing: every write checks the fence.
  const beat = setInterval(() => void kind.renew(claimed).catch(() => undefined), kind.leaseMs / 3);
  try {
    for (let job: Job | null = claimed; job !== null; ) job = await kind.climb(job);
  } finally {
    clearInterval(beat);
  }
  await kind.release(claimed);
}
