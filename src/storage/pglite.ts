/**
 * The embedded database: PGlite in this process, for the demo and development. One superuser session, no fsync: it survives a killed process, not a power cut.
 */
import { mkdirSync } from "node:fs";
import { PGlite } from "@electric-sql/pglite";
import { type Cell, type Database, DatabaseError, DatabaseUnavailable, type Param, type Row } from "./database.ts";
import { lockDirectory } from "./directory-lock.ts";
import { guardTransaction } from "./transaction.ts";
import { byteaType, textTypes, wireText } from "./wire.ts";

export { lockDirectory } from "./directory-lock.ts";

/** `snapshot`: what `dump` answered; the database starts from it instead of empty. */
export type PgliteOptions = { readonly directory: string } | { readonly memory: true; readonly snapshot?: Blob };

export interface PgliteDatabase extends Database {
  /** The whole data directory as one file, for `snapshot`. */
  dump(): Promise<Blob>;
}

const asText = (text: string) => text;
const parsers = Object.fromEntries(textTypes.map((type) => [type, asText]));
/** Every parameter is already Postgres' text. bool, bytea and the json types would not take that from a string. */
const serializers = Object.fromEntries([16, byteaType, ...textTypes].map((type) => [type, asText]));

/** Throws `DirectoryInUse` where another process has the directory open. */
export async function openPglite(options: PgliteOptions): Promise<PgliteDatabase> {
  const place = "directory" in options ? options.directory : null;
  const lock = place === null ? null : await lockDirectory(place);
  try {
    if (place !== null) mkdirSync(place, { recursive: true });
    const loadDataDir = "memory" in options ? options.snapshot : undefined;
    const pglite = await PGlite.create({
      ...(place === null ? {} : { dataDir: place }),
      ...(loadDataDir ? { loadDataDir } : {}),
      parsers,
      serializers,
    });
    return wrap(pglite, () => lock?.release());
  } catch (error) {
    lock?.release();
    throw error;
  }
}

function wrap(pglite: PGlite, released: () => void): PgliteDatabase {
  let closing: Promise<void> | null = null;
  return {
    query: (text, params) => guarded(() => run(pglite, text, params)),
    transaction: (work) =>
      guarded(() =>
        pglite.transaction(async (tx) => {
          const guard = guardTransaction((text, params) => guarded(() => run(tx, text, params)));
          return await guard.run(work);
        }),
      ),
    script: (text) =>
      guarded(async () => {
        await pglite.exec(text);
      }),
    dump: () => pglite.dumpDataDir("none"),
    close() {
      closing ??= pglite.close().finally(released);
      return closing;
    },
  };
}

async function run(session: Pick<PGlite, "query">, text: string, params: readonly Param[] = []): Promise<Row[]> {
  const { rows } = await session.query<Cell[]>(text, params.map(wireText), { rowMode: "array" });
  return rows;
}

/** PGlite's own errors carry the statement and its parameters; ours do not. Errors of the caller's work pass. */
async function guarded<Value>(work: () => Promise<Value>): Promise<Value> {
  try {
    return await work();
  } catch (error) {
    throw translated(error);
  }
}

function translated(error: unknown): unknown {
  if (!(error instanceof Error) || error instanceof DatabaseError || error instanceof DatabaseUnavailable) return error;
  if ("severity" in error && "code" in error && typeof error.code === "string") {
    const constraint = "constraint" in error && typeof error.constraint === "string" ? error.constraint : null;
    return new DatabaseError(error.code, constraint);
  }
  if (error.message === "PGlite is closed" || error.message === "PGlite is closing")
    return new DatabaseUnavailable("the database is closed", false);
  return error;
}
