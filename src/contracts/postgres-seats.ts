/** The table of seats. */
import { and, eq, inArray, sql } from "drizzle-orm";
import type { ContractId } from "../kernel/index.ts";
import type { Paper } from "../policy/index.ts";
import { databaseNowMs, epochMs, orm, type Queryable } from "../storage/index.ts";
import type { ContractState } from "./ladder.ts";
import { likenessOf } from "./likeness.ts";
import { contract, seat, type seatKeepers } from "./schema.ts";

export interface Seat {
  readonly issuer: string;
  readonly subject: string;
  readonly role: string;
  readonly name: string;
  /** On file; `null` = no longer, absent = as before. */
  readonly agreement?: Paper | null;
  readonly training?: Paper | null;
  /** Hours of the week as `parseShifts` reads them; `null` = at any time. */
  readonly shifts?: string | null;
}

/**
 * Adds seats or changes them to what these say, all of them of the same things; one that was taken away stays so. `false`: not all of them are written, because somebody else's subject looks
 * like one of these; then the transaction has to be rolled back.
 */
export async function putSeats(tx: Queryable, id: ContractId, seats: readonly Seat[]): Promise<boolean> {
  const [one] = seats;
  if (one === undefined) return true;
  const written = await orm(tx)
    .insert(seat)
    .values(inOrder(seats).map((row) => ({ contractId: id, likeness: likenessOf(row.subject), ...columnsOf(row) })))
    .onConflictDoUpdate({
      target: [seat.contractId, seat.issuer, seat.likeness],
      set: {
        role: sql`excluded.role`,
        approvedRole: sql`case when ${seat.role} = excluded.role then ${seat.approvedRole} end`,
        name: sql`excluded.name`,
        ...(one.agreement !== undefined && { agreementOn: sql`excluded.agreement_on`, agreementUntil: sql`excluded.agreement_until` }),
        ...(one.training !== undefined && { trainingOn: sql`excluded.training_on`, trainingUntil: sql`excluded.training_until` }),
        ...(one.shifts !== undefined && { shifts: sql`excluded.shifts` }),
      },
      setWhere: sql`${seat.subject} = excluded.subject`,
    })
    .returning({ role: seat.role });
  return written.length === seats.length;
}

function columnsOf({ agreement, training, ...row }: Seat) {
  return {
    ...row,
    ...(agreement && { agreementOn: agreement.on, agreementUntil: agreement.until }),
    ...(training && { trainingOn: training.on, trainingUntil: training.until }),
  };
}

/** One order for everybody, so that two imports of the same people wait for each other and not in a ring. */
function inOrder(seats: readonly Seat[]): Seat[] {
  const keyOf = ({ issuer, subject }: Seat) => `${issuer}\0${likenessOf(subject)}`;
  return seats
    .map((row) => ({ row, key: keyOf(row) }))
    .sort((a, b) => (a.key < b.key ? -1 : 1))
    .map(({ row }) => row);
}

/** Everybody who has a seat, or had one that was taken away. */
export async function selectSeated(database: Queryable, id: ContractId): Promise<Pick<Seat, "issuer" | "subject">[]> {
  return orm(database)
    .select({ issuer: seat.issuer, subject: seat.subject, readAt: databaseNowMs })
    .from(seat)
    .where(eq(seat.contractId, id));
}

/**
 * SQL: whether a seat gives access, read with whatever is asked for it. Not where the merchant took it away, the vendor's own directory took the person out of
 * the role's group, or has them as inactive. Each value is a text in SQL; `seat`: the row's name.
 */
export function isSeatStandingText(row: string, vendor: string): string {
  return `${row}.revoked_at is null and ${row}.scim is distinct from 'left' and coalesce((select u.active from postern.scim_user u
    where u.vendor = ${vendor} and u.issuer = ${row}.issuer and u.subject = ${row}.subject limit 1), true)`;
}

const isStanding = sql.raw(isSeatStandingText('"postern"."seat"', '"postern"."contract"."vendor"'));

export async function hasSeat(database: Queryable, id: ContractId, issuer: string, subject: string): Promise<boolean> {
  const rows = await orm(database)
    .select({ role: seat.role, readAt: databaseNowMs })
    .from(seat)
    .innerJoin(contract, eq(contract.contractId, seat.contractId))
    .where(and(isSeatOf(id, issuer, subject), isStanding));
  return rows.length > 0;
}

function isSeatOf(id: ContractId, issuer: string, subject: string) {
  return and(eq(seat.contractId, id), eq(seat.issuer, issuer), eq(seat.subject, subject));
}

/** Who says who sits at a contract. */
export type SeatKeeper = (typeof seatKeepers)[number];

/** `by`: takes it away; one that is taken already stays so, and the merchant's word stays over the vendor's. */
export async function revokeSeat(
  tx: Queryable,
  id: ContractId,
  holder: Pick<Seat, "issuer" | "subject">,
  by: SeatKeeper,
): Promise<"done" | "no_seat"> {
  const rows = await orm(tx)
    .update(seat)
    .set({
      revokedAt: sql`coalesce(${seat.revokedAt}, now())`,
      revokedBy: sql`case when ${seat.revokedBy} = 'merchant_owner' then ${seat.revokedBy} else ${by} end`,
    })
    .where(isSeatOf(id, holder.issuer, holder.subject))
    .returning({ role: seat.role });
  return rows.length > 0 ? "done" : "no_seat";
}

/** One that is there already stays as it was. `kept`: the merchant took it, and the vendor does not give it back. */
export async function restoreSeat(
  tx: Queryable,
  id: ContractId,
  holder: Pick<Seat, "issuer" | "subject">,
  by: SeatKeeper,
): Promise<"done" | "kept" | "no_seat"> {
  const isIt = isSeatOf(id, holder.issuer, holder.subject);
  const mayBe = by === "merchant_owner" ? isIt : and(isIt, sql`${seat.revokedBy} is distinct from 'merchant_owner'`);
  const restored = await orm(tx).update(seat).set({ revokedAt: null, revokedBy: null }).where(mayBe).returning({ role: seat.role });
  if (restored.length > 0) return "done";
  const there = await orm(tx).select({ role: seat.role, readAt: databaseNowMs }).from(seat).where(isIt);
  return there.length > 0 ? "kept" : "no_seat";
}

/** Those that work once a second person has approved their role: of `roles`, standing, and not approved in it. */
export async function selectUnapproved(
  database: Queryable,
  id: ContractId,
  roles: readonly string[],
): Promise<Pick<Seat, "issuer" | "subject" | "role">[]> {
  const rows = await orm(database)
    .select({ issuer: seat.issuer, subject: seat.subject, role: seat.role, readAt: databaseNowMs })
    .from(seat)
    .innerJoin(contract, eq(contract.contractId, seat.contractId))
    .where(and(isUnapproved(id, roles), isStanding))
    .orderBy(seat.issuer, seat.subject);
  return rows.map(({ issuer, subject, role }) => ({ issuer, subject, role }));
}

/** In the role that each has. */
export async function approveRoles(tx: Queryable, id: ContractId, holders: readonly Pick<Seat, "issuer" | "subject">[]): Promise<void> {
  for (const { issuer, subject } of holders)
    await orm(tx)
      .update(seat)
      .set({ approvedRole: sql`${seat.role}` })
      .where(isSeatOf(id, issuer, subject));
}

function isUnapproved(id: ContractId, roles: readonly string[]) {
  return and(eq(seat.contractId, id), inArray(seat.role, [...roles]), sql`${seat.approvedRole} is distinct from ${seat.role}`);
}

export interface ListedSeat extends Required<Seat> {
  readonly approvedRole: string | null;
  /** Milliseconds; `null` = it is not taken away. */
  readonly revokedAt: number | null;
  readonly revokedBy: SeatKeeper | null;
}

/** In the order of issuers and subjects. */
export async function selectSeats(database: Queryable, id: ContractId, limit: number): Promise<ListedSeat[]> {
  const { issuer, subject, role, approvedRole, name, shifts, revokedBy } = seat;
  const rows = await orm(database)
    .select({
      ...{ issuer, subject, role, approvedRole, name, shifts, revokedBy },
      ...{ agreementOn: seat.agreementOn, agreementUntil: seat.agreementUntil },
      ...{ trainingOn: seat.trainingOn, trainingUntil: seat.trainingUntil },
      revokedAt: sql<number | null>`${epochMs(seat.revokedAt)}`,
      readAt: databaseNowMs,
    })
    .from(seat)
    .where(eq(seat.contractId, id))
    .orderBy(issuer, subject)
    .limit(limit);
  return rows.map(({ agreementOn, agreementUntil, trainingOn, trainingUntil, readAt, ...row }) => ({
    ...row,
    agreement: agreementOn === null ? null : { on: agreementOn, until: agreementUntil },
    training: trainingOn === null ? null : { on: trainingOn, until: trainingUntil },
  }));
}

export interface SeatOfPerson {
  readonly contract: ContractId;
  readonly role: string;
  readonly state: ContractState;
  readonly startsAt: number;
  readonly endsAt: number;
  readonly suspended: boolean;
  readonly readAt: number;
}

export async function selectSeatsOf(database: Queryable, issuer: string, subject: string): Promise<SeatOfPerson[]> {
  const rows = await orm(database)
    .select({
      contract: seat.contractId,
      role: seat.role,
      state: contract.state,
      startsAt: epochMs(contract.startsAt),
      endsAt: epochMs(contract.endsAt),
      suspended: sql<boolean>`${contract.suspendedAt} is not null`,
      readAt: databaseNowMs,
    })
    .from(seat)
    .innerJoin(contract, eq(contract.contractId, seat.contractId))
    .where(and(eq(seat.issuer, issuer), eq(seat.subject, subject), isStanding))
    .orderBy(seat.contractId);
  return rows.map((row) => ({ ...row, contract: row.contract as ContractId }));
}
