/** Where each sink stands in each log. One process at a time moves a position: whoever has the lease, and only from where it found it. */
import { databaseNowText, type Queryable } from "../storage/index.ts";

/** Longer than any delivery of one request. */
const leaseSeconds = 20;

export interface Position {
  readonly log: string;
  readonly sink: string;
  readonly next: number;
}

/** Logs that hold more than the sink has, the longest waiting first. */
export async function selectBehind(database: Queryable, sink: string): Promise<string[]> {
  const rows = await database.query(
    `select l.log, now() from audit.log l left join postern.sink_cursor c on c.log = l.log and c.sink = $1
     where l.size > coalesce(c.next, 0) and coalesce(c.lease_until, '-infinity') < now() order by coalesce(c.next, 0) - l.size, l.log`,
    [sink],
  );
  return rows.map(([log]) => String(log));
}

/** `minIndex`: what stood before it was pruned. */
export type TakenPosition = Position & { readonly size: number; readonly minIndex: number };

/** `null` = another process has it, or there is nothing left. */
export async function takePosition(database: Queryable, log: string, sink: string): Promise<TakenPosition | null> {
  const [row] = await database.query(
    `insert into postern.sink_cursor (log, sink, next, dead, lease_until)
       select log, $2, 0, 0, now() + make_interval(secs => ${leaseSeconds}) from audit.log where log = $1
     on conflict (log, sink) do update set lease_until = excluded.lease_until
       where sink_cursor.lease_until is null or sink_cursor.lease_until < now()
     returning next, (select size from audit.log where log = $1), (select min_index from audit.log where log = $1)`,
    [log, sink],
  );
  return row ? { log, sink, next: Number(row[0]), size: Number(row[1]), minIndex: Number(row[2]) } : null;
}

/** Gives the lease back, further on. Nothing happens where another process has moved it meanwhile. */
export async function movePosition(
  database: Queryable,
  { log, sink, next }: Position,
  to: { readonly next: number; readonly dead: number; readonly lastDead: string | null },
): Promise<void> {
  await database.query(
    `update postern.sink_cursor set next = $4, dead = dead + $5, last_error = coalesce($6, last_error), failing_since = null, lease_until = null
     where log = $1 and sink = $2 and next = $3`,
    [log, sink, next, to.next, to.dead, to.lastDead],
  );
}

/** Gives the lease back, where it was. */
export async function notePosition(database: Queryable, { log, sink, next }: Position, error: string): Promise<void> {
  await database.query(
    `update postern.sink_cursor set last_error = $4, failing_since = coalesce(failing_since, now()), lease_until = null
     where log = $1 and sink = $2 and next = $3`,
    [log, sink, next, error],
  );
}

export interface SinkStanding {
  /** Numbered entries that it does not have yet. */
  readonly waiting: number;
  readonly dead: number;
  readonly lastError: string | null;
  /** Milliseconds; `null` = it takes what it is given. */
  readonly failingForMs: number | null;
}

export async function selectStanding(database: Queryable, sink: string): Promise<SinkStanding> {
  const [row] = await database.query(
    `select coalesce(sum(greatest(l.size - greatest(coalesce(c.next, 0), l.min_index), 0)), 0)::float8, coalesce(sum(c.dead), 0)::float8,
       (array_agg(c.last_error order by c.failing_since desc nulls last) filter (where c.last_error is not null))[1],
       (extract(epoch from now() - min(c.failing_since)) * 1000)::float8, ${databaseNowText}
     from audit.log l left join postern.sink_cursor c on c.log = l.log and c.sink = $1`,
    [sink],
  );
  const [waiting, dead, lastError, failing] = row ?? [];
  return {
    waiting: Number(waiting),
    dead: Number(dead),
    lastError: typeof lastError === "string" ? lastError : null,
    failingForMs: typeof failing === "number" ? failing : null,
  };
}
