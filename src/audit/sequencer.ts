/**
 * Numbers what was accepted and grows the tree:  lock the log's row → take pending → check → number → seq, subtrees, search → size, root, range, seal.
 * What is numbered is published by `publish.ts`, which holds it to the anchor, before and after.
 * A flush is numbered as a whole: its entries stand one after another, in the order that its writer signed.
 * Any number may run: a locked log is skipped. Holds the log key, which the edge does not. One short transaction a batch, row locks only.
 * Nothing is dropped silently: a flush that its writer did not sign is numbered all the same, and the verifier names it.
 * It builds only on what it signed itself: where the stored log is another one, it halts.
 */
import { equalBytes, fromUtf8, type Signer, toBase64 } from "../crypto/index.ts";
import { type Cell, DatabaseError, DatabaseUnavailable, type Queryable, type Row } from "../storage/index.ts";
import { type Entry, entrySchema } from "./entry.ts";
import { entriesOfFlush } from "./flush.ts";
import { LogHalted } from "./halted.ts";
import { type PublisherParts, publish, sealOf, signedNote, storedRange } from "./publish.ts";
import { insertSearch } from "./search.ts";
import { type CompactRange, emptyRange, extendRange, fullSubtrees, hashesToBytes, leafHash, rangeRoot } from "./tree.ts";
import { clearHalt, msOfFlush, recordHalt, selectUnfinished } from "./upkeep.ts";

/** At once: so few, and so little, that nobody waits long behind them. A flush that is larger goes alone. */
const flushesMax = 32;
const bytesMax = 131_072;
const subtreeWidth = 256;
const uniqueViolation = "23505";

/** Of them before a checkpoint: under a flow that never ends, heads are signed all the same. */
const batchesMax = 16;

export interface Sequencer {
  /**
   * Numbers and publishes everything that pends in `log`, or in all logs; then publishes what another one numbered and did not come to publish.
   * Answers how many entries it numbered. Throws LogHalted, after the other logs had their turn.
   */
  run(log?: string): Promise<number>;
  /** Holds every log that was ever published to its anchor, quiet ones and dropped ones too. Throws LogHalted, after all had their turn. */
  patrol(): Promise<void>;
}

export function createSequencer(parts: PublisherParts): Sequencer {
  const { database, signer } = parts;
  const batch = (log: string) =>
    database
      .transaction((tx) => integrate(tx, log, signer))
      .catch((error: unknown) => {
        // The place is held by the log's row, so only a row that nobody signed can stand in it already.
        const occupied = error instanceof DatabaseError && error.sqlState === uniqueViolation;
        throw occupied ? new LogHalted(log, "a row stands where the next one belongs") : error;
      });
  /** Nothing is built on a log that was set back: it is held to the anchor first. */
  const drain = async (log: string): Promise<number> => {
    let total = 0;
    await publish(parts, log);
    for (let more = true; more; ) {
      for (let i = 0; more && i < batchesMax; i++) {
        const turn = await batch(log);
        total += turn.numbered;
        more = turn.more;
      }
      if (total > 0) await publish(parts, log);
    }
    return total;
  };
  const orHalt = async <Done>(log: string, work: (log: string) => Promise<Done>): Promise<Done> => {
    try {
      const done = await work(log);
      await clearHalt(database, log);
      return done;
    } catch (error) {
      if (error instanceof LogHalted) await recordHalt(database, error);
      throw error;
    }
  };
  return {
    async run(log) {
      if (log !== undefined) return orHalt(log, drain);
      let total = 0;
      await forEach(await selectUnfinished(database), async (name) => {
        total += await orHalt(name, drain);
      });
      return total;
    },
    patrol: async () => forEach(await parts.anchor.logs(), (name) => orHalt(name, (log) => publish(parts, log))),
  };
}

/** One log's fault does not hold up the others; a database that is gone holds up all. Throws the first of them. */
async function forEach(logs: readonly string[], work: (log: string) => Promise<void>): Promise<void> {
  const faults: unknown[] = [];
  for (const log of logs) {
    try {
      await work(log);
    } catch (fault) {
      if (fault instanceof DatabaseUnavailable) throw fault;
      faults.push(fault);
    }
  }
  if (faults.length > 0) throw faults[0];
}

/** A waiting flush. `fresh`: it has no places yet, and its row is there. */
interface Pending {
  readonly id: string;
  readonly fresh: boolean;
  readonly entries: readonly Uint8Array[];
}

/** Crash order: all or nothing in one transaction. Then it is numbered and sealed, and whoever comes next publishes it. */
async function integrate(tx: Queryable, log: string, signer: Signer): Promise<{ more: boolean; numbered: number }> {
  const [locked] = await tx.query("select state, origin, size, root, range, now() from audit.log where log = $1 for update skip locked", [
    log,
  ]);
  if (locked?.[0] !== "open") return { more: false, numbered: 0 };
  const origin = String(locked[1]);
  const range = await baseOf(tx, log, locked, signer);

  const rows = await tx.query(pendingText, [log, flushesMax, bytesMax]);
  const taken = rows.map(readPending);
  const more = rows.some(([, , , found]) => found === flushesMax || Number(found) > taken.length);
  if (taken.length > 0) await tx.query(clearText, [log, JSON.stringify(taken.map(({ id }) => id))]);
  const fresh = taken.filter((flush) => flush.fresh);
  const entries = fresh.flatMap((flush) => flush.entries);
  const last = entries.at(-1);
  if (last === undefined) return { more, numbered: 0 };

  const until = msOfFlush(taken.at(-1)?.id ?? "");
  await numberFlushes(tx, { log, origin, range, signer }, { flushes: fresh, until, closing: readEntry(last)?.event === "purge.verified" });
  return { more, numbered: entries.length };
}

/** A log whose row is locked, as far as it is numbered. */
export interface LockedLog {
  readonly log: string;
  readonly origin: string;
  readonly range: CompactRange;
  readonly signer: Signer;
}

interface Numbering {
  readonly flushes: readonly Pick<Pending, "id" | "entries">[];
  /** Milliseconds: everything accepted before has its place now. */
  readonly until: number;
  readonly closing: boolean;
}

/** Gives the flushes the next places, and seals. Answers the range that the log has then. */
export async function numberFlushes(
  tx: Queryable,
  { log, origin, range, signer }: LockedLog,
  { flushes, until, closing }: Numbering,
): Promise<CompactRange> {
  const entries = flushes.flatMap((flush) => flush.entries);
  const leaves = entries.map(leafHash);
  const grown = extendRange(range, leaves);
  await tx.query(sequenceText, [log, JSON.stringify(placed(flushes, leaves, range.size))]);
  await insertSubtrees(tx, log, range, leaves);
  await insertSearch(tx, log, range.size, entries);
  const seal = await sealOf(origin, grown, signer);
  await advance(tx, log, { range: grown, seal, until, closing });
  return grown;
}

/** One row of seq for each flush: they stand one after another from `size` on. */
function placed(flushes: Numbering["flushes"], leaves: readonly Uint8Array[], size: number) {
  let from = 0;
  return flushes.map(({ id, entries }) => {
    const hashes = hashesToBytes(leaves.slice(from, from + entries.length));
    const row = { index: size + from, id, hashes: toBase64(hashes) };
    from += entries.length;
    return row;
  });
}

/** Throws LogHalted. A row that we left behind is what the newest checkpoint says, to the byte, or what was sealed since. */
export async function baseOf(
  tx: Queryable,
  log: string,
  [, origin, sizeCell, root, rangeBytes]: Row,
  signer: Signer,
): Promise<CompactRange> {
  const size = Number(sizeCell);
  const range = size === 0 ? emptyRange : storedRange(log, size, rangeBytes, root);
  const [newest] = await tx.query(newestText, [log, size]);
  const [published = null, note = null, occupied = null, seal] = newest ?? [];
  if (occupied !== null) throw new LogHalted(log, "a row stands where the next one belongs");
  const isNoted = size === 0 ? note === null : note === (await signedNote(String(origin), range, signer));
  const isSealed = size > Number(published) && equalBytes(bytesOf(seal), await sealOf(String(origin), range, signer));
  if (!isNoted && !isSealed) throw new LogHalted(log, "its row is not what its newest checkpoint says");
  return range;
}

function bytesOf(cell: Cell | undefined): Uint8Array {
  return cell instanceof Uint8Array ? cell : new Uint8Array();
}

function readPending([id, stored, index]: Row): Pending {
  const entries = stored instanceof Uint8Array ? entriesOfFlush(stored) : [];
  return { id: String(id), fresh: index === null && entries.length > 0, entries };
}

interface Advance extends Pick<Numbering, "until" | "closing"> {
  readonly range: CompactRange;
  readonly seal: Uint8Array;
}

/** The purge's last entry freezes the log in the transaction that numbers it, so that no export ever sees one without the other. Only a purge can have it. */
async function advance(tx: Queryable, log: string, { range, seal, until, closing }: Advance): Promise<void> {
  await tx.query(advanceText, [log, range.size, rangeRoot(range), hashesToBytes(range.hashes), closing, seal, until]);
}

/** Roots of the 256-wide subtrees that became full. */
async function insertSubtrees(tx: Queryable, log: string, range: CompactRange, leaves: readonly Uint8Array[]): Promise<void> {
  const first = Math.floor(range.size / subtreeWidth);
  for (const [i, root] of fullSubtrees(range, leaves, subtreeWidth).entries()) {
    await tx.query("insert into audit.subtree (log, index, root) values ($1, $2, $3)", [log, first + i, root]);
  }
}

/** `null` = not an entry we would have written; it stays in the tree as evidence. */
export function readEntry(bytes: Uint8Array): Entry | null {
  try {
    const parsed = entrySchema.safeParse(JSON.parse(fromUtf8(bytes)));
    return parsed.success ? parsed.data : null;
  } catch {
    return null;
  }
}

// Each row is looked up by its key: over columns without statistics the planner would rather read whole tables.
/** UUIDv7 ids of one writer's flushes rise with its numbers, so this order keeps its chain. */
const pendingText = `select flush_id, entries, index, found, now() from (
  select p.flush_id, f.entries, s.index, (count(*) over ())::int as found,
    coalesce(sum(length(f.entries)) over (order by p.flush_id), 0) - coalesce(length(f.entries), 0) as before
  from (select flush_id from audit.pending where log = $1 order by flush_id limit $2) p
  left join lateral (select entries from audit.flush where log = $1 and flush_id = p.flush_id limit 1) f on true
  left join lateral (select index from audit.seq where log = $1 and flush_id = p.flush_id limit 1) s on true
) waiting where before < $3 order by flush_id`;
const clearText = "delete from audit.pending where log = $1 and flush_id = any(array(select jsonb_array_elements_text($2::text::jsonb)))";
const newestText = `select c.size, c.note, (select index from audit.seq where log = $1 and index >= $2 order by index limit 1),
    (select seal from audit.upkeep where log = $1), now()
  from (select 1) one left join lateral (select size, note from audit.checkpoint where log = $1 order by size desc limit 1) c on true`;
const advanceText = `with grown as (
    update audit.log set size = $2, root = $3, range = $4,
      state = case when $5 and exists (select from postern.contract where contract_id = $1 and state = 'purging') then 'frozen' else state end
    where log = $1
  )
  insert into audit.upkeep as u (log, seal, numbered_until) values ($1, $6, least(now(), to_timestamp($7::float8 / 1000)))
  on conflict (log) do update set seal = excluded.seal, numbered_until = greatest(u.numbered_until, excluded.numbered_until)`;
const sequenceText = `insert into audit.seq (log, index, flush_id, leaf_hashes)
  select $1, e.index, e.id, decode(e.hashes, 'base64') from jsonb_to_recordset($2::text::jsonb) as e(index bigint, id text, hashes text)`;
