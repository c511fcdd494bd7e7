/**
 * Numbers what was accepted and grows the tree:  lock the log's row → take pending → check → number → seq, subtrees, search → size, root, range → checkpoint.
 * A flush is numbered as a whole: its entries stand one after another, in the order that its writer signed.
 * Any number may run: a locked log is skipped. Holds the log key, which the edge does not. One short transaction a log, row locks only.
 * Nothing is dropped silently: a flush that its writer did not sign is numbered all the same, and the verifier names it.
 * It builds only on what it signed itself: where the stored log is another one, it halts.
 */
import { equalBytes, fromUtf8, type Signer, toBase64 } from "../crypto/index.ts";
import { type Cell, type Database, DatabaseError, DatabaseUnavailable, type Queryable, type Row } from "../storage/index.ts";
import { signCheckpoint } from "./checkpoint.ts";
import { type Entry, entrySchema } from "./entry.ts";
import { entriesOfFlush } from "./flush.ts";
import { insertSearch } from "./search.ts";
import { type CompactRange, emptyRange, extendRange, fullSubtrees, hashesToBytes, leafHash, parseRange, rangeRoot } from "./tree.ts";

/** At once: few enough that nobody waits long behind them. */
const flushesMax = 32;
const subtreeWidth = 256;
const uniqueViolation = "23505";

export interface Sequencer {
  /** Numbers everything that pends in `log`, or in all logs. Answers how many entries it numbered. Throws LogHalted, after the other logs had their turn. */
  run(log?: string): Promise<number>;
}

/** The stored log is not the one that was signed last: somebody changed the database, and nothing is numbered on top of that. */
export class LogHalted extends Error {
  constructor(log: string, reason: string) {
    super(`log ${log} is halted: ${reason}`);
    this.name = "LogHalted";
  }
}

export function createSequencer({ database, signer }: { database: Database; signer: Signer }): Sequencer {
  const drain = async (log: string): Promise<number> => {
    let total = 0;
    for (;;) {
      const { taken, numbered } = await database
        .transaction((tx) => integrate(tx, log, signer))
        .catch((error: unknown) => {
          // The place is held by the log's row, so only a row that nobody signed can stand in it already.
          const occupied = error instanceof DatabaseError && error.sqlState === uniqueViolation;
          throw occupied ? new LogHalted(log, "a row stands where the next one belongs") : error;
        });
      total += numbered;
      if (taken < flushesMax) return total;
    }
  };
  return {
    async run(log) {
      if (log !== undefined) return drain(log);
      const rows = await database.query("select distinct log, now() from audit.pending");
      let total = 0;
      const failures: unknown[] = [];
      for (const [name] of rows) {
        try {
          total += await drain(String(name));
        } catch (error) {
          if (error instanceof DatabaseUnavailable) throw error;
          failures.push(error);
        }
      }
      if (failures.length > 0) throw failures[0];
      return total;
    },
  };
}

/** A waiting flush. `fresh`: it has no places yet, and its row is there. */
interface Pending {
  readonly id: string;
  readonly fresh: boolean;
  readonly entries: readonly Uint8Array[];
}

/** Crash order: all or nothing in one transaction; Ed25519 is deterministic, so a repeat signs the same note. */
async function integrate(tx: Queryable, log: string, signer: Signer): Promise<{ taken: number; numbered: number }> {
  const [locked] = await tx.query("select state, origin, size, root, range, now() from audit.log where log = $1 for update skip locked", [
    log,
  ]);
  if (locked?.[0] !== "open") return { taken: 0, numbered: 0 };
  const origin = String(locked[1]);
  const range = await baseOf(tx, log, locked, signer);
  const { size } = range;

  const taken = (await tx.query(pendingText, [log, flushesMax])).map(readPending);
  if (taken.length > 0) await tx.query(clearText, [log, JSON.stringify(taken.map(({ id }) => id))]);
  const fresh = taken.filter((flush) => flush.fresh);
  const entries = fresh.flatMap((flush) => flush.entries);
  const last = entries.at(-1);
  if (last === undefined) return { taken: taken.length, numbered: 0 };

  const leaves = entries.map(leafHash);
  const grown = extendRange(range, leaves);
  await tx.query(sequenceText, [log, JSON.stringify(placed(fresh, leaves, size))]);
  await insertSubtrees(tx, log, range, leaves);
  await insertSearch(tx, log, size, entries);
  await advance(tx, log, grown, readEntry(last)?.event === "purge.verified");
  const note = await signCheckpoint({ origin, size: grown.size, root: rangeRoot(grown), extensions: [] }, signer);
  await tx.query("insert into audit.checkpoint (log, size, note) values ($1, $2, $3)", [log, grown.size, note]);
  return { taken: taken.length, numbered: entries.length };
}

/** One row of seq for each flush: they stand one after another from `size` on. */
function placed(flushes: readonly Pending[], leaves: readonly Uint8Array[], size: number) {
  let from = 0;
  return flushes.map(({ id, entries }) => {
    const hashes = hashesToBytes(leaves.slice(from, from + entries.length));
    const row = { index: size + from, id, hashes: toBase64(hashes) };
    from += entries.length;
    return row;
  });
}

/** Ed25519 is deterministic: of a row that we left behind, the newest checkpoint is byte for byte the note that we sign now. */
async function baseOf(tx: Queryable, log: string, [, origin, sizeText, root, rangeBytes]: Row, signer: Signer): Promise<CompactRange> {
  const size = Number(sizeText);
  const range = size === 0 ? emptyRange : parseRange(size, bytesOf(rangeBytes));
  if (!range) throw new LogHalted(log, "its compact range does not fit its size");
  if (!equalBytes(rangeRoot(range), bytesOf(root))) throw new LogHalted(log, "its compact range does not give its root");
  const [newest] = await tx.query(newestText, [log, size]);
  const signed = size === 0 ? null : await signCheckpoint({ origin: String(origin), size, root: rangeRoot(range), extensions: [] }, signer);
  if (newest?.[1] !== null) throw new LogHalted(log, "a row stands where the next one belongs");
  if (newest[0] !== signed) throw new LogHalted(log, "its row is not what its newest checkpoint says");
  return range;
}

function bytesOf(cell: Cell | undefined): Uint8Array {
  return cell instanceof Uint8Array ? cell : new Uint8Array();
}

function readPending([id, stored, index]: Row): Pending {
  const entries = stored instanceof Uint8Array ? entriesOfFlush(stored) : [];
  return { id: String(id), fresh: index === null && entries.length > 0, entries };
}

/** The purge's last entry freezes the log in the transaction that numbers it, so that no export ever sees one without the other. Only a purge can have it. */
async function advance(tx: Queryable, log: string, range: CompactRange, closing: boolean): Promise<void> {
  await tx.query(
    `update audit.log set size = $2, root = $3, range = $4,
       state = case when $5 and exists (select from postern.contract where contract_id = $1 and state = 'purging') then 'frozen' else state end
     where log = $1`,
    [log, range.size, rangeRoot(range), hashesToBytes(range.hashes), closing],
  );
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
const pendingText = `select p.flush_id, f.entries, s.index, now()
  from (select flush_id from audit.pending where log = $1 order by flush_id limit $2) p
  left join lateral (select entries from audit.flush where log = $1 and flush_id = p.flush_id limit 1) f on true
  left join lateral (select index from audit.seq where log = $1 and flush_id = p.flush_id limit 1) s on true
  order by p.flush_id`;
const clearText = "delete from audit.pending where log = $1 and flush_id = any(array(select jsonb_array_elements_text($2::text::jsonb)))";
const newestText = `select (select note from audit.checkpoint where log = $1 order by size desc limit 1),
  (select index from audit.seq where log = $1 and index >= $2 order by index limit 1), now()`;
const sequenceText = `insert into audit.seq (log, index, flush_id, leaf_hashes)
  select $1, e.index, e.id, decode(e.hashes, 'base64') from jsonb_to_recordset($2::text::jsonb) as e(index bigint, id text, hashes text)`;
