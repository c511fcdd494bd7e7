export type { Anchor, AnchoredHead } from "./anchor.ts";
export { type ExportFlush, readBundle, writeBundle } from "./bundle.ts";
export { openCheckpoint, signCheckpoint } from "./checkpoint.ts";
export { actorPseudonym, openDetails, subjectPseudonym } from "./compose.ts";
export { formatWitnessVkey, parseWitnessVkey, type WitnessKey, witnessKey } from "./cosignature.ts";
export { type ActorRole, type Entry, type EntryDetails, type EventName, eventNames } from "./entry.ts";
export { isSameLog, readOrigin } from "./epoch.ts";
export { entriesOfFlush, flushEntriesMax } from "./flush.ts";
export { LogHalted } from "./halted.ts";
export { createLogHandles, gatewayLog, type LogHandles } from "./handles.ts";
export {
  type Actor,
  type AuditLog,
  AuditUnavailable,
  type DurableReceipt,
  type EntryDraft,
  type LogHandle,
  type RequestFacts,
  Undisclosed,
} from "./log.ts";
export { readConsistency, readEntryBundle, readHashTile, readInclusion } from "./log-tiles.ts";
export type { PrunedEvidence } from "./manifest.ts";
export { type EpochParts, type EpochPlan, type EpochRefusal, openEpoch, planEpoch } from "./new-epoch.ts";
export { formatVkey, type NoteKey, noteKey, parseVkey } from "./note.ts";
export {
  emptyLogRow,
  isNumbered,
  type LogRow,
  type NumberedFlush,
  openLog,
  selectCheckpointFrom,
  selectCheckpoints,
  selectEntriesAt,
  selectFlushes,
  selectIndexesOfEvent,
  selectLog,
  selectOpenLogs,
  selectOrphans,
  selectPending,
  selectSilentLogs,
  selectSubtrees,
} from "./postgres.ts";
export { type SearchFilter, type SearchPage, searchEnd, searchEntries } from "./postgres-search.ts";
export { type AcceptedEntry, type PublishedCheckpoint, selectAccepted, selectPublished, selectPublishedOver } from "./postgres-tiles.ts";
export { type AuditPromise, formatPromise } from "./promise.ts";
export { formatProof } from "./proof.ts";
export {
  beginPruning,
  type DueLog,
  notePruningEntry,
  type Pruning,
  type PruningPlan,
  prune,
  readCarried,
  readLeftEdge,
  releasePruning,
  rootOfEdge,
  selectDueLogs,
  selectFirstKept,
  selectKeptMonths,
  selectPruningProof,
  takePruning,
} from "./pruning.ts";
export { policyOf } from "./quorum.ts";
export { readEntries } from "./read-entries.ts";
export { formatReceipt, type ReceiptVerdict, verifyReceipt } from "./receipt.ts";
export { rootKeyOf } from "./root-line.ts";
export { announceHeads } from "./root-log.ts";
export { createSequencer, readEntry, type Sequencer } from "./sequencer.ts";
export { createStrangers, createStrangersTally, type Strangers, type StrangersTally } from "./strangers.ts";
export { encodeEntries, hasTile, parseEntriesPath, parseTilePath, type Tile, tileWidth } from "./tiles.ts";
export { type HashTree, hashesToBytes, hashTree, inclusionProof, leafHash, rootFromInclusion } from "./tree.ts";
export { formatTrust, parseTrust, type Trust } from "./trust.ts";
export { isUndamaged } from "./undamaged.ts";
export { type Freshness, selectHalted, selectLate } from "./upkeep.ts";
export type { ProblemCode, Verdict } from "./verdict.ts";
export { verifyExport } from "./verify.ts";
export { type RootVerdict, verifyAgainstRoot } from "./verify-root.ts";
export { createWitness, type Witness, type WitnessAnswer, type WitnessedHead, type WitnessStore } from "./witness.ts";
export { type AskedWitness, createWitnessClient, type WitnessPauses, type WitnessReport } from "./witness-client.ts";
export { selectWitnessProgress, type WitnessProgress } from "./witness-progress.ts";
export { addCheckpointBytesMax } from "./witness-request.ts";
export { createAuditWriter, type LogOrigins } from "./writer.ts";
