/** Service keys where they lie. All times are the database's. */
import { and, eq, gt, isNull, sql } from "drizzle-orm";
import { equalBytes } from "../crypto/index.ts";
import type { ContractId } from "../kernel/index.ts";
import { isRevokedText } from "../revocations/index.ts";
import { databaseNowMs, epochMs, orm, type Queryable } from "../storage/index.ts";
import { type ShownKey, serviceIssuer } from "./key.ts";
import { serviceKey } from "./schema.ts";

/** How exact the time of the last use is. */
const usedEveryMinutes = 10;

export interface ServiceKey {
  readonly id: string;
  readonly name: string;
  readonly scopes: string;
  readonly createdBy: { readonly issuer: string; readonly subject: string };
  /** Milliseconds, as all of them. */
  readonly createdAt: number;
  readonly expiresAt: number;
  readonly previousUntil: number | null;
  readonly revokedAt: number | null;
  /** To ten minutes. `null` = never used. */
  readonly lastUsedAt: number | null;
  readonly readAt: number;
}

export interface NewServiceKey extends Pick<ServiceKey, "name" | "scopes" | "createdBy"> {
  readonly contract: ContractId;
  readonly minted: ShownKey;
  readonly days: number;
}

const inDays = (days: number) => sql`now() + make_interval(days => ${days}::int)`;

export async function insertServiceKey(tx: Queryable, { contract, minted, name, scopes, createdBy, days }: NewServiceKey): Promise<void> {
  await orm(tx)
    .insert(serviceKey)
    .values({
      ...{ contractId: contract, keyId: minted.id, name, scopes, digest: minted.digest },
      ...{ createdIssuer: createdBy.issuer, createdSubject: createdBy.subject, expiresAt: inDays(days) },
    });
}

/** A new secret under the same id; the one that counts today goes on counting for so many hours. `false` = there is no such key, or it is over. */
export async function replaceSecret(
  tx: Queryable,
  contract: ContractId,
  { minted, days, overlapHours }: { readonly minted: ShownKey; readonly days: number; readonly overlapHours: number },
): Promise<boolean> {
  const until = sql`least(${serviceKey.expiresAt}, now() + make_interval(hours => ${overlapHours}::int))`;
  const rows = await orm(tx)
    .update(serviceKey)
    .set({ digest: minted.digest, previousDigest: serviceKey.digest, previousUntil: until, expiresAt: inDays(days) } as object)
    .where(and(isKey(contract, minted.id), isNull(serviceKey.revokedAt), gt(serviceKey.expiresAt, sql`now()`)))
    .returning({ id: serviceKey.keyId });
  return rows.length > 0;
}

/** `false` = there is no such key. One that is revoked stays as it was. */
export async function revokeServiceKey(tx: Queryable, contract: ContractId, id: string): Promise<boolean> {
  const rows = await orm(tx)
    .update(serviceKey)
    .set({ revokedAt: sql`coalesce(${serviceKey.revokedAt}, now())` as unknown as string })
    .where(isKey(contract, id))
    .returning({ id: serviceKey.keyId });
  return rows.length > 0;
}

/** Oldest first. */
export async function selectServiceKeys(database: Queryable, contract: ContractId): Promise<ServiceKey[]> {
  const rows = await orm(database)
    .select({
      id: serviceKey.keyId,
      name: serviceKey.name,
      scopes: serviceKey.scopes,
      createdIssuer: serviceKey.createdIssuer,
      createdSubject: serviceKey.createdSubject,
      createdAt: epochMs(serviceKey.createdAt),
      expiresAt: epochMs(serviceKey.expiresAt),
      previousUntil: sql<number | null>`${epochMs(serviceKey.previousUntil)}`,
      revokedAt: sql<number | null>`${epochMs(serviceKey.revokedAt)}`,
      lastUsedAt: sql<number | null>`${epochMs(serviceKey.lastUsedAt)}`,
      readAt: databaseNowMs,
    })
    .from(serviceKey)
    .where(eq(serviceKey.contractId, contract))
    .orderBy(serviceKey.createdAt, serviceKey.keyId);
  return rows.map(({ createdIssuer, createdSubject, ...row }) => ({
    ...row,
    createdBy: { issuer: createdIssuer, subject: createdSubject },
  }));
}

export interface UsedKey {
  readonly contract: ContractId;
  readonly scopes: string;
  /** Milliseconds. */
  readonly expiresAt: number;
}

const keyName = "service_key.key_id";
/** By an operator, everywhere. A key is its own holder and its own token. */
const isCutOff = isRevokedText({ issuer: `'${serviceIssuer}'`, subject: keyName, token: keyName, key: keyName, vendor: null });
const isUseOld = sql<boolean>`coalesce(${serviceKey.lastUsedAt} < now() - make_interval(mins => ${usedEveryMinutes}::int), true)`;

/** The key that was shown, if it counts now; notes that it was used. One statement, and every ten minutes a second one. */
export async function useServiceKey(database: Queryable, { id, digest }: ShownKey): Promise<UsedKey | "expired" | "cut_off" | null> {
  const [row] = await orm(database)
    .select({
      contract: serviceKey.contractId,
      scopes: serviceKey.scopes,
      digest: serviceKey.digest,
      previous: sql<Uint8Array | null>`case when ${serviceKey.previousUntil} > now() then ${serviceKey.previousDigest} end`,
      expiresAt: epochMs(serviceKey.expiresAt),
      isRevoked: sql<boolean>`${serviceKey.revokedAt} is not null`,
      isCutOff: sql<boolean>`${sql.raw(isCutOff)}`,
      isUseOld,
      readAt: databaseNowMs,
    })
    .from(serviceKey)
    .where(eq(serviceKey.keyId, id));
  const isIt = row !== undefined && (equalBytes(row.digest, digest) || (row.previous !== null && equalBytes(row.previous, digest)));
  if (!row || !isIt || row.isRevoked) return null;
  if (row.expiresAt <= row.readAt) return "expired";
  if (row.isCutOff) return "cut_off";
  const contract = row.contract as ContractId;
  if (row.isUseOld) {
    await orm(database)
      .update(serviceKey)
      .set({ lastUsedAt: sql`now()` as unknown as string })
      .where(and(isKey(contract, id), isUseOld));
  }
  return { contract, scopes: row.scopes, expiresAt: row.expiresAt };
}

function isKey(contract: ContractId, id: string) {
  return and(eq(serviceKey.contractId, contract), eq(serviceKey.keyId, id));
}
