export { readBundle, writeBundle } from "./bundle.ts";
export { openCheckpoint, signCheckpoint } from "./checkpoint.ts";
export { actorPseudonym, openDetails, subjectPseudonym } from "./compose.ts";
export type { ActorRole, Entry, EntryDetails, EventName } from "./entry.ts";
export { entriesOfFlush } from "./flush.ts";
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
export { formatVkey, noteKey } from "./note.ts";
export {
  emptyLogRow,
  isNumbered,
  type LogRow,
  type NumberedFlush,
  openLog,
  type SearchFilter,
  searchEntries,
  selectCheckpoints,
  selectEntriesAt,
  selectFlushes,
  selectIndexesOfEvent,
  selectLeafHashes,
  selectLog,
  selectOpenLogs,
  selectOrphans,
  selectPending,
  selectSilentLogs,
  selectSubtrees,
} from "./postgres.ts";
export { type AuditPromise, formatPromise } from "./promise.ts";
export { createSequencer, LogHalted, readEntry, type Sequencer } from "./sequencer.ts";
export { type HashTree, hashTree, inclusionProof, leafHash, rootFromInclusion } from "./tree.ts";
export { formatTrust, parseTrust, type Trust } from "./trust.ts";
export type { ProblemCode, Verdict } from "./verdict.ts";
export { verifyExport } from "./verify.ts";
export { createAuditWriter } from "./writer.ts";
