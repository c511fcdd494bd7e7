/**
 * Erases one data subject:  intent entry → their index rows, records and key in one transaction → done entry
 * The same function serves the owner who asks, and a keeper after a crash. While a legal hold stands it waits, with nothing deleted.
 */
import type { LogHandles } from "../audit/index.ts";
import { type Bundles, lockContract, selectContract } from "../contracts/index.ts";
import { ensureEntry, type JobEntry, type JobLog, runJobs } from "../jobs/index.ts";
import type { ContractId, Refusal } from "../kernel/index.ts";
import { deleteSubjectKey, type Keyring, newestEpoch, type ShareStore } from "../keys/index.ts";
import { deleteSubject } from "../records/index.ts";
import type { Queryable } from "../storage/index.ts";
import { claimErasure, type Erasure, renewErasure, selectRunnable, writeErasure } from "./postgres.ts";

/** The legal holds that forbid to delete what is stored of `subject`, as a refusal names them. Read under the contract's lock, they stay until it is given back. */
export type HoldsOn = (database: Queryable, contract: ContractId, subject: string) => Promise<NonNullable<Refusal["errors"]>>;

export interface ErasureParts extends JobLog {
  readonly keyring: Keyring;
  readonly logs: LogHandles;
  readonly holdsOn: HoldsOn;
  readonly shares: ShareStore;
  readonly leaseMs: number;
}

/** What deleting by age needs. */
export interface LapseParts extends Omit<ErasureParts, "holdsOn"> {
  readonly bundles: Bundles;
}

/** Runs those that are named, or all that are not done. */
export async function runErasures(parts: ErasureParts, jobs?: readonly Erasure[]): Promise<void> {
  const { database, leaseMs } = parts;
  await runJobs(jobs ?? (await selectRunnable(database)), {
    leaseMs,
    claim: (job) => claimErasure(database, job, leaseMs),
    renew: (job) => renewErasure(database, job, leaseMs),
    release: (job) => renewErasure(database, job, null),
    climb: (job) => climb(parts, job),
  });
}

/** `null` = it has to wait, or is at its end. */
async function climb(parts: ErasureParts, job: Erasure): Promise<Erasure | null> {
  if (job.step === "done" || job.step === "abandoned") return null;
  const { database, holdsOn } = parts;
  const contract = await selectContract(database, job.contract);
  // Its log is the purge's from then on, and everybody's keys die there.
  if (!contract || contract.state === "purging" || contract.state === "purged") return writeErasure(database, job, { step: "abandoned" });
  if (job.step === "requested") {
    if ((await holdsOn(database, job.contract, job.subject)).length > 0) return null;
    await say(parts, job, "subject.erased.intent");
    const { subject, type } = job;
    await parts.shares.note({ contract: job.contract, job: job.id, what: JSON.stringify({ subject, type }) });
    return erase(parts, job);
  }
  await say(parts, job, "subject.erased.done");
  return writeErasure(database, job, { step: "done" });
}

/** The contract's row is locked: no import writes this subject meanwhile, and no purge or hold comes in between. */
async function erase({ database, holdsOn }: ErasureParts, job: Erasure): Promise<Erasure | null> {
  return database.transaction(async (tx) => {
    const contract = await lockContract(tx, job.contract, "update");
    if (!contract || contract.state === "purging" || contract.state === "purged") return writeErasure(tx, job, { step: "abandoned" });
    if ((await holdsOn(tx, job.contract, job.subject)).length > 0) return null;
    const rows = await deleteSubject(tx, job.contract, job.subject);
    // Where no key was left, an older copy may hold one all the same.
    const epoch = (await deleteSubjectKey(tx, job.contract, job.subject)) ?? (await newestEpoch(tx, job.contract));
    return writeErasure(tx, job, { step: "erased", epoch, ...rows });
  });
}

/** Names the subject by the pseudonym that every reading of theirs has in this log, so that an officer finds it among them. */
async function say(parts: ErasureParts, job: Erasure, event: "subject.erased.intent" | "subject.erased.done"): Promise<void> {
  const { database, keyring, logs } = parts;
  const { contract, id, subject, type, epoch, records, indexRows } = job;
  const log = logs.contract(await keyring.keysOf(database, contract, await newestEpoch(database, contract)));
  const counts = event === "subject.erased.done" ? { records, index_rows: indexRows, ...(epoch === null ? {} : { epoch }) } : {};
  const entry: JobEntry = {
    event,
    code: "erasure",
    facts: { job: id, ...counts },
    resource: { type, records: [{ locator: subject, subject }], fields: {} },
  };
  await ensureEntry(parts, log, entry);
}
