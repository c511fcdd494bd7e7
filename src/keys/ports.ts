/**
 * Where keys rest. A contract's data key follows from two shares that never lie in one place (NIST SP 800-57 split knowledge):
 * share A, wrapped by the root key, in the database; share B in a store that keeps no history.
 */
import type { ContractId } from "../kernel/index.ts";

/** The key above all others; outside the database. Trusted to keep a 256-bit key secret. */
export interface RootKey {
  /** `context` binds the wrapping to its place. */
  wrap(context: string, key: Uint8Array): Promise<Uint8Array>;
  /** `null` = it does not open under this root key in this context. Throws where the key service could not be asked. */
  unwrap(context: string, wrapped: Uint8Array): Promise<Uint8Array | null>;
}

/** Holds share B of each epoch. Must have no backups and no point-in-time recovery: what is destroyed here is gone. */
export interface ShareStore {
  /** Durable when it resolves; replaces a share of an activation that did not complete. Throws for a contract that was buried: its id is never used again. */
  put(contract: ContractId, epoch: number, share: Uint8Array): Promise<void>;
  /** `null` = looked, none there. */
  get(contract: ContractId, epoch: number): Promise<Uint8Array | null>;
  /** Durable when it resolves; no fault if it was gone already. */
  destroy(contract: ContractId, epoch: number): Promise<void>;
  /** Sets the contract's tombstone, before its first share is destroyed. Durable when it resolves; the first one stands, for ever. */
  bury(contract: ContractId): Promise<void>;
  /** Every contract with a tombstone, and since when (ISO 8601): what a database that was restored must not hold alive. */
  buried(): Promise<ReadonlyMap<string, string>>;
}

/** Throws of this class mean: could not tell; nothing may be decided from it. */
export class KeysUnavailable extends Error {
  constructor(reason: string, cause?: unknown) {
    super(reason, { cause });
    this.name = "KeysUnavailable";
  }
}
