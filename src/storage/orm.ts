/**
 * drizzle over any Queryable: both drivers, in and outside a transaction. Rows travel as arrays, so nothing depends on a driver's own mapping.
 */
import { customType, PgDialect } from "drizzle-orm/pg-core";
import { PgRemoteDatabase, PgRemoteSession } from "drizzle-orm/pg-proxy";
import type { Param, Queryable } from "./database.ts";

export type Orm = PgRemoteDatabase;

/** bytea ↔ Uint8Array, for the schema files. */
export const bytea = customType<{ data: Uint8Array; driverData: Uint8Array }>({ dataType: () => "bytea" });

const dialect = new PgDialect();

/** Typed statements over `queryable`. `transaction()` of the result is refused: take `Database.transaction` and wrap its `tx`. */
export function orm(queryable: Queryable): Orm {
  const run = async (text: string, params: Param[]) => ({ rows: [...(await queryable.query(text, params))] });
  return new PgRemoteDatabase(dialect, new Session(run, dialect, undefined), undefined);
}

class Session extends PgRemoteSession<Record<string, never>, Record<string, never>> {
  /** drizzle wraps every error into one whose message holds the parameters; ours pass as they are. */
  override prepareQuery: PgRemoteSession<Record<string, never>, Record<string, never>>["prepareQuery"] = (...args) =>
    Object.assign(super.prepareQuery(...args), { queryWithCache: unwrapped });
}

function unwrapped<Rows>(_text: string, _params: unknown, query: () => Promise<Rows>): Promise<Rows> {
  return query();
}
