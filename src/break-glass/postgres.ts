/** The table of broken glass. */
import { and, eq, gt, inArray, isNotNull, isNull, type SQL, sql } from "drizzle-orm";
import type { Person } from "../approvals/index.ts";
import { leaseEnd, leaseIsFree } from "../jobs/index.ts";
import type { ContractId, Locator } from "../kernel/index.ts";
import { databaseNowMs, epochMs, orm, type Queryable } from "../storage/index.ts";
import { type Finding, type Glass, reviewHours } from "./glass.ts";
import { breakGlass } from "./schema.ts";

const columns = {
  id: breakGlass.approvalId,
  contract: breakGlass.contractId,
  seatIssuer: breakGlass.seatIssuer,
  seatSubject: breakGlass.seatSubject,
  purpose: breakGlass.purpose,
  type: breakGlass.type,
  subject: breakGlass.subject,
  minutes: breakGlass.minutes,
  openedAt: sql<number | null>`${epochMs(breakGlass.openedAt)}`,
  expiresAt: sql<number | null>`${epochMs(breakGlass.expiresAt)}`,
  closedAt: sql<number | null>`${epochMs(breakGlass.closedAt)}`,
  finding: breakGlass.finding,
  reviewedIssuer: breakGlass.reviewedIssuer,
  reviewedSubject: breakGlass.reviewedSubject,
  reviewedAt: sql<number | null>`${epochMs(breakGlass.reviewedAt)}`,
  readAt: databaseNowMs,
};

/** All of a contract's, oldest first. */
export async function selectGlasses(database: Queryable, contract: ContractId): Promise<Glass[]> {
  const rows = await orm(database)
    .select(columns)
    .from(breakGlass)
    .where(eq(breakGlass.contractId, contract))
    .orderBy(breakGlass.approvalId);
  return rows.map(shaped);
}

/** Asked for again while the first request waits, it is the one that stands. */
export async function insertGlass(
  tx: Queryable,
  {
    id,
    contract,
    seat,
    purpose,
    type,
    subject,
    minutes,
  }: Pick<Glass, "id" | "contract" | "seat" | "purpose" | "type" | "subject" | "minutes">,
): Promise<void> {
  await orm(tx)
    .insert(breakGlass)
    .values({
      ...{ contractId: contract, approvalId: id, seatIssuer: seat.issuer, seatSubject: seat.subject },
      ...{ purpose, type, subject, minutes },
    })
    .onConflictDoNothing();
}

/** From now on, for its minutes. */
export async function openGlass(tx: Queryable, { contract, id }: Pick<Glass, "contract" | "id">): Promise<void> {
  await orm(tx)
    .update(breakGlass)
    .set({ openedAt: sql`now()`, expiresAt: sql`now() + ${breakGlass.minutes} * interval '1 minute'` })
    .where(and(isOne({ contract, id }), isNull(breakGlass.openedAt)));
}

/** `false`: it is over already, or was never open. */
export async function closeGlass(database: Queryable, which: Pick<Glass, "contract" | "id">): Promise<boolean> {
  const rows = await orm(database)
    .update(breakGlass)
    .set({ closedAt: sql`now()`, told: "ended" })
    .where(and(isOne(which), isOpen()))
    .returning({ id: breakGlass.approvalId, readAt: databaseNowMs });
  return rows.length > 0;
}

/** `false`: it is open still, was never, or somebody else has said so before. */
export async function writeReview(
  database: Queryable,
  which: Pick<Glass, "contract" | "id">,
  { by, finding }: { readonly by: Person; readonly finding: Finding },
): Promise<boolean> {
  const rows = await orm(database)
    .update(breakGlass)
    .set({ finding, reviewedIssuer: by.issuer, reviewedSubject: by.subject, reviewedAt: sql`now()` })
    .where(and(isOne(which), isNull(breakGlass.finding), sql`${end} <= now()`))
    .returning({ id: breakGlass.approvalId, readAt: databaseNowMs });
  return rows.length > 0;
}

export interface OpenGlass {
  readonly id: string;
  readonly subject: string;
}

/** For which people's records this seat may work for this purpose now. */
export async function selectOpenGlasses(database: Queryable, contract: ContractId, seat: Person, purpose: string): Promise<OpenGlass[]> {
  const isSeats = and(eq(breakGlass.seatIssuer, seat.issuer), eq(breakGlass.seatSubject, seat.subject));
  return orm(database)
    .select({ id: breakGlass.approvalId, subject: breakGlass.subject, readAt: databaseNowMs })
    .from(breakGlass)
    .where(and(eq(breakGlass.contractId, contract), isSeats, eq(breakGlass.purpose, purpose), isOpen()));
}

/** What the log is still to say of one: that it is over, or that nobody looked at it in time. */
export interface DueGlass extends Glass {
  readonly due: "ended" | "review_missing";
}

/** At once, so that their entries are written within a lease. */
const dueMax = 20;

/** To one caller for `leaseMs`. */
export async function takeDue(database: Queryable, leaseMs: number): Promise<DueGlass[]> {
  const isOver = and(eq(breakGlass.told, "nothing"), sql`${breakGlass.expiresAt} <= now()`);
  const isUnreviewed = and(
    eq(breakGlass.told, "ended"),
    isNull(breakGlass.finding),
    sql`${end} + ${reviewHours}::int * interval '1 hour' <= now()`,
  );
  const due = and(isNotNull(breakGlass.openedAt), sql`(${isOver} or ${isUnreviewed})`, leaseIsFree(breakGlass.takenUntil));
  const some = orm(database).select({ id: breakGlass.approvalId }).from(breakGlass).where(due).orderBy(breakGlass.approvalId).limit(dueMax);
  const rows = await orm(database)
    .update(breakGlass)
    .set({ takenUntil: leaseEnd(leaseMs) })
    .where(and(due, inArray(breakGlass.approvalId, some)))
    .returning({ ...columns, told: breakGlass.told });
  return rows.map(({ told, ...row }) => ({ ...shaped(row), due: told === "nothing" ? "ended" : "review_missing" }));
}

/** Whoever took it has seen to its entry. */
export async function noteGlassTold(database: Queryable, { contract, id, due }: DueGlass): Promise<void> {
  await orm(database).update(breakGlass).set({ told: due, takenUntil: null }).where(isOne({ contract, id }));
}

const end = sql`coalesce(${breakGlass.closedAt}, ${breakGlass.expiresAt})`;

function isOne({ contract, id }: Pick<Glass, "contract" | "id">): SQL | undefined {
  return and(eq(breakGlass.contractId, contract), eq(breakGlass.approvalId, id));
}

function isOpen(): SQL | undefined {
  return and(gt(breakGlass.expiresAt, sql`now()`), isNull(breakGlass.closedAt));
}

type Row = Omit<Glass, "contract" | "seat" | "subject" | "reviewedBy"> & {
  readonly contract: string;
  readonly seatIssuer: string;
  readonly seatSubject: string;
  readonly subject: string;
  readonly reviewedIssuer: string | null;
  readonly reviewedSubject: string | null;
};

function shaped({ contract, seatIssuer, seatSubject, subject, reviewedIssuer, reviewedSubject, ...row }: Row): Glass {
  return {
    ...row,
    contract: contract as ContractId,
    subject: subject as Locator,
    seat: { issuer: seatIssuer, subject: seatSubject },
    reviewedBy: reviewedIssuer !== null && reviewedSubject !== null ? { issuer: reviewedIssuer, subject: reviewedSubject } : null,
  };
}
