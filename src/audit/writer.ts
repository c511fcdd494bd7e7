/**
 * Durable intake:  queue → flush (number, chain, tree, one signed head) → one INSERT → receipts.
 * A flush takes whatever queued meanwhile: no timer, no added latency when idle.
 * On Workers a writer lives for one request and a flush holds one entry.
 * It never reads the log, and does not number the log's leaves: the sequencer does.
 */
import { V7Generator } from "uuidv7";
import { type Aead, randomBytes, type Signer, toBase32, toBase64, utf8 } from "../crypto/index.ts";
import { canonicalJson } from "../kernel/index.ts";
import { type AuditKeys, monthOf } from "../keys/index.ts";
import { DatabaseUnavailable, inBatches, type Queryable } from "../storage/index.ts";
import { type Composition, composeEntry } from "./compose.ts";
import { type Entry, entryBytesMax } from "./entry.ts";
import { isSameLog } from "./epoch.ts";
import { flushEntriesMax, type StoredFlush } from "./flush.ts";
import { signHead } from "./head.ts";
import { type AuditLog, AuditUnavailable, type DurableReceipt, type EntryDraft, type LogHandle } from "./log.ts";
import { encodeEntries } from "./tiles.ts";
import { hashesToBytes, hashTree, inclusionProof, leafHash, rootAt } from "./tree.ts";
import { isLateText } from "./upkeep.ts";

const queueEntriesMax = 2_048;
/** Of one log and process; as many flushes are under way at once. */
const writersMax = 4;
const retryWithinMs = 1_000;
/** So often in a row a log may turn out to have another name. */
const originsMax = 3;
/** Past which readiness fails as well. */
const clockApartSecondsMax = 60;

export interface WriterParts {
  readonly database: Queryable;
  readonly aead: Aead;
  readonly signer: Signer;
  readonly auditKeys: AuditKeys;
  /** Milliseconds. */
  readonly now: () => number;
  /** What its heads promise. */
  readonly mergeDelaySeconds: number;
  /** Nothing is taken in where an entry of the log waits for longer. Default: there is no such limit, as for those who mend it. */
  readonly stopsAfterSeconds?: number | undefined;
  /** How far its clock may be from the database's, which decides what time it is: nothing is taken in with a time of another. Default: a minute. */
  readonly clockApartSecondsMax?: number | undefined;
  /** Where it remembers what logs call themselves; several in turn may share one. */
  readonly origins?: LogOrigins | undefined;
}

/** By log: the origin in its row, where it is another one than its first epoch's. */
export type LogOrigins = Map<string, string>;

/** An entry in the queue. */
interface Stamped {
  readonly draft: EntryDraft;
  readonly parts: Omit<Composition, "origin" | "aead">;
}

export function createAuditWriter({ origins = new Map(), ...parts }: WriterParts): AuditLog {
  const queues = new Map<string, WriterQueue>();
  return {
    async append(handle, draft) {
      let queue = queues.get(handle.log);
      if (!queue) {
        queue = new WriterQueue({ ...parts, origins }, handle);
        queues.set(handle.log, queue);
      }
      return queue.append(draft, handle.pseudonymKey);
    },
  };
}

/** One log as this process writes it: a few writers, each with a chain of its own, so that one flush need not wait for another's disk. */
class WriterQueue {
  readonly #parts: WriterParts & { readonly origins: LogOrigins };
  readonly #handle: LogHandle;
  readonly #enqueue: (entry: Stamped) => Promise<DurableReceipt>;
  /** Of the writers that have nothing under way. */
  readonly #resting: Chain[] = [];
  readonly #ids = new V7Generator();
  #waiting = 0;
  /** Of the newest entry that was given a time, and of the newest that was stored. */
  #lastMs = 0;
  #storedMs = 0;

  constructor(parts: WriterParts & { readonly origins: LogOrigins }, handle: LogHandle) {
    this.#parts = parts;
    this.#handle = handle;
    this.#enqueue = inBatches((entries) => this.#flush(entries), { batchMax: flushEntriesMax, underWayMax: writersMax });
  }

  async append(draft: EntryDraft, pseudonymKey: Uint8Array): Promise<DurableReceipt> {
    const { auditKeys, database, now } = this.#parts;
    const month = monthOf(new Date(now()));
    const auditKey = await auditKeys.keyOf(database, this.#handle.log, month).catch((cause) => {
      throw new AuditUnavailable("the log's key is not available", cause);
    });
    if (this.#waiting >= queueEntriesMax) throw new AuditUnavailable("the log's queue is full");
    const entry = this.#stamp(draft, { pseudonymKey, auditKey, month });
    this.#waiting++;
    try {
      return await this.#enqueue(entry);
    } catch (cause) {
      throw cause instanceof AuditUnavailable ? cause : new AuditUnavailable("the entry may not be durable", cause);
    } finally {
      this.#waiting--;
    }
  }

  /** Id and time are of one moment, given in the order of the queue: both rise with a writer's numbers, whatever the clock does. */
  #stamp(draft: EntryDraft, keys: { pseudonymKey: Uint8Array; auditKey: Uint8Array; month: string }): Stamped {
    this.#lastMs = Math.max(this.#lastMs, this.#parts.now());
    const time = new Date(this.#lastMs).toISOString();
    const id = this.#ids.generateOrResetWithTs(this.#lastMs).toString();
    return { draft, parts: { ...keys, id, time } };
  }

  /** Crash order: nothing is confirmed before the INSERT commits; after a failed or uncertain one this writer's id is never used again. */
  async #flush(entries: readonly Stamped[]): Promise<DurableReceipt[]> {
    const begun = this.#resting.pop() ?? freshChain();
    let chain = begun;
    try {
      const sealed = await this.#store(entries, begun);
      this.#storedMs = Math.max(this.#storedMs, ...entries.map(({ parts }) => Date.parse(parts.time)));
      chain = sealed.chain;
      return sealed.receipts;
    } catch (error) {
      chain = successorOf(begun);
      throw error;
    } finally {
      this.#resting.push(chain);
    }
  }

  /** A log that calls itself otherwise than was thought has begun a new epoch: nothing was stored, and everything is sealed again for that one. */
  async #store(entries: readonly Stamped[], begun: Chain): Promise<SealedFlush> {
    const { origins } = this.#parts;
    const { log, base } = this.#handle;
    let chain = begun;
    for (let attempt = 1; attempt <= originsMax; attempt++) {
      const named = origins.get(log) ?? base;
      // A row that somebody renamed takes entries all the same: the sequencer halts over it, and the verifier says so.
      const origin = isSameLog(named, base) ? named : base;
      // A chain ends with its epoch, and its successor names none: what was confirmed of it may be among what is lost.
      if (chain.origin !== undefined && chain.origin !== origin) chain = freshChain();
      const sealed = await sealFlush(this.#parts, { origin, entries, begun: chain });
      const found = await this.#insert(sealed.flush, { named, time: entries.at(-1)?.parts.time ?? "" });
      if (found === named) return sealed;
      origins.set(log, found);
    }
    throw new AuditUnavailable("the log changes its name");
  }

  /** Answers what the log calls itself; where that is not `named`, nothing was stored. A connection that was lost at once is tried once more with identical bytes: a row that stands is left alone. A hung one has used up the time there is. */
  async #insert({ id, head, entries }: StoredFlush, { named, time }: { readonly named: string; readonly time: string }): Promise<string> {
    const { database, stopsAfterSeconds = null, clockApartSecondsMax: apartMax = clockApartSecondsMax } = this.#parts;
    const params = [this.#handle.log, id, head, entries, stopsAfterSeconds, named, time, apartMax] as const;
    const begun = this.#parts.now();
    let uncertain = false;
    const states = await database.query(insertText, params).catch((error) => {
      uncertain = error instanceof DatabaseUnavailable && this.#parts.now() - begun < retryWithinMs;
      if (!uncertain) throw error;
      return database.query(insertText, params);
    });
    const [state, commit, late, apart, found] = states[0] ?? [];
    if (uncertain && found !== named) throw new AuditUnavailable("the log changed its name, and the entry may be in it under the old one");
    if (late === true) throw new AuditUnavailable("the log is not numbered any more");
    if (apart === true) {
      // A clock that leapt ahead and came back gives times again.
      this.#lastMs = this.#storedMs;
      throw new AuditUnavailable("the clock is not the database's");
    }
    if (state !== "open") throw new AuditUnavailable("the log is not open");
    // Every role may change its own settings, and with this one a commit is answered before it is on disk.
    if (commit === "off") throw new AuditUnavailable("the database's synchronous_commit is off");
    return String(found);
  }
}

/** `receipts` count once `flush` is durable; `chain` is how the writer goes on then. */
interface SealedFlush {
  readonly flush: StoredFlush;
  readonly receipts: DurableReceipt[];
  readonly chain: Chain;
}

interface Chain {
  readonly id: string;
  readonly next: number;
  readonly prev: string | undefined;
  readonly after: { readonly id: string; readonly n: number } | undefined;
  /** In which epoch it, or the writer that it names, has written. */
  readonly origin: string | undefined;
}

interface Flushing {
  /** Of the log's epoch. */
  readonly origin: string;
  readonly entries: readonly Stamped[];
  readonly begun: Chain;
}

/** What a flush is sealed with. */
export type SealingParts = Pick<WriterParts, "aead" | "mergeDelaySeconds" | "now" | "signer">;

async function sealFlush(
  { aead, mergeDelaySeconds: mmd, now, signer }: SealingParts,
  { origin, entries, begun }: Flushing,
): Promise<SealedFlush> {
  let chain = begun;
  const sealed = entries.map(({ draft, parts }) => {
    const entry = composeEntry(draft, { ...parts, origin, aead });
    const bytes = utf8(canonicalJson({ ...entry, writer: linkOf(chain) }));
    if (bytes.length > entryBytesMax) throw new AuditUnavailable("the entry is too long");
    const hash = leafHash(bytes);
    chain = { id: chain.id, next: chain.next + 1, prev: toBase64(hash), after: undefined, origin };
    return { id: entry.id, bytes, hash };
  });
  const tree = hashTree(sealed.map((entry) => entry.hash));
  const head = await signHead({ origin, writer: chain.id, n: begun.next, size: sealed.length, root: rootAt(tree), t: now(), mmd }, signer);
  const flush = { id: sealed[0]?.id ?? "", head, entries: encodeEntries(sealed.map(({ bytes }) => bytes)) };
  const receipts = sealed.map(
    ({ id }, position) =>
      ({ jws: head, id, position, path: hashesToBytes(inclusionProof(tree, position)), flush: flush.id }) as DurableReceipt,
  );
  return { flush, receipts, chain };
}

/** A flush of one entry that names nobody, by a writer of its own: the first of an epoch, which is numbered as it is stored. */
export async function sealAlone(
  parts: SealingParts,
  origin: string,
  draft: EntryDraft & { readonly actor: { readonly role: "system" } },
): Promise<StoredFlush> {
  const at = parts.now();
  const nobody = { pseudonymKey: new Uint8Array(), auditKey: new Uint8Array(), month: monthOf(new Date(at)) };
  const stamped = {
    draft,
    parts: { ...nobody, id: new V7Generator().generateOrResetWithTs(at).toString(), time: new Date(at).toISOString() },
  };
  const { flush } = await sealFlush(parts, { origin, entries: [stamped], begun: freshChain() });
  return flush;
}

/** Names the last writer of which something was confirmed: one that failed with its first entry must not hide the one before it. */
function successorOf({ id, next, after, origin }: Chain): Chain {
  return { ...freshChain(), after: next === 0 && after ? after : { id, n: next - 1 }, origin };
}

function freshChain(): Chain {
  return { id: `w_${toBase32(randomBytes(10))}`, next: 0, prev: undefined, after: undefined, origin: undefined };
}

function linkOf({ id, next, prev, after }: Chain): Entry["writer"] {
  return { after, id, n: next, prev };
}

/** Flush and pending in one statement, so that neither stands without the other. The edge sees no more of a log than this asks for. */
const insertText = `with asked as (
  select l.log, l.state, l.origin, $5::int is not null and ${isLateText("l.log", "u.numbered_until", "$5::int")} as late,
    abs(extract(epoch from now() - $7::timestamptz)) > $8::int as apart
  from audit.log l left join audit.upkeep u on u.log = l.log where l.log = $1
), target as (select log from asked where state = 'open' and not late and not apart and origin = $6),
flush as (
  insert into audit.flush (log, flush_id, head, entries) select log, $2::text, $3::text, $4::bytea from target on conflict do nothing
), pending as (
  insert into audit.pending (log, flush_id) select log, $2::text from target on conflict do nothing
)
select state, current_setting('synchronous_commit'), late, apart, origin, now() from asked`;
