/** Sessions where they lie. All times are the database's. */
import { and, eq, inArray, lt, or, sql } from "drizzle-orm";
import { databaseNowMs, epochMs, orm, type Queryable } from "../storage/index.ts";
import { session } from "./schema.ts";

/** How long a session lives unused, and at all. */
export interface SessionLimits {
  readonly idleMinutes: number;
  readonly hours: number;
}

/** How exact the time of the last use is. */
const usedEverySeconds = 60;
/** How long it counts that its holder was there in person: had just logged in, or showed a passkey. */
const presenceMinutes = 5;
/** How long somebody may take to show one. */
const challengeMinutes = 5;

export interface Opened {
  /** SHA-256 of the cookie's secret. */
  readonly id: Uint8Array;
  readonly issuer: string;
  readonly subject: string;
  /** `sub`, which need not be the claim that names them here. */
  readonly providerSubject: string;
  /** The provider's own name of its session. `null` = it gave none. */
  readonly providerSession: string | null;
}

const idleSince = ({ idleMinutes }: SessionLimits) => sql`now() - make_interval(mins => ${idleMinutes}::int)`;
const present = sql`now() - make_interval(mins => ${presenceMinutes}::int)`;
const now = sql`now()` as unknown as string;
const inMinutes = (minutes: number) => sql`now() + make_interval(mins => ${minutes}::int)` as unknown as string;

export async function insertSession(database: Queryable, opened: Opened, { hours }: SessionLimits): Promise<void> {
  const { id: sessionId, ...of } = opened;
  await orm(database)
    .insert(session)
    .values({ sessionId, ...of, endsAt: inMinutes(hours * 60) });
}

export interface Used {
  readonly issuer: string;
  readonly subject: string;
  /** Milliseconds. */
  readonly endsAt: number;
  readonly isSteppedUp: boolean;
}

/** The session, if it counts now; notes that it was used. */
export async function useSession(database: Queryable, id: Uint8Array, limits: SessionLimits): Promise<Used | "over" | null> {
  const [row] = await orm(database)
    .select({
      issuer: session.issuer,
      subject: session.subject,
      endsAt: epochMs(session.endsAt),
      isSteppedUp: sql<boolean>`coalesce(${session.steppedUpAt} > ${present}, false)`,
      isOver: sql<boolean>`${session.endsAt} <= now() or ${session.usedAt} < ${idleSince(limits)}`,
      isStale: sql<boolean>`${session.usedAt} < now() - make_interval(secs => ${usedEverySeconds}::int)`,
      readAt: databaseNowMs,
    })
    .from(session)
    .where(eq(session.sessionId, id));
  if (!row) return null;
  if (row.isOver) return "over";
  if (row.isStale) await orm(database).update(session).set({ usedAt: now }).where(eq(session.sessionId, id));
  const { issuer, subject, endsAt, isSteppedUp } = row;
  return { issuer, subject, endsAt, isSteppedUp };
}

/** Has its holder just logged in? */
export async function isFresh(database: Queryable, id: Uint8Array): Promise<boolean> {
  const fresh = await orm(database)
    .select({ id: session.sessionId })
    .from(session)
    .where(and(eq(session.sessionId, id), sql`${session.openedAt} > ${present}`));
  return fresh.length === 1;
}

/** What a passkey is to sign next: SHA-256 of it. The one before counts no more. */
export async function challengeSession(database: Queryable, id: Uint8Array, challenge: Uint8Array): Promise<void> {
  await orm(database)
    .update(session)
    .set({ challenge, challengeUntil: inMinutes(challengeMinutes) })
    .where(eq(session.sessionId, id));
}

/** Whether that was what was to be signed, once. */
export async function spendChallenge(database: Queryable, id: Uint8Array, challenge: Uint8Array): Promise<boolean> {
  const spent = await orm(database)
    .update(session)
    .set({ challenge: null, challengeUntil: null })
    .where(and(eq(session.sessionId, id), eq(session.challenge, challenge), sql`${session.challengeUntil} > now()`))
    .returning({ id: session.sessionId });
  return spent.length === 1;
}

/** From now on the session is found by another secret. */
export async function stepUpSession(database: Queryable, id: Uint8Array, next: Uint8Array): Promise<void> {
  await orm(database).update(session).set({ sessionId: next, steppedUpAt: now }).where(eq(session.sessionId, id));
}

export async function endSession(database: Queryable, id: Uint8Array): Promise<void> {
  await endSessions(database, [id]);
}

/** What a provider says is over: one session of its, or a person's. One of the two is there. */
export interface ProvidersSession {
  readonly issuer: string;
  readonly providerSubject: string | null;
  readonly providerSession: string | null;
}

export async function selectSessionsOf(
  database: Queryable,
  { issuer, providerSubject, providerSession }: ProvidersSession,
): Promise<{ readonly id: Uint8Array; readonly subject: string }[]> {
  const bySubject = providerSubject === null ? undefined : eq(session.providerSubject, providerSubject);
  const bySession = providerSession === null ? undefined : eq(session.providerSession, providerSession);
  if (!bySubject && !bySession) return [];
  return orm(database)
    .select({ id: session.sessionId, subject: session.subject, readAt: databaseNowMs })
    .from(session)
    .where(and(eq(session.issuer, issuer), bySubject, bySession));
}

export async function endSessions(database: Queryable, ids: readonly Uint8Array[]): Promise<void> {
  if (ids.length === 0) return;
  await orm(database)
    .delete(session)
    .where(inArray(session.sessionId, [...ids]));
}

export async function forgetEndedSessions(database: Queryable, limits: SessionLimits): Promise<void> {
  await orm(database)
    .delete(session)
    .where(or(lt(session.endsAt, sql`now()`), lt(session.usedAt, idleSince(limits))));
}
