/** What keeping and pruning of logs needs. */
import type { AuditLog, LogHandles, Sequencer } from "../audit/index.ts";
import type { Bundles } from "../contracts/index.ts";
import type { Database } from "../storage/index.ts";

export interface RetentionTerms {
  /** Whole months that an entry is kept after the end of the month it was written in. */
  readonly months: number;
  /** Whether somebody's hold stands against pruning this log. */
  readonly held: (log: string) => Promise<boolean>;
}

export interface RetentionParts extends RetentionTerms {
  readonly database: Database;
  readonly audit: AuditLog;
  readonly logs: LogHandles;
  readonly sequencer: Sequencer;
  readonly bundles: Bundles;
  /** Raw public key under which checkpoints are signed. */
  readonly logKey: Uint8Array;
  /** Milliseconds that one process has a log's pruning for. */
  readonly leaseMs: number;
}
