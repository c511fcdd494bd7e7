/** The table of seats. */
import { and, eq, sql } from "drizzle-orm";
import type { ContractId } from "../kernel/index.ts";
import { databaseNowMs, epochMs, orm, type Queryable } from "../storage/index.ts";
import type { ContractState } from "./ladder.ts";
import { likenessOf } from "./likeness.ts";
import { contract, seat } from "./schema.ts";

export interface Seat {
  readonly issuer: string;
  readonly subject: string;
  readonly role: string;
  readonly name: string;
}

/**
 * Adds seats or changes their role and name; one that was taken away stays so. `false`: not all of them are written, because somebody else's subject looks
 * like one of these; then the transaction has to be rolled back.
 */
export async function putSeats(tx: Queryable, id: ContractId, seats: readonly Seat[]): Promise<boolean> {
  if (seats.length === 0) return true;
  const written = await orm(tx)
    .insert(seat)
    .values(inOrder(seats).map((row) => ({ contractId: id, likeness: likenessOf(row.subject), ...row })))
    .onConflictDoUpdate({
      target: [seat.contractId, seat.issuer, seat.likeness],
      set: { role: sql`excluded.role`, name: sql`excluded.name` },
      setWhere: sql`${seat.subject} = excluded.subject`,
    })
    .returning({ role: seat.role });
  return written.length === seats.length;
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

/** `false` = there is no such seat. One that is so already stays as it was. */
export async function setSeatRevoked(
  tx: Queryable,
  id: ContractId,
  { issuer, subject }: Pick<Seat, "issuer" | "subject">,
  revoked: boolean,
): Promise<boolean> {
  const rows = await orm(tx)
    .update(seat)
    .set({ revokedAt: revoked ? sql`coalesce(${seat.revokedAt}, now())` : null })
    .where(isSeatOf(id, issuer, subject))
    .returning({ role: seat.role });
  return rows.length > 0;
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
