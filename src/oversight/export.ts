/**
 * An officer takes the log away, to be verified by somebody who trusts nobody:
 * enter → log this export → wait until that entry is in the tree → cut at that checkpoint → stream
 */
import {
  AuditUnavailable,
  type Entry,
  type ExportFlush,
  emptyLogRow,
  flushEntriesMax,
  formatVkey,
  type LogHandle,
  type LogRow,
  type NumberedFlush,
  noteKey,
  type PrunedEvidence,
  readLeftEdge,
  type Sequencer,
  selectAccepted,
  selectCheckpoints,
  selectFlushes,
  selectLog,
  selectOrphans,
  selectPruningProof,
  selectSubtrees,
  writeBundle,
} from "../audit/index.ts";
import { keyId, toBase64 } from "../crypto/index.ts";
import { type ContractId, ok, type Refusal, type Result, refuse } from "../kernel/index.ts";
import { type Entered, enterContract, type Visit } from "../offices/index.ts";
import type { Database } from "../storage/index.ts";
import type { Oversight } from "./ask.ts";
import { promiseOf, receiptOf } from "./receipts.ts";
import { sequenced } from "./sequenced.ts";

const sequencedWithinMs = 5_000;
const pageFlushes = 32;
const pageCheckpoints = 256;
const subtreeWidth = 256;

export interface ExportDesk extends Oversight {
  readonly sequencer: Sequencer;
  /** Raw public keys that the export names; what counts is the reader's trust file. */
  readonly publicKeys: { readonly log: Uint8Array; readonly writers: readonly Uint8Array[] };
}

export async function exportLog(desk: ExportDesk, visit: Visit, id: ContractId): Promise<Result<ReadableStream<Uint8Array>, Refusal>> {
  const entered = await enterContract(desk, visit, id);
  if (!entered.ok) return entered;
  const { actor, contract } = entered.value;
  const log = await logOfExport(desk, entered.value);
  const begun = contract.state !== "draft";
  const outcome: Entry["outcome"] = begun ? { effect: "allow", code: "bundle" } : { effect: "deny", code: "wrong_state" };
  const receipt = await desk.audit.append(log, {
    event: "audit.exported",
    actor,
    request: visit.request,
    outcome,
    facts: { contract: id },
  });
  if (!begun) return refuse({ code: "wrong_state" });
  const halted = log.log === id && !(await hasPlace(desk, id, receipt.flush));
  const row = await (halted ? selectLog(desk.database, id) : selectPublished(desk, id));
  const cut = row ?? emptyLogRow(id, desk.logs.baseOf(id));
  return ok(await bundleOf(desk, cut, { state: halted ? "halted" : cut.state }));
}

export interface BundleView {
  readonly state: "open" | "frozen" | "halted";
  /** The contract that an extract of the gateway log is made for, and what of a flush it shows. */
  readonly extract?: { readonly contract: ContractId; readonly show: (flush: ExportFlush) => ExportFlush };
}

/** A log as it is stored, cut at its row. */
export async function bundleOf(desk: ExportDesk, row: LogRow, { state, extract }: BundleView): Promise<ReadableStream<Uint8Array>> {
  const { log: id, origin, size, minIndex } = row;
  const [checkpoint] = await selectCheckpoints(desk.database, id, { from: size, to: size, limit: 1 });
  const { log: logKey, writers } = desk.publicKeys;
  return writeBundle({
    manifest: {
      ...{ origin, log: id, state, size },
      root: toBase64(row.root),
      range: toBase64(row.range),
      ...(extract && { extract: extract.contract }),
      min_index: minIndex,
    },
    pruned: minIndex === 0 ? null : { roots: await readLeftEdge(desk.database, id, minIndex), evidence: await evidenceOf(desk, id) },
    keys: {
      log: formatVkey(noteKey(origin, logKey)),
      writers: writers.map((key) => ({ kid: keyId(key), key: toBase64(key) })),
    },
    checkpoint: checkpoint?.note ?? "",
    checkpoints: () => checkpointsOf(desk.database, row),
    flushes: () => flushesOf(desk.database, row, extract?.show),
    orphans: () => orphansOf(desk.database, row),
    subtrees: () => subtreesOf(desk.database, row),
  });
}

/** The entry that says what was pruned, and its receipt; whatever is missing is missing in the export. */
async function evidenceOf({ database }: ExportDesk, log: string): Promise<PrunedEvidence> {
  const proof = await selectPruningProof(database, log);
  const accepted = proof && (await selectAccepted(database, proof.log, proof.entry));
  if (!accepted) return { entry: "", receipt: "" };
  const receipt = await receiptOf({ database }, proof.log, accepted, promiseOf(accepted, proof.entry));
  return { entry: toBase64(accepted.entries[accepted.position] ?? new Uint8Array(0)), receipt: receipt ?? "" };
}

/** A log that takes no entry, because it ended or because somebody changed its row, is exported as it stands: the verifier says which. */
export async function logOfExport(desk: ExportDesk, { contract, log }: Entered): Promise<LogHandle> {
  const row = await selectLog(desk.database, contract.id);
  return row?.state === "open" ? log : desk.logs.gateway(desk.database);
}

/** Waits for the place of an export's own entry. Throws AuditUnavailable where it takes too long. False: the log is halted. */
export async function hasPlace(desk: ExportDesk, log: string, flush: string): Promise<boolean> {
  const waited = await sequenced(desk, { log, flush, withinMs: sequencedWithinMs });
  if (waited === "late") throw new AuditUnavailable("the export's own entry is not sequenced yet");
  return waited === "numbered";
}

/** As it stands under a checkpoint: somebody else may have numbered more since, and not come to publish it. Throws AuditUnavailable where that takes too long. */
async function selectPublished({ database, sequencer }: ExportDesk, id: string): Promise<LogRow | null> {
  for (const until = Date.now() + sequencedWithinMs; ; ) {
    const row = await selectLog(database, id);
    if (row === null || row.size === 0 || row.state !== "open") return row;
    const published = await selectCheckpoints(database, id, { from: row.size, to: row.size, limit: 1 });
    if (published.length > 0) return row;
    if (Date.now() > until) throw new AuditUnavailable("what was numbered last is not published yet");
    await sequencer.run(id);
  }
}

/** From the one that has the first kept place. */
async function* flushesOf(database: Database, { log, size, minIndex }: LogRow, show = (flush: ExportFlush) => flush) {
  for (let from = Math.max(0, minIndex - flushEntriesMax + 1); ; ) {
    const page = await selectFlushes(database, log, { from, to: size, limit: pageFlushes });
    for (const flush of page) yield show(exportFlush(flush));
    const last = page.at(-1);
    if (last === undefined) return;
    from = last.index + 1;
  }
}

function exportFlush({ index, seqId, leafHashes, stored }: NumberedFlush): ExportFlush {
  const { id = null, head = null, entries = null } = stored ?? {};
  return { index, seqId, leafHashes, id, head, entries };
}

async function* checkpointsOf(database: Database, { log, size, minIndex }: LogRow) {
  for (let from = minIndex === 0 ? 0 : minIndex + 1; ; ) {
    const page = await selectCheckpoints(database, log, { from, to: size, limit: pageCheckpoints });
    yield* page;
    const last = page.at(-1);
    if (last === undefined) return;
    from = last.size + 1;
  }
}

async function* orphansOf(database: Database, { log }: LogRow) {
  for (let after = ""; ; ) {
    const page = await selectOrphans(database, log, { after, limit: pageFlushes });
    yield* page;
    const last = page.at(-1);
    if (last === undefined) return;
    after = last.id;
  }
}

async function* subtreesOf(database: Database, { log, size }: LogRow) {
  for (const subtree of await selectSubtrees(database, log)) {
    if ((subtree.index + 1) * subtreeWidth <= size) yield subtree;
  }
}
