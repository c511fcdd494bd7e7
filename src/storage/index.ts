export { inBatches } from "./batches.ts";
export { type Cell, type Database, DatabaseError, DatabaseUnavailable, type Param, type Queryable, type Row } from "./database.ts";
export {
  checkMigrationDigests,
  checkMigrations,
  type Migration,
  type MigrationDigest,
  MigrationRefused,
  type Mismatch,
  migrate,
  migrationDigests,
} from "./migrate.ts";
export { migrationsOfThisBuild } from "./migration-digests.ts";
export { bytea, type Orm, orm } from "./orm.ts";
export { refusableTransaction } from "./refusable.ts";
export { databaseNowMs, databaseNowText, epochMs } from "./time.ts";
