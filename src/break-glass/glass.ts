/**
 * Break-glass: a purpose that the contract keeps behind glass, opened by two owners for one seat, one person's records and some minutes (docs/BREAK-GLASS.md).
 * Pure; the table is postgres.ts.
 *
 *   requested → open → review_due → reviewed
 *                           └→ review_missing: nothing is opened at the contract until somebody has looked at it
 */
import type { Approval, Person } from "../approvals/index.ts";
import type { ContractId, Locator } from "../kernel/index.ts";
import type { findings } from "./schema.ts";

/** How long a request waits for its second owner, and an opening for its review after its end. */
export const waitMs = 3_600_000;
export const reviewHours = 24;

export type Finding = (typeof findings)[number];

export interface Glass {
  /** Of the request that two owners decided. */
  readonly id: string;
  readonly contract: ContractId;
  readonly seat: Person;
  readonly purpose: string;
  /** Whose records, by locator: a person's, of a type that stands for people. */
  readonly type: string;
  readonly subject: Locator;
  readonly minutes: number;
  /** Milliseconds since 1970; `null` = the second owner has not approved it. */
  readonly openedAt: number | null;
  readonly expiresAt: number | null;
  /** `null` = nobody ended it before its time. */
  readonly closedAt: number | null;
  readonly finding: Finding | null;
  readonly reviewedBy: Person | null;
  readonly reviewedAt: number | null;
  /** The database's clock when this was read. */
  readonly readAt: number;
}

/** Since when nobody sees anything by it; `null` = it was never open. */
export function endOf({ closedAt, expiresAt }: Pick<Glass, "closedAt" | "expiresAt">): number | null {
  return closedAt ?? expiresAt;
}

/** Until when somebody else is to have looked at it. */
export function reviewDueAt(glass: Pick<Glass, "closedAt" | "expiresAt">): number | null {
  const end = endOf(glass);
  return end === null ? null : end + reviewHours * 3_600_000;
}

export type Stage = "open" | "review_due" | "review_missing" | "reviewed";

/** `null` = it was never open: its request says what became of it. */
export function stageOf(glass: Glass): Stage | null {
  const { readAt, finding } = glass;
  const [end, due] = [endOf(glass), reviewDueAt(glass)];
  if (end === null || due === null) return null;
  if (end > readAt) return "open";
  if (finding !== null) return "reviewed";
  return due > readAt ? "review_due" : "review_missing";
}

/** Who asked for it or approved it does not say whether it was right. */
export function isPartyTo({ requestedBy, decidedBy }: Pick<Approval, "requestedBy" | "decidedBy">, who: Person): boolean {
  return [requestedBy, decidedBy].some((party) => party !== null && party.issuer === who.issuer && party.subject === who.subject);
}
