/**
 * What the keeper notes of each log, for itself, the edge and the doctor: how far it is numbered, whether it is halted. Derived: it proves nothing.
 *
 * Freshness is the age of the oldest entry that waits, and nothing else: a quiet log is fresh.
 */
import type { Queryable } from "../storage/index.ts";
import type { LogHalted } from "./halted.ts";

/** How long an accepted entry may wait to be numbered: what the operator decides, for edge and keeper alike. */
export interface Freshness {
  /** Maximum merge delay, which every head promises; past it the promise is broken and readiness fails. */
  readonly mergeDelaySeconds: number;
  /** Past it the edge stops disclosing. Longer than the merge delay. */
  readonly disclosureStopsSeconds: number;
}

/** For the operator: `/readyz` and the doctor show it. Kept until the log goes on. */
export async function recordHalt(database: Queryable, { log, reason }: LogHalted): Promise<void> {
  await database.query(
    `insert into audit.upkeep as u (log, halted) values ($1, $2)
     on conflict (log) do update set halted = excluded.halted where u.halted is distinct from excluded.halted`,
    [log, reason],
  );
}

export async function clearHalt(database: Queryable, log: string): Promise<void> {
  await database.query("update audit.upkeep set halted = null where log = $1 and halted is not null", [log]);
}

export async function selectHalted(database: Queryable): Promise<{ log: string; reason: string }[]> {
  const rows = await database.query("select log, halted, now() from audit.upkeep where halted is not null order by log");
  return rows.map(([log, reason]) => ({ log: String(log), reason: String(reason) }));
}

/** Open logs in which an entry waits for longer than was promised. */
export async function selectLate(database: Queryable, { mergeDelaySeconds }: Pick<Freshness, "mergeDelaySeconds">): Promise<string[]> {
  const rows = await database.query(lateText, [mergeDelaySeconds]);
  return rows.map(([log]) => String(log));
}

/** Logs in which something pends, or something is numbered and not published: whoever numbered it did not live to do so. */
export async function selectUnfinished(database: Queryable): Promise<string[]> {
  const rows = await database.query(unfinishedText);
  return rows.map(([log]) => String(log));
}

const unfinishedText = `select log, now() from audit.pending group by log
  union
  select l.log, now() from audit.log l left join lateral (select size from audit.checkpoint where log = l.log order by size desc limit 1) c on true
  where l.size > coalesce(c.size, 0)`;

/**
 * SQL: whether in `log` a flush has waited for more than so many seconds. A flush is named by a UUIDv7, whose first 48 bits are milliseconds: names rise
 * with time. Those that wait are looked at only where `numberedUntil` does not settle it: while the keeper works, nobody reads its queue.
 */
export function isLateText(log: string, numberedUntil: string, seconds: string): string {
  const since = `(now() - make_interval(secs => ${seconds}))`;
  const hex = `lpad(to_hex((extract(epoch from ${since}) * 1000)::bigint), 12, '0')`;
  const name = `left(${hex}, 8) || '-' || right(${hex}, 4)`;
  return `(case when ${numberedUntil} > ${since} then false
    else exists (select from audit.pending late where late.log = ${log} and late.flush_id >= '01' and late.flush_id < ${name}) end)`;
}

const lateText = `select l.log, now() from audit.log l left join audit.upkeep u on u.log = l.log
  where l.state = 'open' and ${isLateText("l.log", "u.numbered_until", "$1::int")} order by l.log`;

/** When its writer made the flush of this name; 0 where it is none that a writer of ours gives. */
export function msOfFlush(id: string): number {
  const [, high, low] = /^([0-9a-f]{8})-([0-9a-f]{4})-7/.exec(id) ?? [];
  return high === undefined || low === undefined ? 0 : Number.parseInt(high + low, 16);
}
