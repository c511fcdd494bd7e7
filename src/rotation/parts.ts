/** What a running rotation needs, what each act hands back, and who comes before it. */
import type { LogHandles } from "../audit/index.ts";
import { type Bundles, type Contract, lockContract } from "../contracts/index.ts";
import type { Aead } from "../crypto/index.ts";
import type { JobLog } from "../jobs/index.ts";
import type { InFlight } from "../kernel/index.ts";
import type { Keyring, ShareStore } from "../keys/index.ts";
import type { Queryable } from "../storage/index.ts";
import type { Rotation } from "./postgres.ts";

export interface RotationParts extends JobLog {
  readonly aead: Aead;
  readonly bundles: Bundles;
  readonly keyring: Keyring;
  readonly shares: ShareStore;
  readonly logs: LogHandles;
  readonly inFlight: InFlight;
  /** How long other processes may still use what they loaded or cached: request deadline + 60 s; 0 where this process is the only one. */
  readonly fenceWaitMs: number;
  readonly leaseMs: number;
}

export interface Done {
  readonly job: Rotation;
  readonly entry: Readonly<Record<string, string | number | string[]>>;
}

export class ContractClosed extends Error {
  constructor() {
    super("the contract's keys are the purge's");
    this.name = "ContractClosed";
  }
}

/** Holds the contract's row, so that its purge waits for this transaction. Throws ContractClosed where it came first. */
export async function standOpen(tx: Queryable, job: Rotation, strength: "share" | "update"): Promise<Contract> {
  const contract = await lockContract(tx, job.contract, strength);
  if (!contract || contract.state === "purging" || contract.state === "purged") throw new ContractClosed();
  return contract;
}
