/**
 * Legal holds: what must not be deleted, on whose word, until when (PIPL 47: where deleting is not allowed, only store and secure).
 * Pure; the table is postgres-holds.ts. Whoever deletes asks here first: the purge, erasing one subject, pruning a log.
 */
import type { ContractId, Locator } from "../kernel/index.ts";

/** Why something must be kept, as the log and the certificate name it. */
export const holdBases = ["litigation", "investigation", "regulator_order", "statutory_retention", "dispute"] as const;
export type HoldBasis = (typeof holdBases)[number];

/** `subject`: the locator of a data subject, never the merchant's own id. `path`: of the policy. */
export type HoldScope =
  | { readonly kind: "contract" }
  | { readonly kind: "subject"; readonly type: string; readonly subject: Locator }
  | { readonly kind: "field"; readonly type: string; readonly path: string };

export interface Hold {
  readonly id: string;
  readonly contract: ContractId;
  readonly scope: HoldScope;
  readonly basis: HoldBasis;
  /** An owner's words: why, and which court or office asks for it. */
  readonly note: string;
  readonly authority: string;
  readonly placedBy: { readonly issuer: string; readonly subject: string };
  /** Milliseconds since 1970; `null` = until it is released, not released. */
  readonly placedAt: number;
  readonly expiresAt: number | null;
  readonly releasedAt: number | null;
  /** The database's clock when this was read. */
  readonly readAt: number;
}

export function isStanding({ releasedAt, expiresAt, readAt }: Pick<Hold, "releasedAt" | "expiresAt" | "readAt">): boolean {
  return releasedAt === null && (expiresAt === null || expiresAt > readAt);
}

/** Those that keep one subject's data from being erased: of the subject, of the whole contract, and of any field, which this subject has too. */
export function holdsOnSubject(holds: readonly Hold[], subject: string): Hold[] {
  return holds.filter((hold) => isStanding(hold) && (hold.scope.kind !== "subject" || hold.scope.subject === subject));
}

/** Those that spare single records from what deletes by their age: of one person, all of theirs; of a field, all of its type. */
export function sparedBy(holds: readonly Hold[]): { readonly all: boolean; readonly subjects: string[]; readonly types: string[] } {
  const scopes = holds.filter(isStanding).map(({ scope }) => scope);
  return {
    all: scopes.some(({ kind }) => kind === "contract"),
    subjects: scopes.flatMap((scope) => (scope.kind === "subject" ? [scope.subject] : [])),
    types: scopes.flatMap((scope) => (scope.kind === "field" ? [scope.type] : [])),
  };
}

/** A refusal's `errors`: which holds stand in the way. */
export function namedHolds(holds: readonly Hold[]): { pointer: string; code: string }[] {
  return holds.map(({ id, scope }) => ({ pointer: `/holds/${id}`, code: scope.kind }));
}
