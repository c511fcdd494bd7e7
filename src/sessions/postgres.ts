/** Sessions where they lie. All times are the database's. */
import { eq, lt, or, sql } from "drizzle-orm";
import { databaseNowMs, epochMs, orm, type Queryable } from "../storage/index.ts";
import { session } from "./schema.ts";

/** How long a session lives unused, and at all. */
const idleMinutes = 30;
export const lifeHours = 10;
/** How exact the time of the last use is. */
const usedEverySeconds = 60;

export interface Opened {
  /** SHA-256 of the cookie's secret. */
  readonly id: Uint8Array;
  readonly issuer: string;
  readonly subject: string;
  /** The provider's own name of its session. `null` = it gave none. */
  readonly providerSession: string | null;
}

const idleSince = sql`now() - make_interval(mins => ${idleMinutes}::int)`;

export async function insertSession(database: Queryable, { id, issuer, subject, providerSession }: Opened): Promise<void> {
  const endsAt = sql`now() + make_interval(hours => ${lifeHours}::int)` as unknown as string;
  await orm(database).insert(session).values({ sessionId: id, issuer, subject, providerSession, endsAt });
}

export interface Used {
  readonly issuer: string;
  readonly subject: string;
  /** Milliseconds. */
  readonly endsAt: number;
}

/** The session, if it counts now; notes that it was used. */
export async function useSession(database: Queryable, id: Uint8Array): Promise<Used | "over" | null> {
  const [row] = await orm(database)
    .select({
      issuer: session.issuer,
      subject: session.subject,
      endsAt: epochMs(session.endsAt),
      isOver: sql<boolean>`${session.endsAt} <= now() or ${session.usedAt} < ${idleSince}`,
      isStale: sql<boolean>`${session.usedAt} < now() - make_interval(secs => ${usedEverySeconds}::int)`,
      readAt: databaseNowMs,
    })
    .from(session)
    .where(eq(session.sessionId, id));
  if (!row) return null;
  if (row.isOver) return "over";
  if (row.isStale)
    await orm(database)
      .update(session)
      .set({ usedAt: sql`now()` as unknown as string })
      .where(eq(session.sessionId, id));
  return { issuer: row.issuer, subject: row.subject, endsAt: row.endsAt };
}

export async function endSession(database: Queryable, id: Uint8Array): Promise<void> {
  await orm(database).delete(session).where(eq(session.sessionId, id));
}

export async function forgetEndedSessions(database: Queryable): Promise<void> {
  await orm(database)
    .delete(session)
    .where(or(lt(session.endsAt, sql`now()`), lt(session.usedAt, idleSince)));
}
