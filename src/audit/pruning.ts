/**
 * Pruning of a log, as it is noted and done:  which month is over → what goes (a row in `pruning`) → the entry → `audit.prune`, one transaction.
 * The row is the intent: whoever comes after a crash goes on from it. What may be removed is the database's own rule (migration 0005).
 */
import { fromBase64Url, fromUtf8 } from "../crypto/index.ts";
import type { Queryable } from "../storage/index.ts";
import { treeOfTiles } from "./growing-tree.ts";
import { createKeyTable } from "./key-table.ts";
import { selectSubtreesAt } from "./postgres-tiles.ts";
import { hashesAt } from "./stored-tiles.ts";
import { tileWidth } from "./tiles.ts";

export interface PruningPlan {
  readonly log: string;
  /** `2023-09`: whose key of the details goes. */
  readonly month: string;
  /** The first place that stays, a multiple of 256. */
  readonly firstKept: number;
  /** Of the tree of what goes and what went before. */
  readonly root: Uint8Array;
  /** `w_… 17`: writers that go on behind the first kept place, and with which number. */
  readonly carried: readonly string[];
  /** The log that the entry is written to. */
  readonly entryLog: string;
}

/** `entryId` null: not written yet. */
export interface Pruning extends PruningPlan {
  readonly entryId: string | null;
}

export interface DueLog {
  readonly log: string;
  readonly origin: string;
  readonly state: "open" | "frozen";
  readonly minIndex: number;
  /** Of how many entries a checkpoint was published. */
  readonly published: number;
  /** The oldest whose retention is over. */
  readonly month: string;
  /** Whether its key is there still. */
  readonly keyed: boolean;
  /** One was begun, of whichever month, and is not done. */
  readonly begun: boolean;
}

/**
 * Logs with a month whose retention of so many months after its end is over: its key is there still, or a whole tile is of then or before; and logs with
 * a pruning that was begun. Not while the purge writes their end. `only`: that log alone.
 */
export async function selectDueLogs(database: Queryable, months: number, only: string | null = null): Promise<DueLog[]> {
  const rows = await database.query(dueText, [months, only]);
  return rows.map(([log, origin, state, minIndex, published, month, keyed, begun]) => ({
    log: String(log),
    origin: String(origin),
    state: state === "open" ? "open" : "frozen",
    minIndex: Number(minIndex),
    published: Number(published),
    month: String(month),
    keyed: keyed === true,
    begun: begun === true,
  }));
}

/** Months of a log that have a key still, oldest first, and when the retention of each is over (ISO 8601, UTC). */
export async function selectKeptMonths(database: Queryable, log: string, months: number): Promise<{ month: string; due: string }[]> {
  const rows = await database.query(keptText, [log, months]);
  return rows.map(([month, due]) => ({ month: String(month), due: new Date(Number(due)).toISOString() }));
}

/** The first place of a 256-wide tile in which something is younger than `month`, from `from` on; no further than what is published. */
export async function selectFirstKept(
  database: Queryable,
  log: string,
  month: string,
  { from, published }: { readonly from: number; readonly published: number },
): Promise<number> {
  const [year = 0, number = 0] = month.split("-").map(Number);
  const hex = Math.max(0, Date.UTC(year, number, 1))
    .toString(16)
    .padStart(12, "0");
  const [row] = await database.query(firstYoungerText, [log, from, `${hex.slice(0, 8)}-${hex.slice(8)}`]);
  const end = Math.min(published, row === undefined ? published : Number(row[0]));
  return Math.max(from, Math.floor(end / tileWidth) * tileWidth);
}

/** Roots of the 256-wide subtrees below a first kept place: what stays of a tree that was pruned. */
export async function readLeftEdge(database: Queryable, log: string, firstKept: number): Promise<Uint8Array[]> {
  const places = { from: 0, to: firstKept / tileWidth };
  return hashesAt(await selectSubtreesAt(database, log, places), places);
}

export function rootOfEdge(edge: readonly Uint8Array[]): Uint8Array {
  return treeOfTiles(edge).root();
}

const headsPage = 1_000;

/** Writers whose entries stand on both sides of `firstKept`: without their number a verifier could not tell them from ones that have lost an entry. */
export async function readCarried(database: Queryable, log: string, firstKept: number): Promise<string[]> {
  const met = createKeyTable();
  const carried: string[] = [];
  for (let from = firstKept; ; ) {
    const rows = await database.query(headsText, [log, from, headsPage]);
    for (const [index, head] of rows) {
      const { writer, n } = peekHead(String(head));
      if (writer === null || !met.numberOf(writer).isNew) continue;
      const first = n + Math.max(0, firstKept - Number(index));
      if (first > 0) carried.push(`${writer} ${first}`);
    }
    const last = rows.at(-1);
    if (last === undefined || rows.length < headsPage) return carried;
    from = Number(last[0]) + 1;
  }
}

/** Unverified: what is no head says nothing, and the verifier names it. */
function peekHead(jws: string): { readonly writer: string | null; readonly n: number } {
  try {
    const { writer, n } = JSON.parse(fromUtf8(fromBase64Url(jws.split(".")[1] ?? ""))) as Record<string, unknown>;
    return /^w_[a-z2-7]{16}$/.test(String(writer)) && Number.isSafeInteger(n) ? { writer: String(writer), n: Number(n) } : nobody;
  } catch {
    return nobody;
  }
}

const nobody = { writer: null, n: 0 } as const;

/** Notes what is meant to go. Nothing happens where one that was begun is not done. */
export async function beginPruning(database: Queryable, { log, month, firstKept, root, carried, entryLog }: PruningPlan): Promise<void> {
  await database.query(beginText, [log, month, firstKept, root, JSON.stringify(carried), entryLog]);
}

/** The one that was begun, for `leaseMs`. `null` = none, or another process has it. */
export async function takePruning(database: Queryable, log: string, leaseMs: number): Promise<Pruning | null> {
  const [row] = await database.query(takeText, [log, leaseMs]);
  if (!row) return null;
  const [month, firstKept, root, carried, entryLog, entryId] = row;
  return {
    log,
    month: String(month),
    firstKept: Number(firstKept),
    root: root instanceof Uint8Array ? root : new Uint8Array(),
    carried: JSON.parse(String(carried)) as readonly string[],
    entryLog: String(entryLog),
    entryId: typeof entryId === "string" ? entryId : null,
  };
}

export async function releasePruning(database: Queryable, log: string): Promise<void> {
  await database.query("update audit.pruning set lease_until = null where log = $1", [log]);
}

/** The entry stands: now it may be done. */
export async function notePruningEntry(database: Queryable, log: string, entryId: string): Promise<void> {
  await database.query("update audit.pruning set entry_id = $2 where log = $1 and not done", [log, entryId]);
}

/** Destroys the month's key, deletes, and raises the first kept place: all of it or nothing. */
export async function prune(database: Queryable, log: string): Promise<void> {
  await database.query("select audit.prune($1), now()", [log]);
}

/** The entry that says why a log begins where it does. `null` = nothing was pruned. */
export async function selectPruningProof(database: Queryable, log: string): Promise<{ log: string; entry: string } | null> {
  const [row] = await database.query("select proof_log, proof_id, now() from audit.pruning where log = $1 and proof_id is not null", [log]);
  return row ? { log: String(row[0]), entry: String(row[1]) } : null;
}

const isMonth = "k.purpose ~ '^[0-9]{4}-[0-9]{2}$'";
const dueText = `with past as (
    select newest, lpad(to_hex(greatest(0, (extract(epoch from (newest + interval '1 month') at time zone 'utc') * 1000)::bigint)), 12, '0') as hex
    from (select date_trunc('month', now() at time zone 'utc') - make_interval(months => 1 + $1::int) as newest) m)
  select l.log, l.origin, l.state, l.min_index, coalesce(c.size, 0), coalesce(k.month, to_char(newest, 'YYYY-MM')), k.month is not null, coalesce(p.begun, false), now()
  from past cross join audit.log l
  left join lateral (select size from audit.checkpoint where log = l.log order by size desc limit 1) c on true
  left join lateral (select min(k.purpose) as month from postern.audit_key k
    where k.log = l.log and ${isMonth} and k.purpose <= to_char(newest, 'YYYY-MM')) k on true
  left join lateral (select flush_id as last from audit.seq where log = l.log and index < l.min_index + ${tileWidth} order by index desc limit 1) t
    on l.min_index + ${tileWidth} <= c.size
  left join lateral (select not done as begun from audit.pruning where log = l.log) p on true
  where ($2::text is null or l.log = $2) and (k.month is not null or p.begun or t.last < left(hex, 8) || '-' || right(hex, 4))
    and not exists (select from postern.contract c where c.contract_id = l.log and c.state = 'purging')
  order by l.log`;
const keptText = `select k.purpose, (extract(epoch from (to_date(k.purpose, 'YYYY-MM') + make_interval(months => 1 + $2::int)) at time zone 'utc') * 1000)::float8, now()
  from postern.audit_key k where k.log = $1 and ${isMonth} order by k.purpose`;
/** By place, so that nothing younger stands before it, whatever name somebody gave a flush. Looks at what is going to go, and at one row more. */
const firstYoungerText = "select index, now() from audit.seq where log = $1 and index >= $2 and flush_id >= $3 order by index limit 1";
const headsText = `select s.index, f.head, now()
  from (select index, flush_id from audit.seq where log = $1 and index >= coalesce(
    (select index from audit.seq where log = $1 and index <= $2 order by index desc limit 1), 0) order by index limit $3) s
  left join lateral (select head from audit.flush where log = $1 and flush_id = s.flush_id limit 1) f on true
  order by s.index`;
const beginText = `insert into audit.pruning as p (log, month, first_kept, root, carried, entry_log, done) values ($1, $2, $3, $4, $5, $6, false)
  on conflict (log) do update set month = excluded.month, first_kept = excluded.first_kept, root = excluded.root, carried = excluded.carried,
    entry_log = excluded.entry_log, entry_id = null, done = false, lease_until = null where p.done`;
const takeText = `update audit.pruning set lease_until = now() + make_interval(secs => $2::float8 / 1000)
  where log = $1 and not done and (lease_until is null or lease_until < now())
  returning month, first_kept, root, carried, entry_log, entry_id`;
