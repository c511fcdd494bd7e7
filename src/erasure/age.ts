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
  return Object.fromEntries(Object.entries(retentionDays).map(([type, days]) => [type, { before: daysBefore(believedAt, days) }]));
}

/** The midnight, in UTC, so many days before the last one. ISO 8601. */
export function daysBefore(believedAt: number, days: number): string {
  return new Date(Math.floor(believedAt / dayMs) * dayMs - days * dayMs).toISOString();
}

/** For the log, and for what two owners sign. */
export function describeRules(rules: AgeRules): string[] {
  return Object.entries(rules).map(([type, { before, shop, purpose }]) => {
    const of = [shop === undefined ? "" : ` of shop ${shop}`, purpose === undefined ? "" : ` for ${purpose}`].join("");
    return `${type}${of} before ${before}`;
  });
}
