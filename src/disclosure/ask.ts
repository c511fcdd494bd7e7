/** What an agent asks, and what it takes to answer. */
import type { AuditLog, LogHandles, RequestFacts, Strangers } from "../audit/index.ts";
import type { Bundles } from "../contracts/index.ts";
import type { Aead } from "../crypto/index.ts";
import type { Metrics } from "../http/index.ts";
import type { Identity } from "../identity/index.ts";
import type { ContractId, InFlight, Locator, Presented } from "../kernel/index.ts";
import type { Keyring } from "../keys/index.ts";
import type { Offices } from "../offices/index.ts";
import type { Queryable } from "../storage/index.ts";
import type { Load } from "./load.ts";
import type { MissWatch } from "./misses.ts";
import type { SeatWatch } from "./watch.ts";

export interface Disclosure {
  /** Knows what was revoked. */
  readonly identity: Identity;
  /** Says who holds a token, no more: for who loads next, which says what was revoked. */
  readonly tokens: Identity;
  readonly database: Queryable;
  readonly load: Load;
  readonly watch: SeatWatch;
  readonly misses: MissWatch;
  readonly bundles: Bundles;
  readonly keyring: Keyring;
  readonly aead: Aead;
  readonly audit: AuditLog;
  readonly logs: LogHandles;
  readonly strangers: Strangers;
  readonly inFlight: InFlight;
  readonly offices: Offices;
  readonly metrics: Metrics;
}

export interface Ask {
  readonly authorization: Presented | null;
  readonly contract: ContractId;
  readonly type: string;
  readonly want: Want;
  /** `null` = not sent. */
  readonly purpose: string | null;
  readonly ticket: string | null;
  readonly request: RequestFacts;
}

/**
 * `field`: a searchable field, or `id` for the merchant's own id. `upstream`: of the merchant's own API, `field` null where it is not searched. `write`: into that
 * API.
 */
export type Want =
  | { readonly kind: "upstream"; readonly list: boolean; readonly field: string | null }
  | { readonly kind: "write" }
  | { readonly kind: "read"; readonly locator: Locator }
  | { readonly kind: "search"; readonly field: string; readonly value: string };
