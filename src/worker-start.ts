/**
 * What a script on Workers checks before its first statement. There is no start there that could fail, so each check stands in front of its
 * database: asked until it passes, then never again in this isolate. While it does not, nothing of a caller's is run, and one line says why.
 * Migrations are not run here: this build knows them by digest and only compares.
 */
import { gatewayLog, isSameLog } from "./audit/index.ts";
import { ConfigRefused } from "./operator-settings.ts";
import { checkRole, type DatabaseRole } from "./start-checks.ts";
import {
  checkMigrationDigests,
  type Database,
  DatabaseUnavailable,
  MigrationRefused,
  migrationsOfThisBuild,
  type Queryable,
} from "./storage/index.ts";

/** Kept at module scope. */
export interface Passed {
  yet: boolean;
}

/** The operator has something to mend, and was told what. */
export class StartRefused extends DatabaseUnavailable {
  constructor(line: string) {
    super(line, false);
    this.name = "StartRefused";
  }
}

/** Throws StartRefused, after it told the line, where `check` throws for the operator; any other fault as it is. */
export function passOnce(passed: Passed, check: () => Promise<void>, tell: (line: string) => void): () => Promise<void> {
  return async () => {
    if (passed.yet) return;
    try {
      await check();
    } catch (error) {
      if (!(error instanceof MigrationRefused || error instanceof ConfigRefused)) throw error;
      tell(error.message);
      throw new StartRefused(error.message);
    }
    passed.yet = true;
  };
}

/** The same database, whose statements wait until `pass` resolves. */
export function behind(database: Database, pass: () => Promise<void>): Database {
  return {
    ...database,
    query: (text, params) => pass().then(() => database.query(text, params)),
    transaction: (work) => pass().then(() => database.transaction(work)),
  };
}

/** This build's schema, the script's own role, and the log's name. Throws MigrationRefused or ConfigRefused. */
export async function checkMainDatabase(
  database: Queryable,
  { role, logName }: { readonly role: DatabaseRole; readonly logName: string },
): Promise<void> {
  await checkMigrationDigests(database, migrationsOfThisBuild);
  await checkRole(database, role);
  const [log] = await database.query("select origin, now() from audit.log where log = $1", [gatewayLog]);
  if (log && !isSameLog(String(log[0]), `${logName}/${gatewayLog}`))
    throw new ConfigRefused(`POSTERN_LOG_NAME is not the name this database began with (${log[0]})`);
}
