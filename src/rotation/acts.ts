/**
 * The acts of a rotation, each idempotent: done again after a crash it finds less to do and ends in the same place.
 * Throws ContractClosed where the contract's purge has come: that destroys every epoch there is.
 */

import {
  countWrapped,
  destroyShareA,
  dropIndexBeside,
  keyPurposes,
  lockSubjectKeys,
  movePurposeKey,
  moveSubjectKeys,
  retireEpochsBefore,
  selectContractKeys,
  selectKeyEpochs,
  type WrappedKey,
} from "../keys/index.ts";
import { countRecords } from "../records/index.ts";
import { type Done, type RotationParts, standOpen } from "./parts.ts";
import { type Rotation, renewRotation, writeRotation } from "./postgres.ts";

/** Small, so that neither readers of the embedded database nor this thread are kept waiting. */
const batchKeys = 500;

/**
 * Share B lies in its store before the row is committed. The contract's row is locked, so an import ends its batch first and the next one wraps under
 * the new epoch, and a purge either comes first or finds the epoch and destroys it.
 */
export async function makeEpoch(parts: RotationParts, job: Rotation): Promise<Done> {
  const { contract } = job;
  let made = job;
  let fresh = await epochNamed(parts, job);
  if (!fresh) {
    const tried = await freshNumber(parts, job);
    made = await parts.database.transaction(async (tx) => {
      await standOpen(tx, job, "update");
      const { index } = tried.facts;
      await parts.keyring.addEpoch(tx, contract, tried.epoch, index?.generation ?? null);
      const wrapped = await countWrapped(tx, contract);
      const subjects = [...wrapped.values()].reduce((sum, { subjects: count }) => sum + count, 0);
      const records = index && (await countRecords(tx, contract)).reduce((sum, { records: count }) => sum + count, 0);
      const facts = { ...tried.facts, subjects, ...(index && { index: { ...index, records: records ?? 0 } }) };
      return writeRotation(tx, tried, { facts }, parts.leaseMs);
    });
    fresh = await epochNamed(parts, made);
  }
  if (!fresh) throw new Error("an epoch that was just made is not there");
  return { job: made, entry: { epoch: fresh.epoch, share_a: fresh.commitmentA, share_b: fresh.commitmentB } };
}

/**
 * Each worker that tries makes an epoch of another number: one that lost its lease and wakes up late writes its share where nobody looks,
 * never over the one that counts. What an earlier try left is taken away.
 */
async function freshNumber(parts: RotationParts, job: Rotation): Promise<Rotation> {
  if (job.fence === 1) return job;
  await dropUnborn(parts, job);
  return writeRotation(parts.database, job, { epoch: job.epoch + 1 }, parts.leaseMs);
}

/** Batch by batch, each with its place and the lease in one transaction. What is written meanwhile is wrapped under the new epoch already. */
export async function rewrapAll(parts: RotationParts, job: Rotation): Promise<Done> {
  await rewrapPurposeKeys(parts, job);
  let current = job;
  for (let more = true; more; ) {
    const { next, size } = await rewrapBatch(parts, current);
    current = next;
    more = size === batchKeys;
  }
  return { job: current, entry: { epoch: job.epoch, subjects: current.rewrapped } };
}

async function rewrapPurposeKeys(parts: RotationParts, job: Rotation): Promise<void> {
  await parts.database.transaction(async (tx) => {
    await standOpen(tx, job, "share");
    const keys = await parts.keyring.keysOf(tx, job.contract, job.epoch);
    const standing = await selectContractKeys(tx, job.contract);
    for (const purpose of keyPurposes) {
      const key = standing.get(purpose);
      const moved = key && key.epoch < job.epoch ? keys.rewrapPurposeKey(purpose, key) : null;
      if (key && moved) await movePurposeKey(tx, job.contract, purpose, { ...moved, generation: key.generation });
    }
    await writeRotation(tx, job, {}, parts.leaseMs);
  });
}

function rewrapBatch({ database, keyring, leaseMs }: RotationParts, job: Rotation): Promise<{ next: Rotation; size: number }> {
  return database.transaction(async (tx) => {
    await standOpen(tx, job, "share");
    const keys = await keyring.keysOf(tx, job.contract, job.epoch);
    const batch = await lockSubjectKeys(tx, job.contract, { after: job.after, limit: batchKeys });
    const moved = new Map<string, WrappedKey>();
    for (const [subject, key] of batch) {
      if (key.epoch === job.epoch) continue;
      const rewrapped = keys.rewrapSubjectKey(subject, key);
      // Whose key it is stands in no message; `keys status` counts what is left under the old epoch, and erasing that subject lets the rotation go on.
      if (!rewrapped) throw new Error("a subject's key does not open, so its epoch cannot be left");
      moved.set(subject, rewrapped);
    }
    await moveSubjectKeys(tx, job.contract, moved);
    const after = [...batch.keys()].at(-1) ?? job.after;
    return { next: await writeRotation(tx, job, { after, rewrapped: job.rewrapped + moved.size }, leaseMs), size: batch.size };
  });
}

/**
 * Whoever loaded a key under an old epoch, here or elsewhere, has ended; then nobody needs the old ones. Counts what is wrapped under them under the
 * contract's lock, which no import holds then.
 */
export async function retire(parts: RotationParts, job: Rotation): Promise<Done> {
  parts.keyring.forget(job.contract);
  await parts.inFlight.passed(job.contract);
  const next = await parts.database.transaction(async (tx) => {
    await standOpen(tx, job, "update");
    const left = [...(await countWrapped(tx, job.contract)).keys()].filter((epoch) => epoch < job.epoch);
    if (left.length > 0) throw new Error(`keys are left under epoch ${left.join(", ")}`);
    // Everybody asks with the new index key by now, so nobody need write rows under the old one.
    if (job.facts.index) await dropIndexBeside(tx, job.contract);
    await retireEpochsBefore(tx, job.contract, job.epoch);
    return writeRotation(tx, job, {}, parts.leaseMs);
  });
  return { job: next, entry: { epochs: (await oldEpochs(parts, job)).map(({ epoch }) => `${epoch}`) } };
}

/** Once no process can hold an old epoch's key any more. From here on no copy of what was wrapped under it opens again. */
export async function destroySharesB(parts: RotationParts, job: Rotation): Promise<Done> {
  parts.keyring.forget(job.contract);
  await parts.inFlight.passed(job.contract);
  const old = await oldEpochs(parts, job);
  for (const { epoch } of old) {
    await renewRotation(parts.database, job, parts.leaseMs);
    await parts.shares.destroy(job.contract, epoch);
    if ((await parts.shares.get(job.contract, epoch)) !== null) throw new Error(`share B of epoch ${epoch} is left`);
  }
  return { job, entry: { commitments: old.map(({ commitmentB }) => commitmentB) } };
}

export async function eraseSharesA(parts: RotationParts, job: Rotation): Promise<Done> {
  const next = await parts.database.transaction(async (tx) => {
    await destroyShareA(tx, job.contract, job.epoch);
    return writeRotation(tx, job, {}, parts.leaseMs);
  });
  const old = await oldEpochs(parts, job);
  // The merchant's own share goes last: without the others it opens nothing.
  const shareC = await parts.keyring.retireSharesC(parts.database, job.contract, old);
  const commitments = old.map(({ commitmentA }) => commitmentA);
  return { job: next, entry: { commitments, ...(shareC.length > 0 && { share_c: shareC }) } };
}

/** For a purge that came before the row of the new epoch did: its share B would be left alone in the store. */
export async function dropUnborn(parts: RotationParts, job: Rotation): Promise<void> {
  if (!(await epochNamed(parts, job))) await parts.shares.destroy(job.contract, job.epoch);
}

async function epochNamed({ database }: RotationParts, { contract, epoch: number }: Rotation) {
  return (await selectKeyEpochs(database, contract)).find(({ epoch }) => epoch === number);
}

/** Those that this rotation leaves. What an earlier one destroyed is its own. */
async function oldEpochs({ database }: RotationParts, job: Rotation) {
  const epochs = await selectKeyEpochs(database, job.contract);
  return epochs.filter(({ epoch, destroyedAt }) => epoch < job.epoch && (destroyedAt === null || destroyedAt >= job.createdAt));
}
