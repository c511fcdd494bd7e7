/** The people of vendors' directories: of what a directory sends, what a seat keeps, and by what the directory finds them again. */
import { and, asc, eq, inArray, ne, or, sql } from "drizzle-orm";
import { likenessOf } from "../contracts/index.ts";
import { databaseNowMs, epochMs, orm, type Queryable } from "../storage/index.ts";
import type { Person } from "./postgres-members.ts";
import { scimUser } from "./schema.ts";

/** What a client may change of it. */
export interface UserFields {
  readonly login: string;
  readonly externalId: string | null;
  readonly name: string;
  readonly active: boolean;
}

export interface ScimUser extends UserFields, Person {
  readonly id: string;
  readonly version: number;
  /** Milliseconds. */
  readonly createdAt: number;
  readonly changedAt: number;
}

const columns = {
  id: scimUser.userId,
  issuer: scimUser.issuer,
  subject: scimUser.subject,
  login: scimUser.login,
  externalId: scimUser.externalId,
  name: scimUser.name,
  active: scimUser.active,
  version: scimUser.version,
  createdAt: epochMs(scimUser.createdAt),
  changedAt: epochMs(scimUser.changedAt),
  readAt: databaseNowMs,
};

const isOne = (vendor: string, id: string) => and(eq(scimUser.vendor, vendor), eq(scimUser.userId, id));

/** `null` = the vendor has none of that id. */
export async function selectUser(database: Queryable, vendor: string, id: string): Promise<ScimUser | null> {
  const [row] = await orm(database).select(columns).from(scimUser).where(isOne(vendor, id));
  return row ?? null;
}

export async function selectUsersById(database: Queryable, vendor: string, ids: readonly string[]): Promise<ScimUser[]> {
  if (ids.length === 0) return [];
  return orm(database)
    .select(columns)
    .from(scimUser)
    .where(and(eq(scimUser.vendor, vendor), inArray(scimUser.userId, [...ids])));
}

/** What a list is asked for: one of these, exactly; `null` = everybody. */
export type UserFilter = { readonly by: "id" | "externalid" | "username"; readonly value: string } | null;

export interface Page<Item> {
  readonly items: readonly Item[];
  readonly total: number;
}

export async function selectUsers(
  database: Queryable,
  vendor: string,
  { filter, skip, count }: { readonly filter: UserFilter; readonly skip: number; readonly count: number },
): Promise<Page<ScimUser>> {
  const asked = and(eq(scimUser.vendor, vendor), conditionOf(filter));
  const items = await orm(database)
    .select(columns)
    .from(scimUser)
    .where(asked)
    .orderBy(asc(scimUser.createdAt), asc(scimUser.userId))
    .offset(skip)
    .limit(count);
  const [row] = await orm(database).select({ total: sql<number>`count(*)::int`, readAt: databaseNowMs }).from(scimUser).where(asked);
  return { items, total: row?.total ?? 0 };
}

/** userName is compared without regard to case, the others exactly (RFC 7643 §4.1.1, §3.1). No two look alike, so likeness finds one at most. */
function conditionOf(filter: UserFilter) {
  if (filter === null) return undefined;
  if (filter.by === "id") return eq(scimUser.userId, filter.value);
  if (filter.by === "externalid") return eq(scimUser.externalId, filter.value);
  return and(eq(scimUser.loginLikeness, likenessOf(filter.value)), sql`lower(${scimUser.login}) = lower(${filter.value})`);
}

/** Whether somebody else there has this login or this subject, or one that looks like it. */
export async function isTaken(
  database: Queryable,
  vendor: string,
  { id, issuer, subject, login }: Pick<ScimUser, "id" | "issuer" | "subject" | "login">,
): Promise<boolean> {
  const likeness = and(eq(scimUser.issuer, issuer), eq(scimUser.likeness, likenessOf(subject)));
  const rows = await orm(database)
    .select({ id: scimUser.userId, readAt: databaseNowMs })
    .from(scimUser)
    .where(and(eq(scimUser.vendor, vendor), ne(scimUser.userId, id), or(likeness, eq(scimUser.loginLikeness, likenessOf(login)))));
  return rows.length > 0;
}

/** `null` = another request was quicker with somebody who looks the same. */
export async function insertUser(
  tx: Queryable,
  vendor: string,
  { id, issuer, subject, login, ...fields }: Omit<ScimUser, "version" | "createdAt" | "changedAt">,
): Promise<ScimUser | null> {
  const likenesses = { likeness: likenessOf(subject), loginLikeness: likenessOf(login) };
  const [row] = await orm(tx)
    .insert(scimUser)
    .values({ vendor, userId: id, issuer, subject, login, ...likenesses, ...fields, version: 1 })
    .onConflictDoNothing()
    .returning({ id: scimUser.userId });
  return row ? selectUser(tx, vendor, row.id) : null;
}

/** `null` = it is another version by now, or gone. */
export async function updateUser(
  tx: Queryable,
  vendor: string,
  { id, version }: Pick<ScimUser, "id" | "version">,
  { login, externalId, name, active }: UserFields,
): Promise<ScimUser | null> {
  const fields = { login, loginLikeness: likenessOf(login), externalId, name, active };
  const [row] = await orm(tx)
    .update(scimUser)
    .set({ ...fields, version: version + 1, changedAt: sql`now()` })
    .where(and(isOne(vendor, id), eq(scimUser.version, version)))
    .returning({ id: scimUser.userId });
  return row ? selectUser(tx, vendor, row.id) : null;
}

export async function deleteUser(tx: Queryable, vendor: string, { id, version }: Pick<ScimUser, "id" | "version">): Promise<boolean> {
  const rows = await orm(tx)
    .delete(scimUser)
    .where(and(isOne(vendor, id), eq(scimUser.version, version)))
    .returning({ id: scimUser.userId });
  return rows.length > 0;
}
