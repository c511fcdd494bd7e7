/**
 * Deletes what is over the age that the contract agreed to, once a day:
 * order, by a clock that is believed → intent entry → batches of records, what they are found by, and keys of people of whom nothing is left → done entry
 * Held records are passed over; while a hold on the whole contract stands, the job waits. What a batch deletes is counted in its own transaction, so
 * that whoever takes the job up after a crash counts nothing twice.
 */
import { uuidv7 } from "uuidv7";
import { lockContract, selectClock, selectContract, selectInUse, sparedBy, standingHolds } from "../contracts/index.ts";
import { ensureEntry, runJobs } from "../jobs/index.ts";
import { inTurn } from "../kernel/index.ts";
import { deleteSubjectKeys, newestEpoch } from "../keys/index.ts";
import { deleteOlder, hasOlder, type Spared, selectSubjectsLeft } from "../records/index.ts";
import type { Queryable } from "../storage/index.ts";
import { ageRulesOf, describeRules } from "./age.ts";
import { claimLapse, insertLapse, type Lapse, renewLapse, selectRunnableLapses, writeLapse } from "./postgres-lapse.ts";
import type { LapseParts } from "./run.ts";

const batchRecords = 500;

/**
 * `looked`: the day and the terms for which this process last found out what a contract lets go. By the clock's last beat, which was held against the one
 * before it, and not by the clock itself: it may have leapt since.
 */
export async function orderLapses({ database, bundles }: LapseParts, looked: Map<string, string>): Promise<void> {
  const clock = await selectClock(database);
  if (!clock || clock.doubt) return;
  await inTurn(await selectInUse(database), async ({ id, bundleDigest }) => {
    const rules = ageRulesOf((await bundles.bundleOf(database, id, bundleDigest)).contract, clock.beatAt);
    const about = JSON.stringify(rules);
    if (rules === null || looked.get(id) === about) return;
    const spared = sparedBy(await standingHolds(database, id));
    if (spared.all) return;
    if (await hasOlder(database, id, rules, spared))
      await insertLapse(database, { contract: id, id: uuidv7(), basis: "retention", step: "requested", rules });
    looked.set(id, about);
  });
}

/** Runs all that are not done, as far as they come now. */
export async function runLapses(parts: LapseParts): Promise<void> {
  const { database, leaseMs } = parts;
  await runJobs(await selectRunnableLapses(database), {
    leaseMs,
    claim: (job) => claimLapse(database, job, leaseMs),
    renew: (job) => renewLapse(database, job, leaseMs),
    release: (job) => renewLapse(database, job, null),
    climb: (job) => climb(parts, job),
  });
}

/** `null` = it has to wait, or is at its end. */
async function climb(parts: LapseParts, job: Lapse): Promise<Lapse | null> {
  if (job.step === "asked" || job.step === "done" || job.step === "abandoned") return null;
  const { database } = parts;
  const contract = await selectContract(database, job.contract);
  // Its log is the purge's from then on, and all of it dies there.
  if (!contract || contract.state === "purging" || contract.state === "purged") return writeLapse(database, job, { step: "abandoned" });
  if (job.step === "requested") {
    if (sparedBy(await standingHolds(database, job.contract)).all) return null;
    await say(parts, job, "records.lapsed.intent");
    await parts.shares.note({ contract: job.contract, job: job.id, what: JSON.stringify({ rules: job.rules, basis: job.basis }) });
    let deleting: Lapse | null = job;
    while (deleting?.step === "requested") deleting = await deleteBatch(parts, deleting);
    return deleting;
  }
  await say(parts, job, "records.lapsed.done");
  return writeLapse(database, job, { step: "done" });
}

/** The contract's row is locked: no import writes these records meanwhile, and no purge or hold comes in between. */
async function deleteBatch({ database }: LapseParts, job: Lapse): Promise<Lapse | null> {
  const { contract: id } = job;
  return database.transaction(async (tx) => {
    const contract = await lockContract(tx, id, "update");
    if (!contract || contract.state === "purging" || contract.state === "purged") return writeLapse(tx, job, { step: "abandoned" });
    const spared = sparedBy(await standingHolds(tx, id));
    if (spared.all) return null;
    const { isLast, ...counts } = await deleteAged(tx, job, spared);
    return writeLapse(tx, job, { ...(isLast ? { step: "deleted" } : {}), ...counts });
  });
}

export type Counts = Pick<Lapse, "records" | "indexRows" | "subjectKeys" | "epoch">;

/** One batch, under the contract's row lock. Answers the counts of `job` with this batch's added. */
export async function deleteAged(
  tx: Queryable,
  { contract, rules, ...before }: Pick<Lapse, "contract" | "rules"> & Counts,
  spared: Spared,
): Promise<Counts & { readonly isLast: boolean }> {
  const { records, indexRows, subjects } = await deleteOlder(tx, contract, rules, { spared, limit: batchRecords });
  const left = await selectSubjectsLeft(tx, contract, subjects);
  const { keys, epoch } = await deleteSubjectKeys(
    tx,
    contract,
    subjects.filter((subject) => !left.has(subject)),
  );
  return {
    isLast: records < batchRecords,
    records: before.records + records,
    indexRows: before.indexRows + indexRows,
    subjectKeys: before.subjectKeys + keys,
    epoch: epoch === null ? before.epoch : Math.max(epoch, before.epoch ?? 0),
  };
}

async function say(parts: LapseParts, job: Lapse, event: "records.lapsed.intent" | "records.lapsed.done"): Promise<void> {
  const { database, keyring, logs } = parts;
  const { contract, id, basis, rules, records, indexRows, subjectKeys, epoch } = job;
  const log = logs.contract(await keyring.keysOf(database, contract, await newestEpoch(database, contract)));
  const counts = { records, index_rows: indexRows, subject_keys: subjectKeys, ...(epoch === null ? {} : { epoch }) };
  const facts = { job: id, older: describeRules(rules), ...(event === "records.lapsed.done" ? counts : {}) };
  await ensureEntry(parts, log, { event, code: basis, facts });
}
