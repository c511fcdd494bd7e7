/** What a script on Workers asks of its databases before its first statement. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { shareStoreSchema } from "../src/keys/postgres-share-store.ts";
import { checkShareDatabase } from "../src/start-checks.ts";
import { type Database, DatabaseUnavailable } from "../src/storage/index.ts";
import { behind, checkMainDatabase, passOnce, StartRefused } from "../src/worker-start.ts";
import { createPostgresDatabase, openTestPool, type PostgresDatabase } from "./support/databases.ts";
import { createGateway, type Gateway } from "./support/gateway.ts";

const logName = "test/postern";

let main: PostgresDatabase;
let empty: PostgresDatabase;
let gateway: Gateway;
const opened = new Map<string, Database>();
/** One pool each. */
function at(url: string): Database {
  const known = opened.get(url) ?? openTestPool(url);
  opened.set(url, known);
  return known;
}

beforeAll(async () => {
  main = await createPostgresDatabase();
  empty = await createPostgresDatabase({ migrated: false });
  gateway = await createGateway({ database: at(main.keeperUrl), edgeDatabase: at(main.edgeUrl) });
  await at(main.ownerUrl).query("create role backup_operator login in role postern_keeper");
  await at(main.ownerUrl).query("create role two_sides login in role postern_edge, postern_directory");
});
afterAll(async () => {
  await at(main.ownerUrl).query("drop role backup_operator");
  await at(main.ownerUrl).query("drop role two_sides");
  await gateway.close();
  await Promise.all([...opened.values()].map((database) => database.close()));
  await Promise.all([main.drop(), empty.drop()]);
});

describe("the main database", () => {
  it("is each script's under its own role", async () => {
    await checkMainDatabase(at(main.edgeUrl), { role: "postern_edge", logName });
    await checkMainDatabase(at(main.directoryUrl), { role: "postern_directory", logName });
    await checkMainDatabase(at(main.keeperUrl), { role: "postern_keeper", logName });
  });

  it.each<[string, () => string, "postern_edge" | "postern_directory" | "postern_keeper", string, RegExp]>([
    [
      "the edge as the keeper",
      () => main.keeperUrl,
      "postern_edge",
      logName,
      /^the database is bound as postern_keeper: bind it as postern_edge/,
    ],
    ["the edge as the owner", () => main.ownerUrl, "postern_edge", logName, /^the database is bound as postgres: bind it as postern_edge/],
    [
      "the edge as the directory",
      () => main.directoryUrl,
      "postern_edge",
      logName,
      /^the database is bound as postern_directory: bind it as postern_edge/,
    ],
    [
      "the edge as whoever may be the directory too",
      () => main.ownerUrl.replace("postgres@", "two_sides@"),
      "postern_edge",
      logName,
      /^the database is bound as two_sides: bind it as postern_edge/,
    ],
    [
      "the directory as the edge",
      () => main.edgeUrl,
      "postern_directory",
      logName,
      /^the database is bound as postern_edge: bind it as postern_directory/,
    ],
    [
      "the directory as the keeper",
      () => main.keeperUrl,
      "postern_directory",
      logName,
      /^the database is bound as postern_keeper: bind it as postern_directory/,
    ],
    [
      "the edge as whoever may be the keeper",
      () => main.ownerUrl.replace("postgres@", "backup_operator@"),
      "postern_edge",
      logName,
      /^the database is bound as backup_operator/,
    ],
    [
      "the keeper as the edge",
      () => main.edgeUrl,
      "postern_keeper",
      logName,
      /^the database is bound as postern_edge: bind it as postern_keeper/,
    ],
    [
      "the keeper as the owner",
      () => main.ownerUrl,
      "postern_keeper",
      logName,
      /^the database is bound as postgres: bind it as postern_keeper/,
    ],
    ["another log's name", () => main.edgeUrl, "postern_edge", "test/other", /^POSTERN_LOG_NAME is not the name this database began with/],
    ["a database without our schema", () => empty.ownerUrl, "postern_edge", logName, /^the database lacks migration 0001/],
  ])("is refused: %s", async (_what, url, role, name, line) => {
    await expect(checkMainDatabase(at(url()), { role, logName: name })).rejects.toThrow(line);
  });
});

describe("the database of the shares", () => {
  it("has their tables, and is not the main one", async () => {
    await expect(checkShareDatabase(at(empty.ownerUrl))).rejects.toThrow(/no table postern_share/);
    await at(empty.ownerUrl).script(shareStoreSchema);
    await checkShareDatabase(at(empty.ownerUrl));
    await at(empty.ownerUrl).script("drop table postern_deletion");
    await expect(checkShareDatabase(at(empty.ownerUrl))).rejects.toThrow(/no table postern_deletion/);
    await expect(checkShareDatabase(at(main.ownerUrl))).rejects.toThrow(/main database/);
  });
});

describe("a check before the first statement", () => {
  it("is asked until it passes, and then never again; what fails for another reason is that reason", async () => {
    const told: string[] = [];
    const passed = { yet: false };
    let asked = 0;
    let fault: Error | null = new DatabaseUnavailable("away", false);
    const check = async () => {
      asked++;
      if (fault) throw fault;
      await checkMainDatabase(at(main.edgeUrl), { role: asked < 3 ? "postern_keeper" : "postern_edge", logName });
    };
    const database = behind(
      at(main.edgeUrl),
      passOnce(passed, check, (line) => told.push(line)),
    );
    await expect(database.query("select 1")).rejects.toBe(fault);
    fault = null;
    await expect(database.transaction((tx) => tx.query("select 1"))).rejects.toThrow(StartRefused);
    expect(told).toEqual(["the database is bound as postern_edge: bind it as postern_keeper, and nothing above it"]);
    for (let i = 0; i < 3; i++) expect(await database.query("select 1")).toEqual([[1]]);
    expect([asked, told.length, passed.yet]).toEqual([3, 1, true]);
  });
});
