/** Passkeys where they lie. All times are the database's. */
import { and, eq, lt, or, sql } from "drizzle-orm";
import { databaseNowMs, epochMs, orm, type Queryable } from "../storage/index.ts";
import { passkey } from "./schema.ts";

/** Of one person. */
export const passkeysMax = 10;

export interface PasskeyHolder {
  readonly issuer: string;
  readonly subject: string;
}

export interface Passkey {
  /** The credential's, as its authenticator made it. */
  readonly id: Uint8Array;
  /** Of the person's choosing. */
  readonly name: string;
  /** A COSE key (RFC 9052 §7). */
  readonly publicKey: Uint8Array;
  /** How often it says that it has signed; 0 = it does not count. */
  readonly counter: number;
  /** Milliseconds, as the other. */
  readonly registeredAt: number;
  /** `null` = not yet. */
  readonly usedAt: number | null;
}

const isOf = ({ issuer, subject }: PasskeyHolder) => and(eq(passkey.issuer, issuer), eq(passkey.subject, subject));

/** Oldest first. */
export async function selectPasskeys(database: Queryable, holder: PasskeyHolder): Promise<Passkey[]> {
  const rows = await orm(database)
    .select({
      readAt: databaseNowMs,
      id: passkey.passkeyId,
      name: passkey.name,
      publicKey: passkey.publicKey,
      counter: passkey.counter,
      registeredAt: epochMs(passkey.registeredAt),
      usedAt: sql<number | null>`${epochMs(passkey.usedAt)}`,
    })
    .from(passkey)
    .where(isOf(holder))
    .orderBy(passkey.registeredAt, passkey.passkeyId);
  return rows.map(({ readAt: _, ...row }) => row);
}

/** `false` = there is one of that id, whoever's. */
export async function insertPasskey(
  database: Queryable,
  { issuer, subject }: PasskeyHolder,
  { id, name, publicKey, counter }: Pick<Passkey, "id" | "name" | "publicKey" | "counter">,
): Promise<boolean> {
  const inserted = await orm(database)
    .insert(passkey)
    .values({ passkeyId: id, issuer, subject, name, publicKey, counter })
    .onConflictDoNothing()
    .returning({ id: passkey.passkeyId });
  return inserted.length === 1;
}

/** `false` = it is gone, or has counted further meanwhile. */
export async function countUse(database: Queryable, id: Uint8Array, counter: number): Promise<boolean> {
  const used = await orm(database)
    .update(passkey)
    .set({ counter, usedAt: sql`now()` as unknown as string })
    .where(and(eq(passkey.passkeyId, id), or(lt(passkey.counter, counter), sql`${counter}::bigint = 0`)))
    .returning({ id: passkey.passkeyId });
  return used.length === 1;
}

/** `false` = they have none of that id. */
export async function deletePasskey(database: Queryable, holder: PasskeyHolder, id: Uint8Array): Promise<boolean> {
  const deleted = await orm(database)
    .delete(passkey)
    .where(and(isOf(holder), eq(passkey.passkeyId, id)))
    .returning({ id: passkey.passkeyId });
  return deleted.length === 1;
}

export async function deletePasskeysOf(database: Queryable, holder: PasskeyHolder): Promise<void> {
  await orm(database).delete(passkey).where(isOf(holder));
}
