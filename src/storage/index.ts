export { type Cell, type Database, DatabaseError, DatabaseUnavailable, type Param, type Queryable, type Row } from "./database.ts";
export { checkMigrations, type Migration, MigrationRefused, migrate } from "./migrate.ts";
export { bytea, type Orm, orm } from "./orm.ts";
export { databaseNowMs, databaseNowText, epochMs } from "./time.ts";
