/**
 * What is refused everywhere, from the next request on: it is read with every request, in the statement that loads, so no process knows it late.
 * A seat that was taken from one person at one contract is the seat's own matter (`postern.seat.revoked_at`).
 */
import { and, asc, eq, lt, sql } from "drizzle-orm";
import type { Principal } from "../identity/index.ts";
import { databaseNowMs, databaseNowText, epochMs, orm, type Queryable } from "../storage/index.ts";
import { revocation, type revocationKinds } from "./schema.ts";

export type RevocationKind = (typeof revocationKinds)[number];

export interface Revoked {
  readonly kind: RevocationKind;
  /** Empty for a vendor. */
  readonly issuer: string;
  /** The person's subject, the token's `jti`, the key's `kid`, the vendor's id; empty for a whole issuer. */
  readonly name: string;
}

export interface Revocation extends Revoked {
  readonly id: string;
  readonly reason: string;
  /** Milliseconds, as is the next. */
  readonly revokedAt: number;
  readonly expiresAt: number | null;
}

export interface RevokedNames {
  readonly issuer: string;
  readonly subject: string;
  readonly token: string;
  readonly key: string;
  /** `null` = no vendor is asked about. */
  readonly vendor: string | null;
}

/** SQL: whether anything of these is revoked. Each value is a text in SQL. Where nothing is revoked at all, nothing is looked up. */
export function isRevokedText({ issuer, subject, token, key, vendor }: RevokedNames): string {
  const rows = [
    `('person', ${issuer}, ${subject})`,
    `('token', ${issuer}, ${token})`,
    `('key', ${issuer}, ${key})`,
    `('issuer', ${issuer}, '')`,
  ];
  if (vendor !== null) rows.push(`('vendor', '', ${vendor})`);
  return `((select exists (select from postern.revocation)) and exists (select from (values ${rows.join(", ")}) as n(kind, issuer, name)
    cross join lateral (select 1 from postern.revocation v where v.kind = n.kind and v.issuer = n.issuer and v.name = n.name limit 1) v))`;
}

const names = { issuer: "$1::text", subject: "$2::text", token: "$3::text", key: "$4::text", vendor: null };
const isRevokedQuery = `select ${isRevokedText(names)}, ${databaseNowText}`;

export async function isRevoked(database: Queryable, { issuer, subject, tokenId, keyId }: Principal): Promise<boolean> {
  const [row] = await database.query(isRevokedQuery, [issuer, subject, tokenId, keyId]);
  return row?.[0] !== false;
}

/** Beside what of a person or a token is. */
export async function isVendorRevoked(database: Queryable, vendor: string): Promise<boolean> {
  const rows = await orm(database)
    .select({ id: revocation.revocationId, readAt: databaseNowMs })
    .from(revocation)
    .where(and(eq(revocation.kind, "vendor"), eq(revocation.issuer, ""), eq(revocation.name, vendor)));
  return rows.length > 0;
}

const columns = {
  kind: revocation.kind,
  issuer: revocation.issuer,
  name: revocation.name,
  id: revocation.revocationId,
  reason: revocation.reason,
  revokedAt: epochMs(revocation.revokedAt),
  expiresAt: sql<number | null>`${epochMs(revocation.expiresAt)}`,
  readAt: databaseNowMs,
};

/** What stands already stays as it was. Answers what stands then. */
export async function putRevocation(
  tx: Queryable,
  {
    kind,
    issuer,
    name,
    id,
    reason,
    lifeSeconds,
  }: Revoked & { readonly id: string; readonly reason: string; readonly lifeSeconds: number | null },
): Promise<Revocation | null> {
  const expiresAt = lifeSeconds === null ? null : sql<string>`now() + make_interval(secs => ${lifeSeconds}::int)`;
  await orm(tx).insert(revocation).values({ kind, issuer, name, revocationId: id, reason, expiresAt }).onConflictDoNothing();
  const [row] = await orm(tx)
    .select(columns)
    .from(revocation)
    .where(and(eq(revocation.kind, kind), eq(revocation.issuer, issuer), eq(revocation.name, name)));
  return row ?? null;
}

/** `null` = none has that id. */
export async function selectRevocation(database: Queryable, id: string): Promise<Revocation | null> {
  const [row] = await orm(database).select(columns).from(revocation).where(eq(revocation.revocationId, id));
  return row ?? null;
}

export async function removeRevocation(database: Queryable, id: string): Promise<void> {
  await orm(database).delete(revocation).where(eq(revocation.revocationId, id));
}

/** The newest last. */
export async function selectRevocations(database: Queryable, limit: number): Promise<Revocation[]> {
  return orm(database).select(columns).from(revocation).orderBy(asc(revocation.revokedAt), asc(revocation.revocationId)).limit(limit);
}

/** Of tokens that are over by themselves. */
export async function forgetExpiredRevocations(database: Queryable): Promise<void> {
  await orm(database).delete(revocation).where(lt(revocation.expiresAt, sql`now()`));
}
