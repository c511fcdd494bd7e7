/**
 * The index key's part of a rotation. From the new epoch's commit on imports write every record's index rows under both keys, and searches ask with the old
 * one; the rebuild writes what is missing under the new one; the transaction of its last batch makes the new one what searches ask with. Whichever key a
 * search has, all rows of it are there, until the fences have passed and nobody has the old one.
 */

import { type ContractKeys, movePurposeKey, selectContractKeys, selectSubjectKeys, type WrappedKey } from "../keys/index.ts";
import { type Bundle, mergeLevels, type SearchableValue, searchableIn, searchLevels } from "../policy/index.ts";
import {
  deleteIndexBefore,
  indexEntriesOf,
  openLevel,
  type RecordName,
  replaceIndexRows,
  type StoredRecord,
  selectRecordsAfter,
} from "../records/index.ts";
import type { Queryable } from "../storage/index.ts";
import { type Done, type RotationParts, standOpen } from "./parts.ts";
import { type IndexFacts, type Rotation, writeRotation } from "./postgres.ts";

/** As many as an import's batch: it waits for one of these, and these for one of its. */
const batchRecords = 500;
const batchRows = 5_000;

/** Batch by batch, each with its place and the lease in one transaction. A policy that changes meanwhile starts it again, under the new one. */
export async function rebuildIndex(parts: RotationParts, job: Rotation): Promise<Done> {
  let current = job;
  for (let more = true; more; ) ({ job: current, more } = await rebuildBatch(parts, current));
  // Whoever had the old one to ask with in this process asks with the new one now.
  parts.keyring.forget(job.contract);
  const { generation, indexed } = indexOf(current);
  return { job: current, entry: { epoch: job.epoch, generation, records: indexed } };
}

/**
 * The contract's row is locked: no import writes these records meanwhile, no policy changes before the last batch is in, and the next import, which finds
 * both keys, writes under both.
 */
function rebuildBatch(parts: RotationParts, job: Rotation): Promise<{ job: Rotation; more: boolean }> {
  const { database, bundles, keyring, leaseMs } = parts;
  return database.transaction(async (tx) => {
    const { id, bundleDigest: digest } = await standOpen(tx, job, "update");
    const index = indexOf(job);
    if ((await selectContractKeys(tx, id)).get("index")?.generation === index.generation) return { job, more: false };
    const isSame = index.digest === digest;
    const indexed = isSame ? index.indexed : 0;
    const records = await selectRecordsAfter(tx, id, { after: nameAt(isSame ? job.after : ""), limit: batchRecords });
    const keys = await keyring.keysOf(tx, id, job.epoch);
    const opener = { ...parts, keys, bundle: await bundles.bundleOf(tx, id, digest) };
    const fresh = keys.indexes.filter(({ generation }) => generation === index.generation);
    const found = await searchableOf(tx, opener, records);
    const entries = records.flatMap((record, n) => indexEntriesOf(fresh, record, found[n] ?? []));
    await replaceIndexRows(tx, id, index.generation, { records, entries });
    const more = records.length === batchRecords;
    if (!more) await askWithTheNewOne(tx, keys);
    const facts = { ...job.facts, index: { ...index, digest, indexed: indexed + records.length } };
    const last = records.at(-1);
    const after = last ? textOf(last) : isSame ? job.after : "";
    return { job: await writeRotation(tx, job, { after, facts }, leaseMs), more };
  });
}

/** The two keys change places. */
async function askWithTheNewOne(tx: Queryable, keys: ContractKeys): Promise<void> {
  const [old, fresh] = keys.indexes;
  if (!old || !fresh) throw new Error("there is no other index key to ask with");
  for (const [purpose, { key, generation }] of [["index", fresh] as const, ["index_beside", old] as const]) {
    await movePurposeKey(tx, keys.contract, purpose, { ...keys.wrapPurposeKey(purpose, key), generation });
  }
}

interface Opener extends Pick<RotationParts, "aead"> {
  readonly keys: ContractKeys;
  readonly bundle: Bundle;
}

/** What each of `records` is found by. Only the levels are opened where that lies. */
async function searchableOf(tx: Queryable, opener: Opener, records: readonly StoredRecord[]): Promise<(readonly SearchableValue[])[]> {
  const subjects = [...new Set(records.map(({ subject }) => subject))];
  const subjectKeys = await selectSubjectKeys(tx, opener.keys.contract, subjects);
  return records.map((record) => searchableOfOne(opener, record, subjectKeys.get(record.subject)));
}

function searchableOfOne(
  { aead, keys, bundle }: Opener,
  { type, locator, subject, version, levels }: StoredRecord,
  subjectKey: WrappedKey | undefined,
): readonly SearchableValue[] {
  const resource = Object.hasOwn(bundle.resources, type) ? bundle.resources[type] : undefined;
  if (!resource) return [];
  const documents = searchLevels(resource).flatMap((level) => {
    const sealed = levels[level];
    if (!sealed) return [];
    const place = { contract: keys.contract, subject, type, locator, level, version };
    const document = keys.withSubjectKey(subject, subjectKey ?? null, (key) => openLevel(aead, key, place, sealed));
    // Whose record it is stands in no message. Imported again or erased, it lets the rotation go on; until then the old key is asked with.
    if (document === null) throw new Error("a record does not open, so its index rows cannot be made anew");
    return [document];
  });
  return searchableIn(resource, mergeLevels(documents));
}

/** Once nobody asks with the old key, nor writes under it, its rows go; in the records' order again. */
export async function dropOldIndex(parts: RotationParts, job: Rotation): Promise<Done> {
  const { contract } = job;
  parts.keyring.forget(contract);
  await parts.inFlight.passed(contract);
  let current = job;
  for (let more = true; more; ) ({ job: current, more } = await dropBatch(parts, current));
  const { generation, dropped } = indexOf(current);
  return { job: current, entry: { generation: generation - 1, rows: dropped } };
}

/** The first of these waits for the imports that had begun. */
function dropBatch({ database, leaseMs }: RotationParts, job: Rotation): Promise<{ job: Rotation; more: boolean }> {
  return database.transaction(async (tx) => {
    await standOpen(tx, job, "update");
    const index = indexOf(job);
    const place = { after: nameAt(job.after), limit: batchRows };
    const { after, deleted } = await deleteIndexBefore(tx, job.contract, index.generation, place);
    const facts = { ...job.facts, index: { ...index, dropped: index.dropped + deleted } };
    const next = await writeRotation(tx, job, { after: after ? textOf(after) : job.after, facts }, leaseMs);
    return { job: next, more: after !== null };
  });
}

function indexOf({ facts }: Rotation): IndexFacts {
  if (!facts.index) throw new Error("this rotation leaves the index key where it is");
  return facts.index;
}

/** `type/locator`; locators hold no `/`. */
function textOf({ type, locator }: RecordName): string {
  return `${type}/${locator}`;
}

function nameAt(text: string): RecordName {
  const at = text.lastIndexOf("/");
  return at < 0 ? { type: "", locator: "" } : { type: text.slice(0, at), locator: text.slice(at + 1) };
}
