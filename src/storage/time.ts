/** Times cross the border as milliseconds since 1970 (numbers) on the way out and ISO 8601 text on the way in. */
import { type AnyColumn, type SQL, sql } from "drizzle-orm";

/** A timestamptz column as milliseconds. */
export function epochMs(column: AnyColumn): SQL<number> {
  return sql<number>`(extract(epoch from ${column}) * 1000)::float8`;
}

/** The database's clock, in milliseconds. Every read statement asks for it: such a statement is never answered from a cache in front of the database. */
export const databaseNowMs: SQL<number> = sql<number>`(extract(epoch from now()) * 1000)::float8`;
export const databaseNowText = "(extract(epoch from now()) * 1000)::float8";
