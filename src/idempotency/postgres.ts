/** The table of requests that came with an Idempotency-Key. All times are the database's. */
import { and, eq, isNull, lte, type SQL, sql } from "drizzle-orm";
import { orm, type Queryable } from "../storage/index.ts";
import { idempotency } from "./schema.ts";

/** How long an answer is given again. */
const lifeHours = 24;
/** Of one principal; the oldest goes first. */
const answersPerPrincipalMax = 1_000;

/** Where a request has its row. Keyed hashes, 32 bytes each. */
export interface Place {
  readonly principal: Uint8Array;
  readonly name: Uint8Array;
}

export type Claim =
  /** `lease`: names this attempt. */
  | { readonly kind: "first"; readonly lease: string }
  | { readonly kind: "under_way" }
  | { readonly kind: "another_request" }
  | { readonly kind: "answered"; readonly sealed: Uint8Array };

/**
 * Takes the row for this attempt where there is none, where it has expired, or where whoever had it died with it: the same request alone may take that one
 * over, because what it did before it died is not known.
 */
export async function claim(database: Queryable, { principal, name }: Place, request: Uint8Array, leaseMs: number): Promise<Claim> {
  const [row] = await database.query(claimText, [principal, name, request, leaseMs]);
  // Another one's insert, which this statement's snapshot did not show.
  if (!row) return { kind: "under_way" };
  const [lease, same, answer] = row;
  if (typeof lease === "string") return { kind: "first", lease };
  if (same !== true) return { kind: "another_request" };
  return answer instanceof Uint8Array ? { kind: "answered", sealed: answer } : { kind: "under_way" };
}

/** Nothing where another attempt has taken the row over. Lets go of the principal's oldest answers beyond the bound. */
export async function remember(database: Queryable, place: Place, lease: string, sealed: Uint8Array): Promise<void> {
  await orm(database).update(idempotency).set({ answer: sealed }).where(attempt(place, lease));
  await database.query(boundText, [place.principal]);
}

/** The key is free again, for any request. */
export async function release(database: Queryable, place: Place, lease: string): Promise<void> {
  await orm(database)
    .delete(idempotency)
    .where(and(attempt(place, lease), isNull(idempotency.answer)));
}

export async function forgetExpired(database: Queryable): Promise<void> {
  await orm(database).delete(idempotency).where(lte(idempotency.expiresAt, sql`now()`));
}

function attempt({ principal, name }: Place, lease: string): SQL | undefined {
  return and(eq(idempotency.principal, principal), eq(idempotency.name, name), eq(idempotency.leaseUntil, lease));
}

const claimText = `with claimed as (
    insert into postern.idempotency as k (principal, name, request, lease_until, expires_at)
    values ($1, $2, $3, now() + make_interval(secs => $4::float8 / 1000), now() + make_interval(hours => ${lifeHours}))
    on conflict (principal, name) do update
      set request = excluded.request, lease_until = excluded.lease_until, expires_at = excluded.expires_at, answer = null
      where k.expires_at <= now() or (k.answer is null and k.lease_until <= now() and k.request = excluded.request)
    returning lease_until)
  select lease_until::text, true, null::bytea from claimed
  union all
  select null, k.request = $3, k.answer from postern.idempotency k
    where k.principal = $1 and k.name = $2 and not exists (select from claimed)`;
const boundText = `delete from postern.idempotency where principal = $1 and name in (
    select name from postern.idempotency where principal = $1 and answer is not null order by expires_at desc offset ${answersPerPrincipalMax})`;
