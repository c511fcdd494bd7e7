/**
 * From a promise to a receipt:  enter → find the entry → wait until it is numbered, where the caller would → prove → log this reading → answer
 * Owners and officers get any entry's, an agent that of what they did themselves: an entry of somebody else's is not there for them.
 */
import {
  type AcceptedEntry,
  type AuditPromise,
  actorPseudonym,
  formatPromise,
  formatReceipt,
  hashesToBytes,
  hashTree,
  inclusionProof,
  leafHash,
  readEntry,
  readInclusion,
  selectAccepted,
  selectLog,
  selectPublishedOver,
} from "../audit/index.ts";
import { type ContractId, ok, type Refusal, type Result, refuse } from "../kernel/index.ts";
import { type Entered, enterContract, type Visit } from "../offices/index.ts";
import { type LogDesk, logReading } from "./read-log.ts";
import { sequenced } from "./sequenced.ts";

export interface ReceiptAsk {
  readonly contract: ContractId;
  /** The entry's id, as the promise names it. */
  readonly entry: string;
  /** How long the caller would rather wait than get the promise again. */
  readonly waitMs: number;
}

/** `receipt` null: accepted, and without its place so far; the promise still stands. */
export interface Receipted {
  readonly promise: string;
  readonly receipt: string | null;
  /** Whether the wait was entered into. */
  readonly waited: boolean;
}

/** One wait looks at the database ten times a second. */
const waitersMax = 64;

/** One for a process: it counts who waits. */
export function createReceipts(desk: LogDesk): (visit: Visit, ask: ReceiptAsk) => Promise<Result<Receipted, Refusal>> {
  let waiters = 0;
  return async (visit, { contract, entry, waitMs }) => {
    const entered = await enterContract(desk, visit, contract);
    if (!entered.ok) return entered;
    const asked = await selectAccepted(desk.database, contract, entry);
    const found = asked !== null && mayHave(entered.value, asked) ? asked : null;
    if (found !== null && (await isPruned(desk, contract, found))) {
      await logReading(desk, visit, entered.value, { code: "receipt", found: false });
      return refuse({ code: "pruned", errors: [{ pointer: "path:entry", code: "pruned" }] });
    }
    await logReading(desk, visit, entered.value, { code: "receipt", found: found !== null });
    if (found === null) return refuse({ code: "not_found" });

    const promise = promiseOf(found, entry);
    const first = await receiptOf(desk, contract, found, promise);
    const waits = first === null && waitMs > 0 && waiters < waitersMax;
    if (!waits) return ok({ promise: formatPromise(promise), receipt: first, waited: false });
    waiters++;
    try {
      await sequenced(desk, { log: contract, flush: found.flush, withinMs: waitMs });
    } finally {
      waiters--;
    }
    const numbered = await selectAccepted(desk.database, contract, entry);
    return ok({ promise: formatPromise(promise), receipt: numbered && (await receiptOf(desk, contract, numbered, promise)), waited: true });
  };
}

/** Of a flush that reaches over the first kept place the bytes are there for a while, and the hashes beside them are not. */
async function isPruned({ database }: LogDesk, log: string, { index, position }: AcceptedEntry): Promise<boolean> {
  return index !== null && index + position < ((await selectLog(database, log))?.minIndex ?? 0);
}

function mayHave({ actor, log }: Entered, { entries, position }: AcceptedEntry): boolean {
  if (actor.role !== "agent") return true;
  const entry = readEntry(entries[position] ?? new Uint8Array(0));
  return entry?.actor.id === actorPseudonym(log.pseudonymKey, actor);
}

/** The same that the answer carried: a flush's head and entries give it again. */
export function promiseOf({ head, entries, position }: AcceptedEntry, id: string): AuditPromise {
  return { jws: head, id, position, path: hashesToBytes(inclusionProof(hashTree(entries.map(leafHash)), position)) };
}

/** `null` = it has no place in a published tree so far. */
export async function receiptOf(
  { database }: Pick<LogDesk, "database">,
  log: string,
  { entries, position, index: first }: AcceptedEntry,
  promise: AuditPromise,
): Promise<string | null> {
  const index = (first ?? 0) + position;
  const published = first === null ? null : await selectPublishedOver(database, log, index);
  if (published === null) return null;
  const leaf = leafHash(entries[position] ?? new Uint8Array(0));
  const hashes = await readInclusion(database, log, index, published.size);
  return formatReceipt({ index, leaf, promise, hashes, checkpoint: published.note });
}
