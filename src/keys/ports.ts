/**
 * Where keys rest. A contract's data key follows from two shares that never lie in one place (NIST SP 800-57 split knowledge):
 * share A, wrapped by the root key, in the database; share B in a store that keeps no history.
 */
import type { ContractId } from "../kernel/index.ts";

/** The key above all others; outside the database. Trusted to keep a 256-bit key secret. */
export interface RootKey {
  /** Of the root keys that it reads; it wraps under the first. What is wrapped says under which. */
  readonly names: readonly string[];
  /** `context` binds the wrapping to its place. */
  wrap(context: string, key: Uint8Array): Promise<Uint8Array>;
  /** `null` = it does not open under this root key in this context. Throws where the key service could not be asked. The bytes are the caller's to overwrite. */
  unwrap(context: string, wrapped: Uint8Array): Promise<Uint8Array | null>;
}

/** What a job deleted of a contract that goes on. */
export interface Deletion {
  readonly contract: ContractId;
  /** UUIDv7. */
  readonly job: string;
  /** Whatever the job needs to know to do it again: keyed names and instants, in at most a few thousand characters. */
  readonly what: string;
}

/** Holds share B of each epoch. Must have no backups and no point-in-time recovery: what is destroyed here is gone. */
export interface ShareStore {
  /**
   * Durable when it resolves; replaces a share of an activation or a rotation that did not complete. Keeps none of the caller's bytes.
   * Throws for a contract that was buried: its id is never used again.
   */
  put(contract: ContractId, epoch: number, share: Uint8Array): Promise<void>;
  /** `null` = looked, none there. The bytes are the caller's to overwrite. */
  get(contract: ContractId, epoch: number): Promise<Uint8Array | null>;
  /** Durable when it resolves; no fault if it was gone already. */
  destroy(contract: ContractId, epoch: number): Promise<void>;
  /** Notes a deletion before it happens, while the contract goes on. Durable when it resolves; the first note of a job stands until the contract is buried. */
  note(deletion: Deletion): Promise<void>;
  /** Every note, in the order of their jobs' ids: what a database that was restored must not hold again. */
  deletions(): Promise<readonly Deletion[]>;
  /** Sets the contract's tombstone, before its first share is destroyed. Durable when it resolves; the first one stands, for ever, in the place of its notes. */
  bury(contract: ContractId): Promise<void>;
  /** Every contract with a tombstone, and since when (ISO 8601): what a database that was restored must not hold alive. */
  buried(): Promise<ReadonlyMap<string, string>>;
}

/** Holds share C of a merchant's contracts: the merchant's own switch, and its own count of what was opened. */
export interface ShareHolder {
  /** The merchant's own random bytes: the same each time for an epoch that was not retired, so that an activation that did not complete finds them again. */
  make(contract: ContractId, epoch: number): Promise<Uint8Array>;
  /** Throws ShareClosed where the merchant says no, KeysUnavailable where it says nothing that counts. */
  open(contract: ContractId, epoch: number): Promise<Uint8Array>;
  /** Resolves once the merchant says that the share is gone there. That is its word: attested, not proven. */
  retire(contract: ContractId, epoch: number): Promise<void>;
}

/** `null` = this merchant holds no share. */
export type ShareHolders = (merchant: string) => ShareHolder | null;

/** Throws of this class mean: could not tell; nothing may be decided from it. */
export class KeysUnavailable extends Error {
  constructor(reason: string, cause?: unknown) {
    super(reason, { cause });
    this.name = "KeysUnavailable";
  }
}

/** The merchant holds its share back: a decision, not a fault. */
export class ShareClosed extends KeysUnavailable {
  constructor() {
    super("the merchant has closed its share of the key");
    this.name = "ShareClosed";
  }
}
