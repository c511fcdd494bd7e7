/**
 * The log as the rest of the house sees it: something to append to, and a receipt without which nothing is released.
 */

import type { ActorRole, Entry, EventName } from "./entry.ts";
import type { AuditPromise } from "./promise.ts";

declare const durable: unique symbol;

/** Proof, as a type, that the entry is on disk. Only the writer makes one. `flush`: the id of the flush it lies in. */
export type DurableReceipt = AuditPromise & { readonly flush: string; readonly [durable]: true };

/** A value that may leave only after its entry is durable. */
export class Undisclosed<Value> {
  readonly #value: Value;
  constructor(value: Value) {
    this.#value = value;
  }
  /** Takes the receipt of the entry that names this disclosure. */
  release(_receipt: DurableReceipt): Value {
    return this.#value;
  }
}

/** Which log, and the key of its pseudonyms. */
export interface LogHandle {
  /** The contract's id, or `gateway`. */
  readonly log: string;
  /** Of its first epoch. The writer learns where there is a later one. */
  readonly base: string;
  readonly pseudonymKey: Uint8Array;
}

export type Actor =
  | { readonly role: Exclude<ActorRole, "system" | "unknown">; readonly issuer: string; readonly subject: string }
  | { readonly role: "unknown"; readonly issuer?: string; readonly subject?: string }
  | { readonly role: "system" };

/** Where a request came from and what it was. */
export interface RequestFacts {
  readonly id: string;
  /** The route's pattern, never the path: `GET /v1/contracts/{contract}/records/{type}/{locator}`. */
  readonly route: string;
  readonly address?: string | undefined;
  /** Two letters, where whoever brings the request says so; not in the entry. */
  readonly country?: string | undefined;
  readonly userAgent?: string | undefined;
  /** Why, in the caller's own words. */
  readonly reason?: string | undefined;
}

/** What a use case says of itself; the writer adds pseudonyms, sealed details, its own chain, id and time. */
export interface EntryDraft {
  readonly event: EventName;
  readonly actor: Actor;
  readonly request?: RequestFacts | undefined;
  readonly reason?: { readonly purpose?: string | undefined; readonly ticket?: string | undefined } | undefined;
  readonly resource?:
    | {
        readonly type: string;
        readonly records: readonly { readonly locator: string; readonly subject?: string | undefined }[];
        readonly fields: NonNullable<Entry["resource"]>["fields"];
      }
    | undefined;
  readonly decision?: Entry["decision"];
  readonly outcome: Entry["outcome"];
  readonly facts?: Entry["facts"];
}

export interface AuditLog {
  /** Resolves once the entry is durable. Throws AuditUnavailable if that is uncertain; then nothing may be released. */
  append(log: LogHandle, draft: EntryDraft): Promise<DurableReceipt>;
}

export class AuditUnavailable extends Error {
  constructor(reason: string, cause?: unknown) {
    super(reason, { cause });
    this.name = "AuditUnavailable";
  }
}
