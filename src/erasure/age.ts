/**
 * Which records a contract's retention lets go: those of a type that the merchant has not written for so many days (PIPL 19, 47(1)). Pure. By whole days in
 * UTC, so that the answer changes once a day, and a record is kept for as long as was agreed or some hours longer.
 */
import type { Bundle } from "../policy/index.ts";
import type { AgeRules } from "../records/index.ts";

const dayMs = 86_400_000;

/** `believedAt`: milliseconds; a clock that is believed. `null` = the contract keeps everything until its purge. */
export function ageRulesOf({ retentionDays }: Bundle["contract"], believedAt: number): AgeRules | null {
  if (retentionDays === undefined) return null;
  const today = Math.floor(believedAt / dayMs) * dayMs;
  return Object.fromEntries(Object.entries(retentionDays).map(([type, days]) => [type, new Date(today - days * dayMs).toISOString()]));
}
