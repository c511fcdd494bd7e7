/** A thief with a copy of a cluster's data directory and whatever keys there are today: how many records open? */
import { execFileSync } from "node:child_process";
import { rmSync } from "node:fs";
import { fromBase64 } from "../../src/crypto/index.ts";
import { nodeAead } from "../../src/crypto/node-aead.ts";
import type { ContractId, Locator } from "../../src/kernel/index.ts";
import { type ContractKeys, deriveContractKey, openContractKeys } from "../../src/keys/contract-keys.ts";
import { createRootKey, type ShareStore, selectKeyEpochs } from "../../src/keys/index.ts";
import { selectContractKeys, selectSubjectKeys } from "../../src/keys/postgres.ts";
import { openLevel } from "../../src/records/index.ts";
import type { Database } from "../../src/storage/index.ts";
import { type Cluster, type ClusterOptions, startCluster } from "./cluster.ts";

/** A data directory, of a stopped cluster or a base backup, under another server; with the owner and the mode of every file. */
export function startFrom(dataDirectory: string, options: ClusterOptions): Promise<Cluster> {
  return startCluster({ ...options, from: dataDirectory });
}

export function copyDirectory(from: string, to: string): void {
  rmSync(to, { recursive: true, force: true });
  execFileSync("cp", ["-a", from, to]);
}

export interface Shares {
  /** `null` = none was found. */
  readonly a: Uint8Array | null;
  readonly b: Uint8Array | null;
}

/** What of epoch 1 can be had: A out of the database by the root key, B out of its store. */
export async function sharesOf(database: Database, contract: ContractId, rootKey: string, store: ShareStore): Promise<Shares> {
  const [epoch] = await selectKeyEpochs(database, contract);
  const root = createRootKey(nodeAead, fromBase64(rootKey));
  const a = epoch?.shareA ? await root.unwrap(`share-a/${contract}/1`, epoch.shareA) : null;
  return { a, b: await store.get(contract, 1) };
}

export interface Loot {
  readonly records: number;
  readonly opened: number;
}

/** Tries every record with these shares. A share that is missing is guessed: nothing, zeros, the other one. */
export async function openRecords(database: Database, contract: ContractId, { a, b }: Shares): Promise<Loot> {
  const guesses = (share: Uint8Array | null, other: Uint8Array | null) =>
    share ? [share] : [new Uint8Array(), new Uint8Array(32), ...(other ? [other] : [])];
  let opened = 0;
  const rows = await selectRecords(database, contract);
  for (const shareA of guesses(a, b)) {
    for (const shareB of guesses(b, a)) {
      const keys = await keysOrNull(database, contract, deriveContractKey(contract, 1, shareA, shareB));
      if (keys) opened += await countOpened(database, contract, keys);
    }
  }
  return { records: rows.length, opened };
}

async function keysOrNull(database: Database, contract: ContractId, contractKey: Uint8Array): Promise<ContractKeys | null> {
  const wrapped = await selectContractKeys(database, contract);
  try {
    return openContractKeys(nodeAead, contract, new Map([[1, contractKey]]), wrapped);
  } catch {
    return null;
  }
}

function selectRecords(database: Database, contract: ContractId): ReturnType<Database["query"]> {
  const text = "select type, locator, subject, version, level0, level1, level2, level3 from postern.record where contract_id = $1";
  return database.query(text, [contract]);
}

/** Records whose every level opens with these keys. */
export async function countOpened(database: Database, contract: ContractId, keys: ContractKeys): Promise<number> {
  const rows = await selectRecords(database, contract);
  const subjects = await selectSubjectKeys(database, contract, [...new Set(rows.map((row) => String(row[2])))]);
  let opened = 0;
  for (const [type, locator, subject, version, ...levels] of rows) {
    const place = { contract, type: String(type), locator: String(locator) as Locator, subject: String(subject), version: Number(version) };
    const sealed = levels.flatMap((bytes, level) => (bytes instanceof Uint8Array ? [{ bytes, level }] : []));
    const opens = keys.withSubjectKey(place.subject, subjects.get(place.subject) ?? null, (key) =>
      sealed.every(({ bytes, level }) => openLevel(nodeAead, key, { ...place, level }, bytes)),
    );
    if (sealed.length > 0 && opens) opened++;
  }
  return opened;
}
