/**
 * The acts of a purge, each idempotent: done again after a crash it finds less to do and ends in the same place.
 */
import { lockContract, moveState } from "../contracts/index.ts";
import { destroyShareA, type KeyEpoch, KeysUnavailable, selectKeyEpochs } from "../keys/index.ts";
import { controlCatalogue, controlCount, countShares } from "./controls.ts";
import { type Done, type PurgeParts, timed } from "./parts.ts";
import { storesOfStep, unregistered } from "./plan.ts";
import { countRows, type DeletedBatch, deleteRows, type PurgeJob, renewLease, selectContractTables, writeJob } from "./postgres.ts";

/** Few enough that nobody waits long behind their commit. */
const batchRows = 2_000;

/**
 * From here nobody reads. Ends an active contract and closes it in one transaction; then waits until whatever began before has ended, here and elsewhere.
 * An import holds the contract's row, so this transaction waits for its batch and the next batch is refused.
 */
export async function fence(parts: PurgeParts, job: PurgeJob): Promise<Done | null> {
  const { database, keyring, inFlight, fenceWaitMs, leaseMs } = parts;
  const fenced = await database.transaction(async (tx) => {
    const contract = await lockContract(tx, job.contract, "update");
    if (!contract) throw new Error("a purge job without its contract");
    if (contract.state === "active") await moveState(tx, job.contract, "active", "ended");
    if (contract.state === "active" || contract.state === "ended") await moveState(tx, job.contract, "ended", "purging");
    const times = { ...job.facts.times, fenced: job.facts.times.fenced ?? new Date(contract.readAt).toISOString() };
    return writeJob(tx, job, { facts: { ...job.facts, times } }, leaseMs);
  });
  keyring.forget(job.contract);
  await inFlight.idle(job.contract);
  if (fenced.readAt < Date.parse(fenced.facts.times.fenced ?? "") + fenceWaitMs) return null;
  const before = fenced.facts.before ?? (await countRows(database, job.contract));
  const shares = fenced.facts.shares ?? (await countShares(parts, job.contract));
  return { facts: { ...fenced.facts, before, shares }, entry: { before, shares } };
}

/** The point of no return: without share B nothing of the contract opens again, here or in any copy. */
export async function destroySharesB(parts: PurgeParts, job: PurgeJob): Promise<Done> {
  const epochs = await selectKeyEpochs(parts.database, job.contract);
  // First, so that there is no moment at which a restored database finds the share gone and nothing that says why.
  await parts.shares.bury(job.contract);
  for (const { epoch } of epochs) {
    await renewLease(parts.database, job, parts.leaseMs);
    await parts.shares.destroy(job.contract, epoch);
  }
  return { facts: timed(job, "share_b"), entry: { commitments: epochs.map((epoch) => epoch.commitmentB) } };
}

export async function eraseSharesA(parts: PurgeParts, job: PurgeJob): Promise<Done> {
  const epochs = await selectKeyEpochs(parts.database, job.contract);
  await parts.database.transaction(async (tx) => {
    await writeJob(tx, job, {}, parts.leaseMs);
    await destroyShareA(tx, job.contract);
  });
  const shareC = await retireSharesC(parts, job, epochs);
  const commitments = epochs.map((epoch) => epoch.commitmentA);
  return { facts: { ...timed(job, "share_a"), shareC }, entry: { commitments, ...(shareC.length > 0 && { share_c: [...shareC] }) } };
}

/** What the merchant says is gone of its own shares. Without the others they open nothing, so a merchant that does not answer holds up no purge. */
async function retireSharesC({ keyring, database }: PurgeParts, job: PurgeJob, epochs: readonly KeyEpoch[]): Promise<readonly string[]> {
  try {
    return await keyring.retireSharesC(database, job.contract, epochs);
  } catch (error) {
    if (error instanceof KeysUnavailable) return [];
    throw error;
  }
}

/**
 * Batch by batch, each with its count and the lease in one transaction. Nothing of it opens any more, so there is no hurry: after each batch it rests as
 * long as the batch took, and leaves half of what the database can do to everybody else. `null` = its turn is over, one lease long: other contracts' ends and
 * erasures come first, and then the next turn.
 */
export async function deleteAll(parts: PurgeParts, job: PurgeJob, step: "rows" | "derived"): Promise<Done | null> {
  const turnEnds = performance.now() + parts.leaseMs;
  let current = job;
  for (const table of storesOfStep(step)) {
    let after: DeletedBatch["last"] = null;
    for (;;) {
      const begun = performance.now();
      const { batch, next } = await parts.database.transaction(async (tx) => {
        const batch = await deleteRows(tx, table, job.contract, { after, limit: batchRows });
        const tally = { ...current.facts.deleted, [table]: (current.facts.deleted?.[table] ?? 0) + batch.count };
        return { batch, next: await writeJob(tx, current, { facts: { ...current.facts, deleted: tally } }, parts.leaseMs) };
      });
      current = next;
      if (batch.count < batchRows) break;
      if (performance.now() > turnEnds) return null;
      after = batch.last;
      await new Promise((resolve) => setTimeout(resolve, performance.now() - begun));
    }
  }
  const deleted = Object.fromEntries(storesOfStep(step).map((table) => [table, current.facts.deleted?.[table] ?? 0]));
  return { facts: timed(current, step), entry: { deleted } };
}

/**
 * Looks for what should be gone: rows, shares, and tables that nobody registered; and has each look show that it would have seen something.
 * Throws where something is left, or a look is blind: then there is no certificate.
 */
export async function sweep(parts: PurgeParts, job: PurgeJob): Promise<Done> {
  const shown = await selectContractTables(parts.database);
  const unknown = unregistered(shown);
  if (unknown.length > 0) throw new Error(`tables with a contract's rows that the purge does not know: ${unknown.join(", ")}`);
  const catalogue = controlCatalogue(shown);
  const after = await countRows(parts.database, job.contract);
  const left = Object.entries(after).filter(([, count]) => count > 0);
  if (left.length > 0) throw new Error(`rows are left in ${left.map(([table]) => table).join(", ")}`);
  const control = await controlCount(parts, job);
  const shares = await countShares(parts, job.contract);
  if (shares.share_a + shares.share_b > 0) throw new Error("a share is left");
  const swept = { catalogue, control, tool: parts.tool };
  return { facts: { ...timed(job, "sweep"), swept }, entry: { after, shares, ...swept } };
}
