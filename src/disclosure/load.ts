/**
 * Where records come from. One function, so that a merchant's own API can stand in the vault's place: this build has the vault (postgres.ts).
 */
import type { ContractState } from "../contracts/index.ts";
import type { ContractId, Locator } from "../kernel/index.ts";
import type { WrappedKey } from "../keys/index.ts";
import type { HeldSeat } from "../policy/index.ts";
import type { SealedRecord } from "../records/index.ts";

export type Find =
  | { readonly locator: Locator }
  | { readonly field: string; readonly indexValue: Uint8Array }
  /** None of the vault's. */
  | { readonly connector: string }
  | null;

export interface Question {
  readonly contract: ContractId;
  readonly issuer: string;
  readonly subject: string;
  /** Its `jti`, and the `kid` of the key that signed it. */
  readonly token: string;
  readonly key: string;
  readonly type: string;
  /** `null`: only who asks and under what contract. */
  readonly find: Find;
}

export interface LoadedRecord extends SealedRecord {
  /** `null` = the subject's key is gone. */
  readonly subjectKey: WrappedKey | null;
}

export interface Loaded {
  /** The database's clock, milliseconds. */
  readonly now: number;
  /** `null` = no such contract. */
  readonly contract: {
    readonly state: ContractState;
    readonly startsAt: number;
    readonly endsAt: number;
    readonly suspended: boolean;
    readonly merchant: string;
    readonly vendor: string;
    readonly bundleDigest: string;
    /** Newest key epoch; 0 = none yet. */
    readonly epoch: number;
  } | null;
  /** Who asks, or how they come, is refused everywhere. */
  readonly revoked: boolean;
  /** `null` = none at this contract, or one that was taken away. */
  readonly seat: HeldSeat | null;
  /** At most `hitsMax` + 1. */
  readonly records: readonly LoadedRecord[];
  /** Which row the connector is that was asked for: never that of another one, or of another text. Absent = none of that name. */
  readonly connector?: string;
}

export const hitsMax = 20;

/** Throws where the source cannot be asked. */
export type Load = (question: Question) => Promise<Loaded>;
