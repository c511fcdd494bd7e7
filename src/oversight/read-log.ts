/**
 * The log as tlog-tiles:  enter → checkpoint → log this reading → answer
 * The gateway log's checkpoints, hashes and proofs are anybody's. A contract's log is its merchant's owners' and officers'; its entries are the officers'.
 * What a person takes one at a time (checkpoint, entries) is logged; what a walk takes by the thousand and holds nothing but hashes is not (decision 0013).
 */
import {
  type EntryDraft,
  formatProof,
  gatewayLog,
  hasTile,
  noteKey,
  type PublishedCheckpoint,
  parseEntriesPath,
  parseTilePath,
  policyOf,
  readConsistency,
  readEntryBundle,
  readHashTile,
  readInclusion,
  type Sequencer,
  selectLog,
  selectPublished,
  type Tile,
  tileWidth,
  type WitnessKey,
} from "../audit/index.ts";
import { toBase64 } from "../crypto/index.ts";
import { type ContractId, ok, type Refusal, type Result, refuse } from "../kernel/index.ts";
import { admittedTo, type Entered, enterContract, type OfficeDoor, type Visit } from "../offices/index.ts";

export interface LogDesk extends OfficeDoor {
  readonly sequencer: Sequencer;
  /** Raw public key under which checkpoints are signed. */
  readonly publicKeys: { readonly log: Uint8Array };
  /** Those that are asked to cosign a log. */
  readonly witnessesOf: (log: string) => readonly WitnessKey[];
}

/** `null` = nobody was asked who they are: the log is public. */
async function enterLog(desk: LogDesk, visit: Visit, log: string): Promise<Result<Entered | null, Refusal>> {
  const isPublic = log === gatewayLog && admittedTo(visit.request.route).includes("anyone_for_gateway_log");
  return isPublic ? ok(null) : enterContract(desk, visit, log as ContractId);
}

/** The newest checkpoint, as a signed note. */
export async function readCheckpoint(desk: LogDesk, visit: Visit, log: string): Promise<Result<string, Refusal>> {
  const entered = await enterLog(desk, visit, log);
  if (!entered.ok) return entered;
  const published = await selectPublished(desk.database, log);
  if (entered.value) await logReading(desk, visit, entered.value, { code: "checkpoint", found: published !== null });
  return published ? ok(published.note) : refuse({ code: "not_found" });
}

/** `path`: behind `tile/`. */
export async function readTile(
  desk: LogDesk,
  visit: Visit,
  log: string,
  path: string,
): Promise<Result<{ readonly tile: Tile; readonly bytes: Uint8Array }, Refusal>> {
  const tile = parseTilePath(path);
  if (tile === null) return noTilePath("tile");
  const published = await enterPublished(desk, visit, log);
  if (!published.ok) return published;
  if (!hasTile(published.value.size, tile)) return beyond("path:tile");
  if (await isPruned(desk, log, tile)) return pruned("path:tile");
  return ok({ tile, bytes: await readHashTile(desk.database, log, tile) });
}

/** `path`: behind `tile/entries/`. Of a contract's log alone; the gateway log's entries are nobody's. */
export async function readBundleOfEntries(
  desk: LogDesk,
  visit: Visit,
  log: string,
  path: string,
): Promise<Result<{ readonly tile: Tile; readonly bytes: Uint8Array }, Refusal>> {
  const tile = parseEntriesPath(path);
  if (tile === null) return noTilePath("bundle");
  const entered = await enterContract(desk, visit, log as ContractId);
  if (!entered.ok) return entered;
  const published = await selectPublished(desk.database, log);
  const known = published !== null && hasTile(published.size, tile);
  const found = known && !(await isPruned(desk, log, tile));
  await logReading(desk, visit, entered.value, { code: "entries", found, bundle: path });
  if (known && !found) return pruned("path:bundle");
  return found ? ok({ tile, bytes: await readEntryBundle(desk.database, log, tile) }) : beyond("path:bundle");
}

/** A tlog-proof of the leaf in the newest checkpoint. */
export async function proveInclusion(desk: LogDesk, visit: Visit, log: string, leaf: number): Promise<Result<string, Refusal>> {
  const published = await enterPublished(desk, visit, log);
  if (!published.ok) return published;
  const { size, note } = published.value;
  if (leaf >= size) return beyond("path:leaf");
  if (leaf < (await firstKeptOf(desk, log))) return pruned("path:leaf");
  return ok(formatProof({ extra: null, index: leaf, hashes: await readInclusion(desk.database, log, leaf, size), checkpoint: note }));
}

/**
 * That the log of `to` extends the one of `from`, in the form that a tlog-witness is sent: the old size, the proof, and the checkpoint of `to`.
 * `to` null: the newest.
 */
export async function proveConsistency(
  desk: LogDesk,
  visit: Visit,
  log: string,
  { from, to }: { readonly from: number; readonly to: number | null },
): Promise<Result<string, Refusal>> {
  const newest = await enterPublished(desk, visit, log);
  if (!newest.ok) return newest;
  const size = to ?? newest.value.size;
  if (size > newest.value.size) return unusable("to", "beyond_size");
  if (from > size) return unusable("from", to === null ? "beyond_size" : "beyond_to");
  // Of what was pruned the roots of whole tiles are left: from a size between two of them there is no proof any more.
  if (from % tileWidth !== 0 && from < (await firstKeptOf(desk, log))) return pruned("query:from");
  const published = await selectPublished(desk.database, log, size);
  if (!published) return refuse({ code: "not_found", errors: [{ pointer: "query:to", code: "no_checkpoint" }] });
  const hashes = await readConsistency(desk.database, log, from, size);
  return ok(`${[`old ${from}`, ...hashes.map(toBase64)].join("\n")}\n\n${published.note}`);
}

/** C2SP tlog-policy: under which keys a checkpoint of this log counts. */
export async function readPolicy(desk: LogDesk, visit: Visit, log: string): Promise<Result<string, Refusal>> {
  const entered = await enterLog(desk, visit, log);
  if (!entered.ok) return entered;
  const { newest } = await desk.logs.originsOf(desk.database, log);
  return ok(policyOf(noteKey(newest, desk.publicKeys.log), desk.witnessesOf(log)).text);
}

async function enterPublished(desk: LogDesk, visit: Visit, log: string): Promise<Result<PublishedCheckpoint, Refusal>> {
  const entered = await enterLog(desk, visit, log);
  if (!entered.ok) return entered;
  const published = await selectPublished(desk.database, log);
  return published ? ok(published) : refuse({ code: "not_found" });
}

interface Reading {
  readonly code: "checkpoint" | "entries" | "receipt";
  readonly found: boolean;
  readonly bundle?: string;
}

/** One entry for one reading. It comes after what is read, so it never changes that. */
export async function logReading(
  desk: Pick<LogDesk, "audit">,
  visit: Visit,
  { actor, contract, log }: Entered,
  { code, found, bundle }: Reading,
): Promise<void> {
  const outcome: EntryDraft["outcome"] = found ? { effect: "allow", code } : { effect: "deny", code: "not_found" };
  const facts = { contract: contract.id, ...(bundle === undefined ? {} : { bundle }) };
  await desk.audit.append(log, { event: "log.read", actor, request: visit.request, outcome, facts });
}

function noTilePath(parameter: "tile" | "bundle"): Result<never, Refusal> {
  return refuse({ code: "bad_id", errors: [{ pointer: `path:${parameter}`, code: "grammar" }] });
}

/** Tiles of higher levels hold roots of the ones that are gone, and stay. */
async function isPruned(desk: LogDesk, log: string, { level, index }: Tile): Promise<boolean> {
  return level === 0 && index * tileWidth < (await firstKeptOf(desk, log));
}

async function firstKeptOf({ database }: LogDesk, log: string): Promise<number> {
  return (await selectLog(database, log))?.minIndex ?? 0;
}

function pruned(pointer: string): Result<never, Refusal> {
  return refuse({ code: "pruned", errors: [{ pointer, code: "pruned" }] });
}

/** Said to those alone who may read the log. */
function beyond(pointer: string): Result<never, Refusal> {
  return refuse({ code: "not_found", errors: [{ pointer, code: "beyond_size" }] });
}

function unusable(parameter: "from" | "to", code: string): Result<never, Refusal> {
  return refuse({ code: "bad_query", errors: [{ pointer: `query:${parameter}`, code }] });
}
