/**
 * Records come in as NDJSON, one line a record, in constant memory:
 * enter → log → for each batch of lines:  parse → sort fields by level → locate → subject's key → seal → index → commit
 * A line that is rejected is named by its number and reason while the rest goes in. Fields that no policy names are counted, not stored (PIPL 6).
 */

import { type Bundles, type Contract, isInLastDays, lockContract, selectContract } from "../contracts/index.ts";
import { type Aead, keyBytes, randomBytes } from "../crypto/index.ts";
import type { Metrics } from "../http/index.ts";
import {
  type ContractId,
  isJsonObject,
  type JsonObject,
  JsonSyntaxError,
  type Locator,
  ok,
  parseJson,
  type Refusal,
  type Result,
  refuse,
} from "../kernel/index.ts";
import { type ContractKeys, insertSubjectKeys, newestEpoch, selectSubjectKeys, type WrappedKey } from "../keys/index.ts";
import { enterContract, logOfContract, type OfficeDoor, type Visit } from "../offices/index.ts";
import { type Resource, sortFields } from "../policy/index.ts";
import {
  type IndexEntry,
  indexEntriesOf,
  levelsMax,
  locatorOf,
  type RecordOrigin,
  type SealedRecord,
  sealLevel,
  selectVersions,
  upsertRecords,
} from "../records/index.ts";
import type { Queryable } from "../storage/index.ts";
import { type Line, readLines } from "./lines.ts";

/** Small, so that readers of the embedded database are not kept waiting. */
const batchRecords = 500;
const rejectedMax = 1_000;
const idBytesMax = 256;

export interface Rejected {
  readonly line: number;
  readonly code: string;
}

export interface Imported {
  readonly lines: number;
  readonly created: number;
  readonly updated: number;
  /** The first thousand; `rejectedCount` counts all. */
  readonly rejected: readonly Rejected[];
  readonly rejectedCount: number;
  /** Path → how many records had it though no policy names it. */
  readonly unnamed: Readonly<Record<string, number>>;
}

export interface ImportDesk extends OfficeDoor {
  readonly bundles: Bundles;
  readonly aead: Aead;
  readonly metrics: Metrics;
}

export async function importRecords(
  desk: ImportDesk,
  visit: Visit,
  target: {
    readonly contract: ContractId;
    readonly type: string;
    readonly origin: RecordOrigin;
    readonly body: ReadableStream<Uint8Array>;
  },
): Promise<Result<Imported, Refusal>> {
  const entered = await enterContract(desk, visit, target.contract);
  if (!entered.ok) return entered;
  const { actor, contract, log } = entered.value;
  const bundle = await desk.bundles.bundleOf(desk.database, contract.id, contract.bundleDigest);
  const resource = Object.hasOwn(bundle.resources, target.type) ? bundle.resources[target.type] : undefined;
  const { purpose } = target.origin;
  const isKnown = purpose === null || Object.hasOwn(bundle.contract.purposes, purpose);
  const refusal: Refusal | null =
    refusalOfState(contract) ?? (!resource ? { code: "not_found" } : isKnown ? null : { code: "purpose_unknown" });
  const entry = { event: "records.imported", actor, request: visit.request } as const;
  if (refusal || !resource) {
    await desk.audit.append(log, { ...entry, outcome: { effect: "deny", code: refusal?.code ?? "not_found" } });
    return refuse(refusal ?? { code: "not_found" });
  }
  await desk.audit.append(log, { ...entry, outcome: { effect: "allow", code: "started" }, facts: { type: target.type } });
  const into = { contract: contract.id, type: target.type, origin: target.origin, resource, digest: contract.bundleDigest };
  const imported = await importLines(desk, into, target.body);
  if (imported.ok) {
    const unnamed = Object.values(imported.value.unnamed).reduce((sum, count) => sum + count, 0);
    desk.metrics.unknownFields.add(unnamed, contract.id, target.type, "import");
  }
  const outcome = imported.ok ? ({ effect: "allow", code: "done" } as const) : ({ effect: "deny", code: imported.refusal.code } as const);
  // An import may outlive its contract: then that log is the purge's alone, or frozen.
  const standing = (await selectContract(desk.database, contract.id)) ?? contract;
  const facts = { contract: contract.id, type: target.type, ...(imported.ok ? countsOf(imported.value) : {}) };
  await desk.audit.append(await logOfContract(desk, standing), { ...entry, outcome, facts });
  return imported;
}

function refusalOfState(contract: Contract): Refusal | null {
  if (contract.state !== "active") return { code: "wrong_state" };
  return isInLastDays(contract, contract.readAt) ? { code: "winding_down" } : null;
}

interface Target {
  readonly contract: ContractId;
  readonly type: string;
  readonly origin: RecordOrigin;
  readonly resource: Resource;
  /** Of the bundle that says so. */
  readonly digest: string;
}

async function importLines(desk: ImportDesk, target: Target, body: ReadableStream<Uint8Array>): Promise<Result<Imported, Refusal>> {
  const tally = new Tally();
  let batch: Parsed[] = [];
  for await (const line of readLines(body)) {
    tally.lines++;
    const parsed = parseLine(target, line);
    if ("code" in parsed) tally.reject(line.number, parsed.code);
    else batch.push(parsed);
    if (batch.length < batchRecords) continue;
    const written = await writeBatch(desk, target, batch, tally);
    if (!written.ok) return written;
    batch = [];
  }
  const written = await writeBatch(desk, target, batch, tally);
  return written.ok ? ok(tally.result()) : written;
}

interface Parsed {
  readonly id: string;
  readonly sorted: ReturnType<typeof sortFields>;
  readonly subjectId: string;
}

function parseLine({ resource }: Target, line: Line): Parsed | { readonly code: string } {
  if (line.text === null) return { code: line.reason };
  let document: JsonObject;
  try {
    const value = parseJson(line.text);
    if (!isJsonObject(value)) return { code: "not_an_object" };
    document = value;
  } catch (error) {
    return { code: error instanceof JsonSyntaxError ? "bad_json" : "bad_line" };
  }
  const { id, ...fields } = document;
  if (typeof id !== "string" || id === "" || new TextEncoder().encode(id).length > idBytesMax) return { code: "bad_id" };
  const named = "id" in resource.fields ? document : fields;
  const sorted = sortFields(resource, named);
  const subjectId = resource.subject.path === null ? id : sorted.subjectReference;
  return subjectId === null ? { code: "no_subject" } : { id, sorted, subjectId };
}

/** One transaction a batch, under a shared lock on the contract's row: after the purge's fence nothing is written. */
async function writeBatch(desk: ImportDesk, target: Target, batch: readonly Parsed[], tally: Tally): Promise<Result<void, Refusal>> {
  if (batch.length === 0) return ok(undefined);
  return desk.database.transaction(async (tx) => {
    const contract = await lockContract(tx, target.contract, "share");
    // Nothing is written by a policy that is no longer in force: what it named may not be stored any more.
    const late = contract ? refusalOfState(contract) : ({ code: "wrong_state" } as const);
    if (late || contract?.bundleDigest !== target.digest) return refuse(late ?? { code: "wrong_state" });
    const keys = await desk.keyring.keysOf(tx, target.contract, await newestEpoch(tx, target.contract));
    const located = locate(target, keys, batch);
    const versions = await selectVersions(tx, target.contract, target.type, [...located.keys()]);
    const subjectKeys = await subjectKeysOf(tx, keys, new Set([...located.values()].map((record) => record.subject)));
    const sealed: SealedRecord[] = [];
    const index: IndexEntry[] = [];
    for (const record of located.values()) {
      const { locator, subject } = record;
      const version = (versions.get(locator) ?? 0) + 1;
      const made = keys.withSubjectKey(subject, subjectKeys.get(subject) ?? null, (key) =>
        sealRecord(desk.aead, target, record, { key, version }),
      );
      if (!made) throw new Error("a subject's key does not open");
      sealed.push(made);
      index.push(...indexEntriesOf(keys.indexes, { type: target.type, locator: record.locator }, record.parsed.sorted.searchable));
    }
    await upsertRecords(tx, target.contract, target.type, { records: sealed, entries: index, origin: target.origin });
    tally.written(batch, located.size - versions.size);
    return ok(undefined);
  });
}

interface Located {
  readonly locator: Locator;
  readonly subject: string;
  readonly parsed: Parsed;
}

/** By locator: of two lines with one id the later one stands. */
function locate({ type, resource }: Target, keys: ContractKeys, batch: readonly Parsed[]): Map<Locator, Located> {
  const subjectType = resource.subject.path === null ? type : resource.subject.type;
  const located = new Map<Locator, Located>();
  for (const parsed of batch) {
    const locator = locatorOf(keys.locator, type, parsed.id);
    located.set(locator, { locator, subject: locatorOf(keys.locator, subjectType, parsed.subjectId), parsed });
  }
  return located;
}

function sealRecord(
  aead: Aead,
  { contract, type }: Target,
  record: Located,
  { key, version }: { key: Uint8Array; version: number },
): SealedRecord {
  const { locator, subject, parsed } = record;
  const documents: (JsonObject | undefined)[] = [...parsed.sorted.levels];
  // The merchant's own id lies at the highest level, which no agent's plan opens for it.
  const top = levelsMax - 1;
  documents[top] = { ...documents[top], "\u0000id": parsed.id };
  const levels = documents.map((document, level) =>
    document === undefined ? null : sealLevel(aead, key, { contract, subject, type, locator, level, version }, document),
  );
  return { locator, subject, version, levels };
}

/** Makes the keys that are missing, then reads what stands, so that two imports agree on one key per subject. */
async function subjectKeysOf(tx: Queryable, keys: ContractKeys, subjects: ReadonlySet<string>): Promise<ReadonlyMap<string, WrappedKey>> {
  const standing = await selectSubjectKeys(tx, keys.contract, [...subjects]);
  const missing = [...subjects].filter((subject) => !standing.has(subject));
  const wrapNew = (subject: string): WrappedKey => {
    const key = randomBytes(keyBytes);
    const wrapped = keys.wrapSubjectKey(subject, key);
    key.fill(0);
    return wrapped;
  };
  const made = new Map<string, WrappedKey>(missing.map((subject) => [subject, wrapNew(subject)]));
  await insertSubjectKeys(tx, keys.contract, made);
  return missing.length > 0 ? selectSubjectKeys(tx, keys.contract, [...subjects]) : standing;
}

class Tally {
  lines = 0;
  #created = 0;
  #written = 0;
  #rejectedCount = 0;
  readonly #rejected: Rejected[] = [];
  readonly #unnamed = new Map<string, number>();

  reject(line: number, code: string): void {
    this.#rejectedCount++;
    if (this.#rejected.length < rejectedMax) this.#rejected.push({ line, code });
  }

  written(batch: readonly Parsed[], created: number): void {
    this.#created += created;
    this.#written += batch.length;
    for (const path of batch.flatMap(({ sorted }) => [...new Set(sorted.unnamed)])) {
      const known = this.#unnamed.size < rejectedMax || this.#unnamed.has(path) ? path : "*";
      this.#unnamed.set(known, (this.#unnamed.get(known) ?? 0) + 1);
    }
  }

  result(): Imported {
    return {
      lines: this.lines,
      created: this.#created,
      updated: this.#written - this.#created,
      rejected: this.#rejected,
      rejectedCount: this.#rejectedCount,
      unnamed: Object.fromEntries(this.#unnamed),
    };
  }
}

function countsOf({ lines, created, updated, rejectedCount }: Imported) {
  return { lines, created, updated, rejected: rejectedCount };
}
