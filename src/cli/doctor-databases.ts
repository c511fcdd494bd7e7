/** What the doctor asks a Postgres. */
import type { RootKey, ShareStore } from "../keys/index.ts";
import type { Database, Mismatch } from "../storage/index.ts";

export type Outcome = { readonly ok: string } | { readonly failing: string; readonly cure: string };

const answerWithinMs = 3_000;
const oldestVersion = 150_000;
const skewMaxMs = 60_000;

const cures: Readonly<Record<Mismatch, string>> = {
  behind: "DATABASE_URL=… npx postern migrate",
  ahead: "run the build that migrated it, or a later one: nothing goes back",
  changed: "run the build that migrated it, or a later one: what was applied is never changed",
};

/** `role`: the one that this side's URL has to name, whose grants and timeouts are its own. */
export async function checkDatabase(url: string, role: "postern_edge" | "postern_keeper"): Promise<Outcome> {
  return asking(url, async (database) => {
    const text =
      "select current_setting('server_version_num')::int, (extract(epoch from now()) * 1000)::float8, current_user::text, rolsuper, current_setting('synchronous_commit') from pg_roles where rolname = current_user";
    const [version = 0, clock = 0, user = "", superuser = false, commit = ""] = (await database.query(text))[0] ?? [];
    if (Number(version) < oldestVersion) return { failing: `its version is ${version}`, cure: "Postgres 15 or newer is needed" };
    if (Math.abs(Number(clock) - Date.now()) > skewMaxMs) {
      return { failing: "its clock and this host's differ by over a minute", cure: "synchronize both; the database's decides" };
    }
    if (superuser) return { failing: `${user} is a superuser, whom no grant binds`, cure: `name ${role} in the URL` };
    // Postgres lets every role change its own settings, so a stolen password is enough to have done it.
    if (commit === "off") {
      return { failing: `${user}'s synchronous_commit is off`, cure: `as owner: alter role ${user} set synchronous_commit = 'on'` };
    }
    const [{ checkMigrations, MigrationRefused }, { readMigrations }] = await Promise.all([
      import("../storage/index.ts"),
      import("../storage/node-migrations.ts"),
    ]);
    try {
      await checkMigrations(database, readMigrations());
    } catch (error) {
      if (!(error instanceof MigrationRefused)) throw error;
      return { failing: error.message, cure: cures[error.mismatch] };
    }
    const halted = role === "postern_keeper" ? await checkLogs(database) : null;
    if (halted) return halted;
    const doubted = role === "postern_keeper" ? await checkClock(database) : null;
    if (doubted) return doubted;
    if (user !== role)
      return { failing: `it is asked as ${user}`, cure: `name ${role} in the URL: grants and timeouts are that role's own` };
    return { ok: `Postgres ${Math.floor(Number(version) / 10_000)} as ${user}, migrated` };
  });
}

/** `null` = no log is halted. */
async function checkLogs(database: Database): Promise<Outcome | null> {
  const { selectHalted } = await import("../audit/index.ts");
  const [first, ...others] = await selectHalted(database);
  if (!first) return null;
  const more = others.length > 0 ? ` (and ${others.length} more logs)` : "";
  return {
    failing: `log ${first.log} is halted${more}: ${first.reason}`,
    cure: "nothing is numbered or signed on it until this database holds what was published; bring back the newest copy, or its WAL to the end; it then goes on by itself. Where there is no newer one: `postern audit new-epoch` says what is lost",
  };
}

/** `null` = it is believed. */
async function checkClock(database: Database): Promise<Outcome | null> {
  const { describeDoubt, selectClock } = await import("../contracts/index.ts");
  const clock = await selectClock(database);
  const doubt = clock && describeDoubt(clock);
  if (!doubt) return null;
  return {
    failing: doubt,
    cure: "set the server's clock right; if it is right, because the gateway stood still: npx postern clock accept --now TIME, as an operator",
  };
}

/** A sink that fails loses nothing: the log is its buffer. */
export async function checkSink(url: string, sink: string): Promise<Outcome> {
  return asking(url, async (database) => {
    const { describeStanding, selectStanding } = await import("../copies/index.ts");
    const standing = await selectStanding(database, sink);
    const text = describeStanding(standing);
    const last = standing.lastError === null ? "" : `; last error: ${standing.lastError}`;
    if (standing.failingForMs !== null)
      return { failing: `${text}${last}`, cure: "look at the sink; nothing is lost meanwhile, and it goes on by itself" };
    if (standing.dead > 0) return { failing: `${text}${last}`, cure: "the sink refused these entries for good; export them from the log" };
    return { ok: text };
  });
}

export async function checkShareDatabase(url: string): Promise<Outcome> {
  return asking(url, async (database) => {
    const { missingShareTable } = await import("../keys/postgres-share-store.ts");
    const missing = await missingShareTable(database);
    if (missing === null) return { ok: "a Postgres of its own; it must have no backups" };
    return { failing: `its table ${missing} is missing`, cure: "DATABASE_URL=… POSTERN_SHARE_STORE=… npx postern migrate" };
  });
}

/** `shares`: a directory, or another database. Fails where something of a purged contract is there. */
export async function checkPurged(url: string, shares: { readonly path: string } | { readonly url: string }): Promise<Outcome> {
  const [{ selectTripped }, { selectUndone }] = await Promise.all([import("../purge/index.ts"), import("../erasure/index.ts")]);
  const look = async (store: Pick<ShareStore, "buried" | "deletions">) =>
    asking(url, async (database) => {
      const [first, ...others] = await selectTripped(database, store);
      const [undone] = await selectUndone(database, store);
      if (!first && undone) {
        const failing = `something of ${undone.contract} was deleted, and this database knows nothing of it`;
        return { failing, cure: "was the database restored from before? `npx postern tombstones`, then --replay" };
      }
      if (!first) return { ok: "nothing of a purged contract is there, and what was deleted before is gone" };
      const more = others.length > 0 ? ` (and ${others.length} more places)` : "";
      return {
        failing: `${first.contract} was purged, and ${first.table} holds something of it again${more}`,
        cure: "was the database restored from before? `npx postern tombstones`, then --replay. Otherwise find out who wrote there",
      };
    });
  if ("path" in shares) return look((await import("../keys/file-share-store.ts")).createFileShareStore(shares.path));
  const { createPostgresShareStore } = await import("../keys/postgres-share-store.ts");
  return asking(shares.url, (database) => look(createPostgresShareStore(database)));
}

export async function checkUnwraps(url: string, root: RootKey): Promise<Outcome> {
  const { countByRoot, unwrapsGatewayKey } = await import("../keys/index.ts");
  return asking(url, async (database) => {
    const unwraps = await unwrapsGatewayKey(database, root).catch(messageOf);
    if (typeof unwraps === "string") return { failing: unwraps, cure: "docs/DEPLOY.md has the policy for the service" };
    if (unwraps === false)
      return {
        failing: "the key is not the one that this database began with",
        cure: "name that one; with another nothing that is stored opens",
      };
    const foreign = (await countByRoot(database)).filter(({ name }) => !root.names.includes(name));
    const keys = foreign.reduce((sum, { shares, logKeys }) => sum + shares + logKeys, 0);
    if (keys > 0)
      return {
        failing: `${keys} keys lie under another root key: ${foreign.map(({ name }) => name).join(", ")}`,
        cure: "name that one in POSTERN_ROOT_KEY_BESIDE, then `npx postern keys rewrap-root`",
      };
    return { ok: unwraps ? "opens what is stored" : "nothing is stored yet" };
  });
}

/** The URL is not repeated: it may hold a password. */
export async function asking(url: string, work: (database: Database) => Promise<Outcome>): Promise<Outcome> {
  const { openPostgres } = await import("../storage/postgres.ts");
  const database = openPostgres({ url, poolSize: 1, queueMax: 10, deadlineMs: answerWithinMs, applicationName: "postern-doctor" });
  try {
    return await work(database);
  } catch (error) {
    return {
      failing: messageOf(error),
      cure: "is the server up, is the URL right, has `postern migrate` made the roles, does pg_hba.conf let this one in?",
    };
  } finally {
    await database.close();
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : "unknown";
}
