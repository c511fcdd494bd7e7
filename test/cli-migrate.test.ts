/** `postern migrate`, `doctor` and `serve` on a real Postgres that is empty, behind, right, ahead, or not ours to change. */
import { existsSync, rmSync } from "node:fs";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { migrationsOfThisBuild } from "../src/storage/index.ts";
import { type CommandLine, createCommandLine, operatorFile } from "./support/command-line.ts";
import { type Cluster, debianPostgres15, openTestPool, startCluster } from "./support/databases.ts";
import { isLong } from "./support/long.ts";
import { plantTree } from "./support/repository.ts";

const ours = migrationsOfThisBuild.map(({ name }) => name).join(", ");
const first = migrationsOfThisBuild[0]?.name ?? "";
const next = "0999-next.sql";
const slow = 60_000;

const servers = [
  { name: "Postgres 18", binaries: undefined },
  { name: "Postgres 15", binaries: debianPostgres15 },
].filter(({ binaries }) => binaries === undefined || (isLong && existsSync(binaries)));

/** A server on which nobody ever migrated, and an owner as careful operators make one: no superuser. */
async function startServer(binaries: string | undefined): Promise<Cluster> {
  const cluster = await startCluster({ ...(binaries && { binaries }), settings: ["fsync=off"] });
  await asSuperuser(cluster, "postgres", "create role own login createrole; create role late login createrole");
  return cluster;
}

async function asSuperuser(cluster: Cluster, database: string, script: string): Promise<void> {
  const owner = openTestPool(cluster.urlOf(database), { poolSize: 1 });
  await owner.script(script).finally(() => owner.close());
}

const sides = (cluster: Cluster, database: string) => ({
  DATABASE_URL_EDGE: cluster.urlOf(database, "postern_edge"),
  DATABASE_URL_KEEPER: cluster.urlOf(database, "postern_keeper"),
});

/** What the doctor finds failing, and its cures. */
async function failing({ postern }: CommandLine, variables: Readonly<Record<string, string>>): Promise<Record<string, [string, string]>> {
  const { code, stdout } = await postern("doctor --json", "", variables);
  const { checks } = JSON.parse(stdout) as { checks: readonly { check: string; status: string; detail: string; cure: string }[] };
  const found = checks.filter(({ status }) => status === "failing").map(({ check, detail, cure }) => [check, [detail, cure]]);
  expect(code).toBe(found.length === 0 ? 0 : 1);
  return Object.fromEntries(found);
}

const bothSides = (detail: string, cure: string) => ({ "database (edge)": [detail, cure], "database (keeper)": [detail, cure] });

describe.each(servers)("on a $name that is new, its owner no superuser", ({ name, binaries }) => {
  let cluster: Cluster;
  let line: CommandLine;

  beforeAll(async () => {
    cluster = await startServer(binaries);
    await asSuperuser(cluster, "postgres", "create database shop owner own");
    await asSuperuser(cluster, "postgres", "create database shares owner own");
    line = await createCommandLine();
    line.put("postern.yaml", operatorFile);
  });
  afterAll(async () => {
    line.remove();
    await cluster.remove();
  });

  it(
    "migrate makes everything, a second time nothing, and the doctor finds all well",
    async () => {
      const variables = { DATABASE_URL: cluster.urlOf("shop", "own"), POSTERN_SHARE_STORE: cluster.urlOf("shares", "own") };
      expect(await line.postern("migrate", "", variables)).toEqual({
        code: 0,
        stdout: `applied ${ours}\nthe share store's table is there\nthe anchor's table is there\n`,
        stderr: "next: DATABASE_URL_EDGE=… DATABASE_URL_KEEPER=… npx postern serve\n",
      });
      expect(await line.postern("migrate --json", "", variables)).toMatchObject({
        code: 0,
        stdout: `${JSON.stringify({ applied: [], share_store: true, anchor: true }, null, 2)}\n`,
      });
      const { code, stdout } = await line.postern("doctor", "", { ...variables, ...sides(cluster, "shop") });
      expect(stdout).toContain(`ok  database (edge)    ${name} as postern_edge, migrated\n`);
      expect(stdout).toContain(`ok  database (keeper)  ${name} as postern_keeper, migrated\n`);
      expect(stdout).toContain("ok  share store        a Postgres of its own");
      expect(code).toBe(0);
    },
    slow,
  );
});

describe("on a database that", () => {
  let cluster: Cluster;
  let line: CommandLine;
  let nextTree: string;
  let nextLine: CommandLine;
  const owner = (database: string, role = "own") => ({ DATABASE_URL: cluster.urlOf(database, role) });

  beforeAll(async () => {
    cluster = await startServer(undefined);
    for (const database of ["empty", "twice", "shop", "taken", "lent"])
      await asSuperuser(cluster, "postgres", `create database ${database} owner ${database === "lent" ? "late" : "own"}`);
    nextTree = plantTree({ [`migrations/${next}`]: "create table postern.next (contract_id text primary key);\n" }, [
      "src",
      "migrations",
      "package.json",
    ]);
    [line, nextLine] = [await createCommandLine(), await createCommandLine({ build: nextTree })];
    for (const { put } of [line, nextLine]) put("postern.yaml", operatorFile);
    expect((await line.postern("migrate", "", owner("shop"))).code).toBe(0);
  }, slow);
  afterAll(async () => {
    for (const { remove } of [line, nextLine]) remove();
    rmSync(nextTree, { recursive: true, force: true });
    await cluster.remove();
  });

  /** One line on standard error, nothing else, code 78. */
  const refused = (message: string) => ({ code: 78, stdout: "", stderr: `postern: ${message}\n` });

  it(
    "is empty: serve and doctor name what is missing and who brings it",
    async () => {
      const lacking = `the database lacks migration ${first}: run the migrations as its owner first`;
      expect(await line.postern("serve", "", sides(cluster, "empty"))).toEqual(refused(lacking));
      expect(await failing(line, sides(cluster, "empty"))).toEqual(bothSides(lacking, "DATABASE_URL=… npx postern migrate"));
    },
    slow,
  );

  it(
    "is entered as the other side's role, as its owner, or holds the shares as well: serve refuses with one line",
    async () => {
      const { DATABASE_URL_EDGE: edge, DATABASE_URL_KEEPER: keeper } = sides(cluster, "shop");
      const bound = (user: string, role: string) => refused(`the database is bound as ${user}: bind it as ${role}, and nothing above it`);
      for (const [urls, answer] of [
        [{ DATABASE_URL_EDGE: keeper, DATABASE_URL_KEEPER: keeper }, bound("postern_keeper", "postern_edge")],
        [{ DATABASE_URL_EDGE: edge, DATABASE_URL_KEEPER: edge }, bound("postern_edge", "postern_keeper")],
        [{ DATABASE_URL_EDGE: cluster.urlOf("shop"), DATABASE_URL_KEEPER: keeper }, bound("postgres", "postern_edge")],
      ] as const)
        expect(await line.postern("serve", "", urls)).toEqual(answer);
      const mixed = { DATABASE_URL_EDGE: edge, DATABASE_URL_KEEPER: keeper, POSTERN_SHARE_STORE: edge };
      const together = "the shares are bound to the main database, whose backups would undo a purge: bind one of their own";
      expect(await line.postern("serve", "", mixed)).toEqual(refused(together));
    },
    slow,
  );

  it(
    "two migrate at once: each migration is applied by one of them, and both end well",
    async () => {
      const ran = await Promise.all([1, 2].map(() => line.postern("migrate --json", "", owner("twice"))));
      expect(ran.map(({ code, stderr }) => [code, stderr])).toEqual(ran.map(() => [0, ""]));
      const applied = ran.flatMap(({ stdout }) => (JSON.parse(stdout) as { applied: string[] }).applied);
      expect(applied.sort().join(", ")).toBe(ours);
    },
    slow,
  );

  it.runIf(isLong)(
    "an older build migrated: the next build refuses until it has migrated too, and then the older one refuses",
    async () => {
      const lacking = `the database lacks migration ${next}: run the migrations as its owner first`;
      expect(await nextLine.postern("serve", "", sides(cluster, "shop"))).toEqual(refused(lacking));
      expect(await nextLine.postern("migrate", "", owner("shop"))).toMatchObject({ code: 0, stdout: `applied ${next}\n` });

      const ahead = `the database is newer than this build: it has migration ${next}`;
      expect(await line.postern("serve", "", sides(cluster, "shop"))).toEqual(refused(ahead));
      expect(await line.postern("migrate", "", owner("shop"))).toEqual(refused(ahead));
      const cure = "run the build that migrated it, or a later one: nothing goes back";
      expect(await failing(line, sides(cluster, "shop"))).toEqual(bothSides(ahead, cure));
    },
    slow,
  );

  it(
    "was migrated from another text: nobody goes on",
    async () => {
      await asSuperuser(cluster, "twice", "update public.postern_migration set digest = 'x' where number = 1");
      const changed = `migration ${first} was changed after it was applied to this database`;
      expect(await line.postern("migrate", "", owner("twice"))).toEqual(refused(changed));
      const cure = "run the build that migrated it, or a later one: what was applied is never changed";
      expect(await failing(line, sides(cluster, "twice"))).toEqual(bothSides(changed, cure));
    },
    slow,
  );

  it(
    "is not this role's: migrate says in one line what the role must be, and leaves nothing",
    async () => {
      const must =
        "this role may not: it must own the database, and create or administer the roles postern_edge, postern_keeper, postern_directory, postern_sequencer, postern_reader";
      expect(await line.postern("migrate", "", owner("empty", "postern_keeper"))).toEqual(refused(`nothing was applied: ${must}`));
      // The roles are the cluster's, and another owner's: it must be granted them.
      expect(await line.postern("migrate", "", owner("lent", "late"))).toEqual(refused(`migration ${first} was not applied: ${must}`));
      const grants = ["edge", "directory", "keeper", "sequencer", "reader"].map(
        (role) => `grant postern_${role} to late with admin option;`,
      );
      await asSuperuser(cluster, "postgres", grants.join(" "));
      expect(await line.postern("migrate", "", owner("lent", "late"))).toMatchObject({ code: 0, stdout: `applied ${ours}\n` });
    },
    slow,
  );

  it(
    "has something else under our name: migrate says so in one line",
    async () => {
      await asSuperuser(cluster, "taken", "create schema postern");
      const exists = `migration ${first} was not applied: the database refused it with SQLSTATE 42P06`;
      expect(await line.postern("migrate", "", owner("taken"))).toEqual(refused(exists));
    },
    slow,
  );

  it(
    "is not there, or does not let this role in, or does not answer: one line, and no password in it",
    async () => {
      const unreachable = "postgres://own:open-sesame@127.0.0.1:9/shop";
      const absent = "the database server has no database of this name (SQLSTATE 3D000)";
      const cure = "is the server up, is the URL right, has `postern migrate` made the roles, does pg_hba.conf let this one in?";
      for (const [url, message] of [
        [cluster.urlOf("absent", "own"), absent],
        [unreachable, "the database cannot be reached"],
      ] as const)
        expect(await line.postern("migrate", "", { DATABASE_URL: url })).toEqual({ code: 69, stdout: "", stderr: `postern: ${message}\n` });
      const urls = { DATABASE_URL_EDGE: cluster.urlOf("shop", "nobody"), DATABASE_URL_KEEPER: unreachable };
      expect(await failing(line, urls)).toEqual({
        "database (edge)": ["the database server does not let this role in (SQLSTATE 28000)", cure],
        "database (keeper)": ["the database cannot be reached", cure],
      });
    },
    slow,
  );

  it(
    "is asked by the wrong role: the doctor names the right one",
    async () => {
      const urls = { DATABASE_URL_EDGE: cluster.urlOf("lent", "postern_keeper"), DATABASE_URL_KEEPER: cluster.urlOf("lent") };
      expect(await failing(line, urls)).toEqual({
        "database (edge)": ["it is asked as postern_keeper", "name postern_edge in the URL: grants and timeouts are that role's own"],
        "database (keeper)": ["postgres is a superuser, whom no grant binds", "name postern_keeper in the URL"],
      });
    },
    slow,
  );
});
