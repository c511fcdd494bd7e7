/**
 * Numbered SQL, forward only. What was applied stands in `public.postern_migration` with its SHA-256; the owner runs this, workers only check.
 */
import { sha256, toHex, utf8 } from "../crypto/index.ts";
import { type Database, DatabaseError, type Queryable } from "./database.ts";

/** One file of `migrations/`. */
export interface Migration {
  readonly number: number;
  /** `0001-spine.sql` */
  readonly name: string;
  readonly text: string;
}

/** A migration by the SHA-256 of its text, for builds that do not carry the text. */
export interface MigrationDigest {
  readonly number: number;
  readonly name: string;
  /** Lower-case hex. */
  readonly digest: string;
}

/** `behind`: the database lacks a migration of this build. `ahead`: it has one more. `changed`: it has one with another text. */
export type Mismatch = "behind" | "ahead" | "changed";

/** The database and this build do not belong together. The message is one line for an operator. */
export class MigrationRefused extends Error {
  readonly mismatch: Mismatch;
  constructor(mismatch: Mismatch, reason: string) {
    super(reason);
    this.name = "MigrationRefused";
    this.mismatch = mismatch;
  }
}

/** The server said no, and nothing of what it was given stays behind. The message is one line for an operator. */
class MigrationFailed extends Error {
  constructor(what: string, cause: DatabaseError) {
    const reason =
      cause.sqlState === insufficientPrivilege
        ? "this role may not: it must own the database, and create or administer the roles postern_edge, postern_keeper, postern_directory, postern_sequencer, postern_reader"
        : `the database refused it with SQLSTATE ${cause.sqlState}`;
    super(`${what}: ${reason}`, { cause });
    this.name = "MigrationFailed";
  }
}

/** Any constant: whoever migrates this database holds it until its transaction ends. */
const lockKey = 7_305_412_001;
const takeLock = `select pg_advisory_xact_lock(${lockKey});`;
const namePattern = /^[0-9]{4}-[a-z0-9-]+\.sql$/;
const uniqueViolation = "23505";
const insufficientPrivilege = "42501";

/**
 * Applies what is missing, each file in a transaction of its own; answers the names of those applied now.
 * Safe for two at once: the second waits for the first and finds its work done. Throws `MigrationRefused` on a changed file or a newer database,
 * `MigrationFailed` where the server refuses one.
 */
export async function migrate(database: Database, migrations: readonly Migration[]): Promise<string[]> {
  const table = `${takeLock}
create table if not exists public.postern_migration (number int primary key, name text not null, digest text not null, applied_at timestamptz not null default now());
grant select on public.postern_migration to public;`;
  await database.script(table).catch((error: unknown) => {
    throw error instanceof DatabaseError ? new MigrationFailed("nothing was applied", error) : error;
  });
  const present = compare(await appliedMigrations(database), migrationDigests(migrations));
  const applied: string[] = [];
  for (const migration of migrations) {
    if (present.has(migration.number)) continue;
    if (await apply(database, migration)) applied.push(migration.name);
  }
  await checkMigrations(database, migrations);
  return applied;
}

/** Throws `MigrationRefused` unless exactly `migrations` were applied, with the same text each. Changes nothing. */
export function checkMigrations(database: Queryable, migrations: readonly Migration[]): Promise<void> {
  return checkMigrationDigests(database, migrationDigests(migrations));
}

/** The same for a build that knows its migrations by their digests alone. */
export async function checkMigrationDigests(database: Queryable, migrations: readonly MigrationDigest[]): Promise<void> {
  const [row] = await database.query("select to_regclass('public.postern_migration') is not null, now()");
  const present = compare(row?.[0] === true ? await appliedMigrations(database) : [], migrations);
  const missing = migrations.find((migration) => !present.has(migration.number));
  if (missing) throw new MigrationRefused("behind", `the database lacks migration ${missing.name}: run the migrations as its owner first`);
}

export function migrationDigests(migrations: readonly Migration[]): MigrationDigest[] {
  return migrations.map((migration) => ({ number: migration.number, name: migration.name, digest: digestOf(migration) }));
}

/** False where another process was faster. */
async function apply(database: Database, migration: Migration): Promise<boolean> {
  if (!namePattern.test(migration.name)) throw new RangeError(`${migration.name} is no name of a migration`);
  // One simple query of several statements is one transaction: a kill before its end leaves neither the row nor the tables.
  // The row comes first: its unique key stops the slower of two before it runs anything else.
  const row = `${migration.number}, '${migration.name}', '${digestOf(migration)}'`;
  try {
    await database.script(`${takeLock}\ninsert into public.postern_migration (number, name, digest) values (${row});\n${migration.text}`);
    return true;
  } catch (error) {
    if (error instanceof DatabaseError && error.sqlState === uniqueViolation && error.constraint === "postern_migration_pkey") return false;
    throw error instanceof DatabaseError ? new MigrationFailed(`migration ${migration.name} was not applied`, error) : error;
  }
}

async function appliedMigrations(database: Queryable): Promise<MigrationDigest[]> {
  const rows = await database.query("select number, name, digest, now() from public.postern_migration order by number");
  return rows.map(([number, name, digest]) => ({ number: Number(number), name: String(name), digest: String(digest) }));
}

/** The numbers that are applied. Throws where an applied one is unknown here or has another text. */
function compare(applied: readonly MigrationDigest[], migrations: readonly MigrationDigest[]): ReadonlySet<number> {
  const known = new Map(migrations.map((migration) => [migration.number, migration]));
  for (const { number, name, digest } of applied) {
    const migration = known.get(number);
    if (!migration) throw new MigrationRefused("ahead", `the database is newer than this build: it has migration ${name}`);
    if (migration.digest !== digest)
      throw new MigrationRefused("changed", `migration ${name} was changed after it was applied to this database`);
  }
  return new Set(applied.map(({ number }) => number));
}

function digestOf(migration: Migration): string {
  return toHex(sha256(utf8(migration.text)));
}
