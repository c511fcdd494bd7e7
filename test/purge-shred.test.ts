/**
 * A copy of the whole cluster, taken before the purge, and today's keys. The control is the same copy, the same code and the same number of records,
 * with the keys of before: only the purge lies between N of N and 0 of N.
 */
import { cpSync, existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type ContractId, parseContractId } from "../src/kernel/index.ts";
import { createFileShareStore } from "../src/keys/file-share-store.ts";
import { migrate } from "../src/storage/index.ts";
import { readMigrations } from "../src/storage/node-migrations.ts";
import { importLines } from "./support/agreement.ts";
import { type Cluster, type ClusterOptions, debianPostgres15, openTestPool, startCluster } from "./support/databases.ts";
import { copyDirectory, type Loot, openRecords, type Shares, sharesOf, startFrom } from "./support/purge-shred.ts";
import { customers, makeSecrets, neighbour, openGateway, type Place, populate, purge } from "./support/purge-world.ts";

const records = 200;

function contractId(text: string): ContractId {
  const id = parseContractId(text);
  if (!id) throw new Error("not an id");
  return id;
}
const purged = contractId("c-test");
const other = contractId(neighbour.contract);

/** How an operator comes to one, while the contract's second half is still being imported. Answers where it lies. */
interface Way {
  readonly name: string;
  readonly options: ClusterOptions;
  take(cluster: Cluster, importRest: () => Promise<unknown>): Promise<string>;
}

const ways: readonly Way[] = [
  {
    name: "a copy of the stopped server's directory",
    options: { settings: ["fsync=off"] },
    async take(cluster, importRest) {
      const backup = join(dirname(cluster.dataDirectory), "backup");
      await importRest();
      await cluster.stop();
      copyDirectory(cluster.dataDirectory, backup);
      await cluster.start();
      return backup;
    },
  },
  {
    name: "a base backup of the running server, with the WAL of what it wrote meanwhile",
    options: { settings: ["fsync=off"], binaries: debianPostgres15 },
    async take(cluster, importRest) {
      const backup = join(dirname(cluster.dataDirectory), "backup");
      const backing = cluster.tool("pg_basebackup", ["-D", backup, "-X", "stream", "-c", "fast", "--max-rate=10M"]);
      await Promise.race([until(() => existsSync(join(backup, "base"))), backing]);
      const first = await Promise.race([importRest().then(() => "imported"), backing.then(() => "backed up")]);
      if (first !== "imported") throw new Error("the backup ended too early to need its WAL");
      await backing;
      return backup;
    },
  },
];
const possible = ways.filter(({ options: { binaries } }) => binaries === undefined || existsSync(binaries));

describe.each(possible)("a backup from before the purge, opened after it: $name", ({ options, take }) => {
  const home = mkdtempSync(join(tmpdir(), "postern-shred-"));
  const shareDirectory = join(home, "shares");
  const sharesBefore = join(home, "shares-before");
  const secrets = makeSecrets();
  let cluster: Cluster;
  let backup: Cluster;

  const inBackup = async <Value>(work: (database: ReturnType<typeof openTestPool>) => Promise<Value>): Promise<Value> => {
    const database = openTestPool(backup.url);
    try {
      return await work(database);
    } finally {
      await database.close();
    }
  };
  const loot = (contract: ContractId, directory: string, take: (shares: Shares) => Shares = (all) => all): Promise<Loot> =>
    inBackup(async (database) =>
      openRecords(database, contract, take(await sharesOf(database, contract, secrets.root, createFileShareStore(directory)))),
    );

  beforeAll(async () => {
    cluster = await startCluster(options);
    const owner = openTestPool(cluster.url, { deadlineMs: 30_000 });
    await migrate(owner, readMigrations());
    await owner.close();
    const place: Place = {
      edgeUrl: cluster.urlOf("postgres", "postern_edge"),
      keeperUrl: cluster.urlOf("postgres", "postern_keeper"),
      ...{ secrets, shareDirectory },
    };
    const before = await openGateway(place);
    await populate(before, {}, records / 2);
    await populate(before, neighbour, 30);
    const taken = await take(cluster, () => importLines(before, customers(records).slice(records / 2)));
    await before.close();
    cpSync(shareDirectory, sharesBefore, { recursive: true });
    const after = await openGateway(place);
    await purge(after);
    await after.close();
    backup = await startFrom(taken, options);
  }, 120_000);

  afterAll(async () => {
    await Promise.all([cluster?.remove(), backup?.remove()]);
    rmSync(home, { recursive: true, force: true });
  });

  it("holds every record's ciphertext, and today's keys open none of them", async () => {
    expect(await loot(purged, shareDirectory)).toEqual({ records, opened: 0 });
  });

  it("would have opened every one of them without the purge", async () => {
    expect(await loot(purged, sharesBefore)).toEqual({ records, opened: records });
  });

  it("opens none with the wrapped share alone, nor with the destroyed one alone", async () => {
    expect(await loot(purged, sharesBefore, ({ a }) => ({ a, b: null }))).toEqual({ records, opened: 0 });
    expect(await loot(purged, sharesBefore, ({ b }) => ({ a: null, b }))).toEqual({ records, opened: 0 });
    expect(await loot(purged, sharesBefore, ({ a, b }) => ({ a: b, b: a }))).toEqual({ records, opened: 0 });
  });

  it("still opens the contract that was not purged", async () => {
    expect(await loot(other, shareDirectory)).toEqual({ records: 30, opened: 30 });
  });

  it("shows nothing in today's database: neither a record nor a share", async () => {
    const today = openTestPool(cluster.url);
    expect(await openRecords(today, purged, await sharesOf(today, purged, secrets.root, createFileShareStore(sharesBefore)))).toEqual({
      records: 0,
      opened: 0,
    });
    expect((await sharesOf(today, purged, secrets.root, createFileShareStore(shareDirectory))).b).toBeNull();
    expect((await sharesOf(today, purged, secrets.root, createFileShareStore(shareDirectory))).a).toBeNull();
    await today.close();
  });
});

async function until(holds: () => boolean): Promise<void> {
  while (!holds()) await new Promise((resolve) => setTimeout(resolve, 20));
}
