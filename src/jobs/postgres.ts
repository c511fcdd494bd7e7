/** A lease as parts of statements, for tables that say until when somebody works on a row. */
import { type AnyColumn, type SQL, sql } from "drizzle-orm";

export function leaseEnd(leaseMs: number): SQL {
  return sql`now() + ${leaseMs}::int * interval '1 millisecond'`;
}

export function leaseIsFree(leaseUntil: AnyColumn): SQL {
  return sql`(${leaseUntil} is null or ${leaseUntil} < now())`;
}
