/** `postern migrate`: as the database's owner, never by a process that serves. */
import { type Environment, readSettings } from "../config.ts";
import { ConfigRefused } from "../operator-settings.ts";
import { command, jsonFlag } from "./command.ts";
import { print, printJson, suggest } from "./output.ts";

const migrateWithinMs = 600_000;

export const migrate = command({
  meta: { description: "Bring a Postgres up to this build, as its owner" },
  examples: ["DATABASE_URL=postgres://owner@127.0.0.1/postern npx postern migrate"],
  args: jsonFlag,
  async run({ args }) {
    const settings = readSettings(process.env);
    if (!settings.DATABASE_URL) throw new ConfigRefused("DATABASE_URL is needed: the owner's; the embedded database migrates by itself");
    const applied = await migrateDatabase(settings.DATABASE_URL);
    const shares = await prepareShares(settings);
    const anchor = await prepareAnchor(settings);
    if (args.json) return printJson({ applied, share_store: shares, anchor });
    print(applied.length > 0 ? `applied ${applied.join(", ")}` : "nothing to apply: the database is at this build");
    if (shares) print("the share store's table is there");
    if (anchor) print("the anchor's table is there");
    suggest("DATABASE_URL_EDGE=… DATABASE_URL_KEEPER=… npx postern serve");
  },
});

async function migrateDatabase(url: string): Promise<string[]> {
  const [{ migrate: apply }, { readMigrations }] = await Promise.all([
    import("../storage/index.ts"),
    import("../storage/node-migrations.ts"),
  ]);
  return withDatabase(url, (database) => apply(database, readMigrations()));
}

/** Share B's table in the second database, where there is one. */
async function prepareShares({ POSTERN_SHARE_STORE: store }: Environment): Promise<boolean> {
  if (!store || !("url" in store)) return false;
  const { shareStoreSchema } = await import("../keys/postgres-share-store.ts");
  await withDatabase(store.url, (database) => database.script(shareStoreSchema));
  return true;
}

/** The anchor's table, in the share store's database where no other one is named. */
async function prepareAnchor({ POSTERN_ANCHOR, POSTERN_SHARE_STORE }: Environment): Promise<boolean> {
  const place = POSTERN_ANCHOR ?? POSTERN_SHARE_STORE;
  if (!place || !("url" in place)) return false;
  const { anchorSchema } = await import("../audit/postgres-anchor.ts");
  await withDatabase(place.url, (database) => database.script(anchorSchema));
  return true;
}

async function withDatabase<Value>(
  url: string,
  work: (database: import("../storage/index.ts").Database) => Promise<Value>,
): Promise<Value> {
  const { openPostgres } = await import("../storage/postgres.ts");
  const database = openPostgres({ url, poolSize: 1, queueMax: 10, deadlineMs: migrateWithinMs, applicationName: "postern-migrate" });
  try {
    return await work(database);
  } finally {
    await database.close();
  }
}
