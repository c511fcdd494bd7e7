/** The one row that says how far the database's clock is believed. */
import { sql } from "drizzle-orm";
import { type Database, databaseNowMs, epochMs, orm, type Queryable } from "../storage/index.ts";
import { beat, type ClockStanding } from "./clock.ts";
import { clock } from "./schema.ts";

const columns = {
  beatAt: epochMs(clock.beatAt),
  doubtedFrom: sql<number | null>`${epochMs(clock.doubtedFrom)}`,
  doubtedAt: sql<number | null>`${epochMs(clock.doubtedAt)}`,
  steadyMs: clock.steadyMs,
  readAt: databaseNowMs,
};

/** Before any keeper looked: believed. */
export async function selectClock(database: Queryable): Promise<ClockStanding | null> {
  const [row] = await orm(database).select(columns).from(clock);
  return row ? shaped(row) : null;
}

/** Looks at the clock. `leapt`: by this look it is doubted, and was not before. */
export function beatClock(database: Database): Promise<{ readonly standing: ClockStanding; readonly leapt: boolean }> {
  return database.transaction(async (tx) => {
    await orm(tx).insert(clock).values({ beatAt: sql`now()` }).onConflictDoNothing();
    const [row] = await orm(tx).select(columns).from(clock).for("update");
    if (!row) throw new Error("a clock that was just written is not there");
    const before = shaped(row);
    const standing = beat(before, row.readAt);
    await writeClock(tx, standing);
    return { standing, leapt: standing.doubt !== null && before.doubt === null };
  });
}

/** An operator has looked at another clock. */
export async function acceptClock(tx: Queryable): Promise<void> {
  await orm(tx).update(clock).set({ beatAt: sql`now()`, doubtedFrom: null, doubtedAt: null, steadyMs: 0 });
}

async function writeClock(tx: Queryable, { beatAt, doubt, steadyMs }: ClockStanding): Promise<void> {
  const isoOf = (ms: number | undefined) => (ms === undefined ? null : new Date(ms).toISOString());
  await orm(tx)
    .update(clock)
    .set({
      beatAt: new Date(beatAt).toISOString(),
      doubtedFrom: isoOf(doubt?.from),
      doubtedAt: isoOf(doubt?.at),
      steadyMs: Math.round(steadyMs),
    });
}

function shaped({
  beatAt,
  doubtedFrom,
  doubtedAt,
  steadyMs,
}: {
  readonly beatAt: number;
  readonly doubtedFrom: number | null;
  readonly doubtedAt: number | null;
  readonly steadyMs: number;
}): ClockStanding {
  const doubt = doubtedFrom !== null && doubtedAt !== null ? { from: doubtedFrom, at: doubtedAt } : null;
  return { beatAt, doubt, steadyMs };
}
