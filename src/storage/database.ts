/**
 * What the rest of the house sees of a database. Two implementations: `pglite.ts` (embedded) and `postgres.ts` (by URL).
 */

/** bytea travels as Uint8Array; times go in as ISO 8601 text with a cast, arrays as JSON text with a cast. */
export type Param = string | number | boolean | Uint8Array | null;
export type Cell = string | number | boolean | Uint8Array | null;
export type Row = readonly Cell[];

export interface Queryable {
  /**
   * Runs one statement and answers its rows as arrays, in the statement's column order. int2, int4, float8 → number; int8, timestamptz, numeric → Postgres' text; bytea → Uint8Array.
   * Outside a transaction it resolves after the commit. Throws `DatabaseUnavailable` where the outcome is unknown or nothing ran, `DatabaseError` where the server refused.
   */
  query(text: string, params?: readonly Param[]): Promise<Row[]>;
}

export interface Database extends Queryable {
  /** Commits when `work` resolves, rolls back when it throws. */
  transaction<Value>(work: (tx: Queryable) => Promise<Value>): Promise<Value>;
  /** Several statements at once, no parameters, no rows: migrations. */
  script(text: string): Promise<void>;
  close(): Promise<void>;
}

/** The server could not be reached, did not answer by the deadline, or the queue in front of it is full. */
export class DatabaseUnavailable extends Error {
  /** Whether the statement may have been carried out. */
  readonly uncertain: boolean;
  constructor(reason: string, uncertain: boolean, cause?: unknown) {
    super(reason, { cause });
    this.name = "DatabaseUnavailable";
    this.uncertain = uncertain;
  }
}

/** The server refused the statement. Carries the SQLSTATE, never the values. */
export class DatabaseError extends Error {
  readonly sqlState: string;
  readonly constraint: string | null;
  constructor(sqlState: string, constraint: string | null) {
    super(`database refused with SQLSTATE ${sqlState}`);
    this.name = "DatabaseError";
    this.sqlState = sqlState;
    this.constraint = constraint;
  }
}
