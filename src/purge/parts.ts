/** What a running purge needs, and what each act hands back. */
import type { AuditLog, LogHandles, Sequencer } from "../audit/index.ts";
import type { Bundles } from "../contracts/index.ts";
import type { Aead, Signer } from "../crypto/index.ts";
import type { InFlight } from "../kernel/index.ts";
import type { Keyring, ShareStore } from "../keys/index.ts";
import type { Database } from "../storage/index.ts";
import type { Facts, PurgeJob } from "./postgres.ts";

export interface PurgeParts {
  readonly aead: Aead;
  readonly database: Database;
  readonly keyring: Keyring;
  readonly shares: ShareStore;
  readonly bundles: Bundles;
  readonly audit: AuditLog;
  readonly logs: LogHandles;
  readonly sequencer: Sequencer;
  readonly certificateSigner: Signer;
  readonly inFlight: InFlight;
  /** How long other processes may still use keys after the fence: request deadline + 60 s; 0 where this process is the only one. */
  readonly fenceWaitMs: number;
  readonly leaseMs: number;
  /** Name and version of what looks after the deletion, for the certificate. */
  readonly tool: string;
}

export interface Done {
  readonly facts: Facts;
  /** What the done entry says: counts, commitments. */
  readonly entry: EntryFacts;
}

export type EntryFacts = Readonly<Record<string, string | string[] | Record<string, number>>>;

/** What a job has found out, with the instant of a step: the database's clock when the job was read. */
export function timed(job: PurgeJob, step: string): Facts {
  return { ...job.facts, times: { ...job.facts.times, [step]: new Date(job.readAt).toISOString() } };
}
