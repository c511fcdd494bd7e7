/** What a thief of disks, dumps and the database's own log finds of a customer: nothing, in five forms, before the purge and after it. */
import { existsSync } from "node:fs";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Database, migrate } from "../src/storage/index.ts";
import { readMigrations } from "../src/storage/node-migrations.ts";
import { canaryCustomer, findCanaries, forms, type Sighting, spellings } from "./support/canaries.ts";
import { type Cluster, debianPostgres15, openTestPool, startCluster } from "./support/databases.ts";
import { createGateway, type Gateway } from "./support/gateway.ts";
import { isLong } from "./support/long.ts";
import { type Dumped, dumpFiles } from "./support/retail/dump.ts";
import { createServerLog, logEverything } from "./support/server-log.ts";
import { journeyBeforeThePurge, journeyToTheCertificate } from "./support/whole-journey.ts";

const servers = [
  { name: "Postgres 18", binaries: undefined, dumps: false },
  { name: "Postgres 15", binaries: debianPostgres15, dumps: true },
].filter(({ binaries }) => binaries === undefined || (isLong && existsSync(binaries)));

describe.each(servers)("$name at rest, with every statement and parameter in its log", ({ binaries, dumps }) => {
  const log = createServerLog();
  let cluster: Cluster;
  let owner: Database;
  let edge: Database;
  let gateway: Gateway;
  let before: Sighting[];

  /** Everything that was written: files, WAL among them, the log, and a dump where there is a program for it. */
  const everything = async (): Promise<Dumped[]> => {
    await owner.script("checkpoint");
    const dump = dumps ? [{ name: "a dump", bytes: await cluster.tool("pg_dump", ["postgres"]) }] : [];
    return [...dumpFiles(cluster.dataDirectory), { name: "the server's log", bytes: await log.bytes(owner) }, ...dump];
  };
  const scan = async () => findCanaries(await everything());

  beforeAll(async () => {
    cluster = await startCluster({ ...(binaries && { binaries }), settings: ["fsync=off", ...logEverything], onLog: log.hear });
    owner = openTestPool(cluster.url, { poolSize: 1, deadlineMs: 30_000 });
    await migrate(owner, readMigrations());
    edge = openTestPool(cluster.urlOf("postgres", "postern_edge"));
    gateway = await createGateway({ database: openTestPool(cluster.urlOf("postgres", "postern_keeper")), edgeDatabase: edge });
    await journeyBeforeThePurge(gateway);
    before = await scan();
    await journeyToTheCertificate(gateway);
  }, 60_000);

  afterAll(async () => {
    await Promise.all([owner.close(), edge.close(), gateway.close()]);
    await cluster.remove();
  });

  it("was really written to: statements, parameters, ciphertext, WAL, all of it in what is looked through", async () => {
    const names = (await everything()).map(({ name }) => name);
    expect(names.filter((name) => name.startsWith("pg_wal/0000")).length).toBeGreaterThan(0);
    const text = Buffer.from(await log.bytes(owner)).toString("utf8");
    expect(text).toMatch(/postern_edge\|DETAIL: {2}[Pp]arameters: \$1 = 'c-test'/);
    expect(text).toMatch(/postern_keeper\|DETAIL: {2}[Pp]arameters: .*\\x[0-9a-f]{100}/);
    expect(gateway.faults).toEqual([]);
  });

  it("shows no field of a customer before the purge", () => {
    expect(before).toEqual([]);
  });

  it("shows none after it", async () => {
    expect(await scan()).toEqual([]);
  });

  it("would have been caught with a column in the clear, on the disk, in the WAL, in the log and in the dump; and with every other form", async () => {
    await owner.script("create table postern.careless (remark text, encoded bytea)");
    await owner.query("insert into postern.careless (remark) values ($1)", [canaryCustomer.name]);
    const places = ["base/", "pg_wal/", "the server's log", ...(dumps ? ["a dump"] : [])];
    const seen = await scan();
    for (const place of places) expect(seen.map(({ where }) => where).join("\n")).toContain(place);
    for (const spelling of forms.flatMap((form) => spellings[form](canaryCustomer.name)))
      await owner.query("insert into postern.careless (encoded) values ($1)", [spelling]);
    const onDisk = (await scan()).filter(({ where }) => where.startsWith("base/"));
    expect(new Set(onDisk.map(({ form }) => form))).toEqual(new Set(forms));
  });
});
