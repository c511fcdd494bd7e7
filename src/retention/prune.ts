/**
 * The oldest months of a log go:
 * what is due → held? → is it whole? → intent (a row) → entry `audit.pruned` → wait for its place → held? → destroy the month's key and delete
 *
 * Crash order. The intent is durable before the entry, the entry numbered and published before anything is destroyed, and key, rows and first kept place
 * change in one transaction: a restart goes on from the row, and never does it twice. Any number of keepers: one has the lease.
 * The entry stands in the log itself; of a frozen log, which takes none, in the gateway's.
 * A log that is not what was signed is not pruned: what is deleted could not be looked at any more.
 */
import {
  beginPruning,
  type DueLog,
  type EntryDraft,
  gatewayLog,
  isUndamaged,
  notePruningEntry,
  type Pruning,
  type PruningPlan,
  prune,
  readCarried,
  readEntry,
  readLeftEdge,
  releasePruning,
  rootOfEdge,
  selectAccepted,
  selectDueLogs,
  selectEntriesAt,
  selectFirstKept,
  selectIndexesOfEvent,
  selectPending,
  selectPublished,
  takePruning,
} from "../audit/index.ts";
import { selectContract } from "../contracts/index.ts";
import { toBase64, verifySignature } from "../crypto/index.ts";
import { type ContractId, inTurn } from "../kernel/index.ts";
import type { Queryable } from "../storage/index.ts";
import type { RetentionParts } from "./parts.ts";

/** In one transaction. What is left of a month goes with the next one, in the same run. */
const roundEntries = 262_144;
/** As many as a fact holds. */
const carriedMax = 1_000;

/** Somebody changed the log: it is left as it is. The message is one line for an operator. */
export class LogNotPruned extends Error {
  readonly log: string;
  readonly reason: string;
  constructor(log: string, reason: string) {
    super(`log ${log} is not pruned: ${reason}`);
    this.name = "LogNotPruned";
    this.log = log;
    this.reason = reason;
  }
}

/** Every due month of every log that nothing holds, oldest first. Throws the first fault, after all logs had their turn. */
export async function pruneLogs(parts: RetentionParts): Promise<void> {
  const { database, months } = parts;
  await inTurn(await selectDueLogs(database, months), async (begin) => {
    for (let due: DueLog | undefined = begin; due !== undefined && (await pruneOnce(parts, due)); )
      [due] = await selectDueLogs(database, months, due.log);
  });
}

/** False: it waits, for another process, for a hold to end, or for its entry's place. */
async function pruneOnce(parts: RetentionParts, due: DueLog): Promise<boolean> {
  const { database, held, leaseMs } = parts;
  const { log, origin } = due;
  if (await held(log)) return false;
  if (!due.begun) {
    const firstKept = await firstKeptOf(database, due);
    if (!due.keyed && firstKept === due.minIndex) return false;
    await beginPruning(database, await planOf(parts, due, firstKept));
  }
  const pruning = await takePruning(database, log, leaseMs);
  if (pruning === null) return false;
  const entry = await ensureEntry(parts, pruning, { origin, minIndex: due.minIndex });
  if (!(await isPublished(database, pruning.entryLog, entry)) || (await held(log))) {
    await releasePruning(database, log);
    return false;
  }
  await prune(database, log);
  return true;
}

async function firstKeptOf(database: Queryable, { log, month, published, minIndex }: DueLog): Promise<number> {
  return Math.min(await selectFirstKept(database, log, month, { from: minIndex, published }), minIndex + roundEntries);
}

async function planOf(
  { database, logKey }: RetentionParts,
  { log, origin, state, month, minIndex }: DueLog,
  firstKept: number,
): Promise<PruningPlan> {
  if (firstKept > minIndex && !(await isUndamaged(database, { log, origin, from: minIndex, to: firstKept, logKey, verifySignature })))
    throw new LogNotPruned(log, "what is stored is not what was signed; restore it, or find out who changed it");
  const carried = firstKept === 0 ? [] : await readCarried(database, log, firstKept);
  if (carried.length > carriedMax) throw new LogNotPruned(log, `${carried.length} writers go on behind place ${firstKept}`);
  const root = rootOfEdge(await readLeftEdge(database, log, firstKept));
  return { log, month, firstKept, root, carried, entryLog: state === "open" ? log : gatewayLog };
}

/** Its id. Written unless it stands already, numbered or not; what waits is read before what is numbered. For the holder of the lease alone. */
async function ensureEntry(
  parts: RetentionParts,
  pruning: Pruning,
  { origin, minIndex }: { readonly origin: string; readonly minIndex: number },
): Promise<string> {
  const { database, sequencer, audit, logs } = parts;
  const { log, month, firstKept, root, carried, entryLog } = pruning;
  const about = { log: origin, month, first_kept: firstKept };
  await sequencer.run(entryLog);
  let id = pruning.entryId ?? (await findEntry(parts, entryLog, about));
  if (id === null) {
    const handle = entryLog === gatewayLog ? await logs.gateway(database) : logs.closing(entryLog as ContractId);
    const horizon = await horizonOf(parts, log);
    const facts: EntryDraft["facts"] = {
      ...about,
      ...(log === gatewayLog ? {} : { contract: log }),
      ...(horizon === null ? {} : { backup_horizon_hours: horizon }),
      entries: firstKept - minIndex,
      root: toBase64(root),
      key: `${log}/${month}`,
      carried: [...carried],
    };
    const outcome = { effect: "allow", code: "retention_over" } as const;
    ({ id } = await audit.append(handle, { event: "audit.pruned", actor: { role: "system" }, outcome, facts }));
    await sequencer.run(entryLog);
  }
  await notePruningEntry(database, log, id);
  return id;
}

async function findEntry(
  { database }: RetentionParts,
  log: string,
  about: Readonly<Record<string, string | number>>,
): Promise<string | null> {
  const waiting = await selectPending(database, log);
  const numbered = await selectEntriesAt(database, log, await selectIndexesOfEvent(database, log, "audit.pruned"));
  for (const bytes of [...waiting, ...numbered.flatMap((found) => found.bytes ?? [])]) {
    const entry = readEntry(bytes);
    const isIt = entry?.event === "audit.pruned" && Object.entries(about).every(([name, value]) => entry.facts?.[name] === value);
    if (isIt) return entry.id;
  }
  return null;
}

/** How long a copy of the key may live on in backups; the gateway log's is in no contract. */
async function horizonOf({ database, bundles }: RetentionParts, log: string): Promise<number | null> {
  const contract = log === gatewayLog ? null : await selectContract(database, log as ContractId);
  return contract && (await bundles.bundleOf(database, contract.id, contract.bundleDigest)).contract.purge.backupHorizonHours;
}

async function isPublished(database: Queryable, log: string, entry: string): Promise<boolean> {
  const [accepted, published] = [await selectAccepted(database, log, entry), await selectPublished(database, log)];
  return accepted !== null && accepted.index !== null && published !== null && accepted.index + accepted.position < published.size;
}
