/** Tokens of vendors' directories, by their digests. */
import { and, asc, eq, lt, sql } from "drizzle-orm";
import { databaseNowMs, databaseNowText, epochMs, orm, type Queryable } from "../storage/index.ts";
import { scimToken } from "./schema.ts";

export interface ScimToken {
  readonly id: string;
  /** Milliseconds, as are the next. */
  readonly issuedAt: number;
  readonly expiresAt: number;
  /** To the minute. `null` = never. */
  readonly lastUsedAt: number | null;
}

// What the token was last used at is kept to the minute: a directory asks thousands of times an hour.
const useText = `with shown as (select token_id, last_used_at from postern.scim_token where vendor = $1 and digest = $2 and expires_at > now()),
  used as (update postern.scim_token t set last_used_at = now() from shown
    where t.vendor = $1 and t.token_id = shown.token_id and (shown.last_used_at is null or shown.last_used_at < now() - interval '1 minute'))
  select token_id, exists (select from postern.revocation where kind = 'vendor' and issuer = '' and name = $1), ${databaseNowText} from shown`;

/** `null` = the vendor has no such token, or no more. */
export async function useToken(
  database: Queryable,
  vendor: string,
  digest: string,
): Promise<{ readonly id: string; readonly vendorIsRevoked: boolean } | null> {
  const [row] = await database.query(useText, [vendor, digest]);
  return row ? { id: String(row[0]), vendorIsRevoked: row[1] !== false } : null;
}

const columns = {
  id: scimToken.tokenId,
  issuedAt: epochMs(scimToken.issuedAt),
  expiresAt: epochMs(scimToken.expiresAt),
  lastUsedAt: sql<number | null>`${epochMs(scimToken.lastUsedAt)}`,
  readAt: databaseNowMs,
};

export interface NewToken {
  readonly vendor: string;
  readonly id: string;
  readonly digest: string;
  readonly days: number;
  /** Until when those before it hold. */
  readonly overlapHours: number;
}

/** Those before it expire after the overlap, and those that have expired go. */
export async function putToken(tx: Queryable, { vendor, id, digest, days, overlapHours }: NewToken): Promise<ScimToken | null> {
  await orm(tx)
    .delete(scimToken)
    .where(and(eq(scimToken.vendor, vendor), lt(scimToken.expiresAt, sql`now()`)));
  const overlap = sql`least(${scimToken.expiresAt}, now() + make_interval(hours => ${overlapHours}::int))`;
  await orm(tx).update(scimToken).set({ expiresAt: overlap }).where(eq(scimToken.vendor, vendor));
  const expiresAt = sql<string>`now() + make_interval(days => ${days}::int)`;
  await orm(tx).insert(scimToken).values({ vendor, tokenId: id, digest, expiresAt });
  const [row] = await orm(tx)
    .select(columns)
    .from(scimToken)
    .where(and(eq(scimToken.vendor, vendor), eq(scimToken.tokenId, id)));
  return row ?? null;
}

/** Until the transaction's end no other request with `If-Match` changes a group of the vendor's: tokens are what it has for sure, and few of. */
export async function lockDirectory(tx: Queryable, vendor: string): Promise<void> {
  await tx.query(`select token_id, ${databaseNowText} from postern.scim_token where vendor = $1 order by token_id for update`, [vendor]);
}

/** The newest last. */
export async function selectTokens(database: Queryable, vendor: string): Promise<ScimToken[]> {
  return orm(database)
    .select(columns)
    .from(scimToken)
    .where(eq(scimToken.vendor, vendor))
    .orderBy(asc(scimToken.issuedAt), asc(scimToken.tokenId));
}

/** `false` = there is none of that id. */
export async function removeToken(tx: Queryable, vendor: string, id: string): Promise<boolean> {
  const rows = await orm(tx)
    .delete(scimToken)
    .where(and(eq(scimToken.vendor, vendor), eq(scimToken.tokenId, id)))
    .returning({ id: scimToken.tokenId });
  return rows.length > 0;
}
