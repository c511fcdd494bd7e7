/**
 * A copy of the whole cluster, taken while one epoch stood, opened with the keys of today. The control is the same copy with the keys of before:
 * only the rotation lies between.
 */
import { cpSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { fromBase64 } from "../src/crypto/index.ts";
import { nodeAead } from "../src/crypto/node-aead.ts";
import type { ContractId } from "../src/kernel/index.ts";
import { createFileShareStore } from "../src/keys/file-share-store.ts";
import { createKeyring, createRootKey, newestEpoch } from "../src/keys/index.ts";
import { selectSubjectKeys } from "../src/keys/postgres.ts";
import type { Database } from "../src/storage/index.ts";
import { migrate } from "../src/storage/index.ts";
import { readMigrations } from "../src/storage/node-migrations.ts";
import { type Cluster, openTestPool, startCluster } from "./support/databases.ts";
import { copyDirectory, countOpened, openRecords, sharesOf, startFrom } from "./support/purge-shred.ts";
import { makeSecrets, openGateway, type Place, populate } from "./support/purge-world.ts";
import { erase, receiptOf, rotate, showKeys } from "./support/rotation.ts";

const contract = "c-test" as ContractId;
const records = 60;
const options = { settings: ["fsync=off"] };

describe("a backup from before a person was erased and the keys were rotated", () => {
  const home = mkdtempSync(join(tmpdir(), "postern-rotated-"));
  const shareDirectory = join(home, "shares");
  const sharesBefore = join(home, "shares-before");
  const secrets = makeSecrets();
  let cluster: Cluster;
  let backup: Cluster;
  let early: Cluster;
  let erased: string;

  const within = async <Value>(copy: Cluster, work: (database: Database) => Promise<Value>): Promise<Value> => {
    const database = openTestPool(copy.url);
    try {
      return await work(database);
    } finally {
      await database.close();
    }
  };
  /** As a gateway would: with the keyring of the database at hand and that share store. Answers how many records open, and whether that person's key does. */
  const openWith = (copy: Cluster, shares: string) =>
    within(copy, async (database) => {
      const root = createRootKey(nodeAead, fromBase64(secrets.root));
      const keyring = createKeyring({ aead: nodeAead, root, shares: createFileShareStore(shares), now: Date.now });
      const keys = await keyring.keysOf(database, contract, await newestEpoch(database, contract)).catch(() => null);
      if (!keys) return { opened: 0, person: false };
      const wrapped = (await selectSubjectKeys(database, contract, [erased])).get(erased);
      return {
        opened: await countOpened(database, contract, keys),
        person: keys.withSubjectKey(erased, wrapped ?? null, () => true) !== null,
      };
    });
  const copyNow = async (name: string): Promise<string> => {
    const copied = join(dirname(cluster.dataDirectory), name);
    await cluster.stop();
    copyDirectory(cluster.dataDirectory, copied);
    await cluster.start();
    return copied;
  };

  let closed: Awaited<ReturnType<typeof receiptOf>>;
  let open: typeof closed;
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
    await populate(before, {}, records);
    await before.close();
    const taken = await copyNow("before");
    cpSync(shareDirectory, sharesBefore, { recursive: true });

    const between = await openGateway(place);
    open = await erase(between, "U7");
    erased = open.locator;
    await between.close();
    early = await startFrom(taken, options);
    expect(await openWith(early, shareDirectory)).toEqual({ opened: records, person: true });

    const after = await openGateway(place);
    await rotate(after);
    closed = await receiptOf(after, open.erasure);
    expect((await showKeys(after)).epochs.map(({ state }) => state)).toEqual(["destroyed", "in_use"]);
    await after.close();
    backup = await startFrom(taken, options);
  }, 120_000);

  afterAll(async () => {
    await Promise.all([cluster?.remove(), backup?.remove(), early?.remove()]);
    rmSync(home, { recursive: true, force: true });
  });

  it("was readable between the two, as the receipt said", () => {
    expect(open).toMatchObject({ closed_everywhere_at: null, reason: { code: "epoch_not_destroyed", epochs: [1] } });
  });

  it("opens nothing of the erased person with the keys of today, nor anything else by its own keyring, as the receipt says then", async () => {
    expect(await openWith(backup, shareDirectory)).toEqual({ opened: 0, person: false });
    expect(closed).toMatchObject({ closed_everywhere_at: expect.any(String), reason: null });
  });

  it("would have opened everybody without the rotation", async () => {
    expect(await openWith(backup, sharesBefore)).toEqual({ opened: records, person: true });
  });

  it("opens none of its records by any guess at the share that was destroyed", async () => {
    await within(backup, async (database) => {
      const { a } = await sharesOf(database, contract, secrets.root, createFileShareStore(shareDirectory));
      expect(await openRecords(database, contract, { a, b: null })).toEqual({ records, opened: 0 });
    });
  });

  it("opens all the others where it is restored as the rule says: its records, under the keyring of today", async () => {
    await within(cluster, (today) =>
      within(backup, async (restored) => {
        for (const table of ["key_epoch", "contract_key", "subject_key"]) await replaceTable(today, restored, table);
      }),
    );
    expect(await openWith(backup, shareDirectory)).toEqual({ opened: records - 1, person: false });
  });
});

async function replaceTable(from: Database, to: Database, table: string): Promise<void> {
  const [row] = await from.query(`select coalesce(json_agg(t), '[]')::text from postern.${table} t`);
  await to.query(`delete from postern.${table}`);
  await to.query(`insert into postern.${table} select * from jsonb_populate_recordset(null::postern.${table}, $1::text::jsonb)`, [
    String(row?.[0]),
  ]);
}
