/**
 * Runs a rotation to its end:  claim → [ intent entry → act → done entry → advance ] for each act
 * It moves wrapped keys from old epochs to a new one and destroys the old ones. No record is sealed again, and every key is readable throughout. Where the
 * index key is to move as well, records are opened for what they are found by.
 *
 * Crash order, at every step: the intent is durable before the act, the act is idempotent, the done entry is durable before the job advances.
 */
import { selectContract } from "../contracts/index.ts";
import { ensureEntry, runJobs } from "../jobs/index.ts";
import { destroySharesB, dropUnborn, eraseSharesA, makeEpoch, retire, rewrapAll } from "./acts.ts";
import { dropOldIndex, rebuildIndex } from "./index-acts.ts";
import { ContractClosed, type Done, type RotationParts } from "./parts.ts";
import { type Act, nextAct } from "./plan.ts";
import { claimRotation, type Rotation, renewRotation, selectRunnable, writeRotation } from "./postgres.ts";

/** Runs every rotation as far as it comes now: another worker may hold it, or it waits for its fence. */
export async function runRotations(parts: RotationParts): Promise<void> {
  const { database, leaseMs } = parts;
  await runJobs(await selectRunnable(database), {
    leaseMs,
    claim: (job) => claimRotation(database, job, leaseMs),
    renew: (job) => renewRotation(database, job, leaseMs),
    release: (job) => renewRotation(database, job, null),
    climb: (job) => climb(parts, job),
  });
}

/** `null` = it has to wait, or is at its end. */
async function climb(parts: RotationParts, job: Rotation): Promise<Rotation | null> {
  const act = nextAct(job.step, job.facts.index !== undefined);
  if (!act) return null;
  try {
    return await perform(parts, job, act);
  } catch (error) {
    if (!(error instanceof ContractClosed)) throw error;
    await dropUnborn(parts, job);
    return writeRotation(parts.database, job, { step: "abandoned" }, parts.leaseMs);
  }
}

/** Acts before which a fence has to pass that begins with the end of another: no request and no cache anywhere is left with what that one moved. */
function fenceOf(job: Rotation, act: Act): Act | null {
  if (act === "retire") return job.facts.index ? "index" : "rewrap";
  return act === "index_drop" || act === "share_b" ? "retire" : null;
}

async function perform(parts: RotationParts, job: Rotation, act: Act): Promise<Rotation | null> {
  const since = job.facts.times[fenceOf(job, act) ?? act];
  if (since !== undefined && job.readAt < Date.parse(since) + parts.fenceWaitMs) return null;
  await say(parts, job, act, "intent", {});
  const done = await performers[act](parts, job);
  const at = await say(parts, done.job, act, "done", done.entry);
  const times = { ...done.job.facts.times, [act]: new Date(at).toISOString() };
  return writeRotation(parts.database, done.job, { step: act, after: "", facts: { ...done.job.facts, times } }, parts.leaseMs);
}

const performers: Readonly<Record<Act, (parts: RotationParts, job: Rotation) => Promise<Done>>> = {
  epoch: makeEpoch,
  rewrap: rewrapAll,
  index: rebuildIndex,
  retire,
  index_drop: dropOldIndex,
  share_b: destroySharesB,
  share_a: eraseSharesA,
};

/** From the purge's fence on, the purge alone writes the contract's log; it waits there for longer than one entry takes. Answers when. */
async function say(parts: RotationParts, job: Rotation, act: Act, when: "intent" | "done", entry: Done["entry"]): Promise<number> {
  const contract = await selectContract(parts.database, job.contract);
  if (!contract || contract.state === "purging" || contract.state === "purged") throw new ContractClosed();
  const facts = { job: job.id, ...entry };
  await ensureEntry(parts, parts.logs.closing(job.contract), { event: `keys.${act}.${when}`, code: "rotation", facts });
  return contract.readAt;
}
