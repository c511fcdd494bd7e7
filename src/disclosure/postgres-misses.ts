/**
 * Counts what a seat asks for and is not there. A process counts by itself and says every tenth to the database, which answers what all of them counted: a miss
 * costs a round trip one time in ten, and what is found costs none. The edge adds rows; the keeper's tick takes them away.
 */
import { and, lt, sql } from "drizzle-orm";
import { databaseNowText, orm, type Queryable } from "../storage/index.ts";
import { type Asker, type MissWatch, missesMax, windowSeconds } from "./misses.ts";
import { seatMiss } from "./schema.ts";

const askEvery = 10;
const seatsMax = 20_000;
const keptSeconds = 600;

/** In which another of this process tells nobody again. */
const takenMs = 60_000;

interface Counted {
  count: number;
  since: number;
  /** When somebody here was asked to tell the log. */
  takenAt: number;
}

/** Inert: it may outlive whoever fills it. */
export type MissMemory = Map<string, Counted>;

interface MissWatchParts {
  readonly database: Queryable;
  readonly memory: MissMemory;
  /** Milliseconds. */
  readonly now: () => number;
}

export function createMissWatch({ database, memory, now }: MissWatchParts): MissWatch {
  return {
    async miss(asker) {
      const seat = JSON.stringify([asker.contract, asker.who.issuer, asker.who.subject]);
      const counted = memory.get(seat) ?? { count: 0, since: now(), takenAt: Number.NEGATIVE_INFINITY };
      if (now() - counted.since >= windowSeconds * 1_000) Object.assign(counted, { count: 0, since: now() });
      counted.count++;
      memory.delete(seat);
      memory.set(seat, counted);
      for (const oldest of memory.keys()) {
        if (memory.size <= seatsMax) break;
        memory.delete(oldest);
      }
      if (counted.count < askEvery) return null;
      Object.assign(counted, { count: 0, since: now() });
      const misses = await addMisses(database, asker, askEvery);
      if (misses === null || now() - counted.takenAt < takenMs) return null;
      counted.takenAt = now();
      return misses;
    },
    async noted({ contract, who: { issuer, subject } }) {
      await database.query(noteText, [contract, issuer, subject]);
    },
  };
}

const ofSeat = "m.contract_id = $1 and m.issuer = $2 and m.subject = $3";
/** Not at a contract that is being purged: the purge counts its rows before it deletes them. */
const addText = `insert into postern.seat_miss (contract_id, issuer, subject, misses)
  select s.contract_id, s.issuer, s.subject, $4::int from postern.seat s join postern.contract c on c.contract_id = s.contract_id
  where s.contract_id = $1 and s.issuer = $2 and s.subject = $3 and c.state in ('active', 'ended')
  returning ${databaseNowText}, (select json_build_array(coalesce(sum(m.misses), 0), coalesce(bool_or(m.noted), false))::text
    from postern.seat_miss m where ${ofSeat} and m.seen_at > now() - interval '${windowSeconds} seconds')`;

/** How many there were of late in all processes, where they are too many and the log was not told of late. */
async function addMisses(database: Queryable, { contract, who: { issuer, subject } }: Asker, count: number): Promise<number | null> {
  const [row] = await database.query(addText, [contract, issuer, subject, count]);
  if (row === undefined) return null;
  const [before, noted] = JSON.parse(String(row[1])) as [number, boolean];
  return !noted && before + count >= missesMax ? before + count : null;
}

const noteText = `insert into postern.seat_miss (contract_id, issuer, subject, misses, noted) values ($1, $2, $3, 0, true)`;

/** As of seats' uses. */
export async function forgetSeatMisses(database: Queryable): Promise<void> {
  const inUse = sql`exists (select from postern.contract c where c.contract_id = ${seatMiss.contractId} and c.state in ('active', 'ended'))`;
  const isOld = lt(seatMiss.seenAt, sql`now() - make_interval(secs => ${keptSeconds}::int)`);
  await orm(database).delete(seatMiss).where(and(isOld, inUse));
}
