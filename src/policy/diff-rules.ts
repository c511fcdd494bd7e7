/**
 * Two rules for one field, compared: does the second show more? Conditions are taken as yes or no and nothing more is known of them, so that
 * what this calls narrower is narrower for every record and moment; what it cannot prove to be no more counts as more.
 */
import { type CanonicalValue, canonicalJson } from "../kernel/index.ts";
import type { Bundle, Rule } from "./bundle.ts";
import { capGrant, describeGrant, isSameGrant } from "./treatments.ts";

/** `changed`: neither is no more than the other. */
export type Comparison = "same" | "narrowed" | "widened" | "changed";

export interface ComparedRules {
  readonly before: readonly Rule[];
  readonly after: readonly Rule[];
  /** Both treat values of one class; otherwise nothing but withholding compares. */
  readonly isSameField: boolean;
  /** Does a condition mean in both what it meant in the other? */
  readonly isShared: (text: string) => boolean;
}

export function compareRules({ before, after, isSameField, isShared }: ComparedRules): Comparison {
  const [ways, newWays] = [waysOf(before, "before", isShared), waysOf(after, "after", isShared)];
  const pairs = ways.flatMap((way) => newWays.filter((other) => isPossible(way, other)).map((other) => [way.rule, other.rule] as const));
  const isNoMore = (upper: Rule, lower: Rule) => (isSameField ? isAtMost(upper, lower) : isNothing(lower));
  return comparisonOf(
    pairs.every(([old, next]) => isNoMore(old, next)),
    pairs.every(([old, next]) => isNoMore(next, old)),
  );
}

export function comparisonOf(isNoMore: boolean, isNoLess: boolean): Comparison {
  if (isNoMore) return isNoLess ? "same" : "narrowed";
  return isNoLess ? "widened" : "changed";
}

/** A rule, and what holds and fails where it is the one that decides. */
interface Way {
  readonly rule: Rule;
  readonly holds: string | null;
  readonly fails: readonly string[];
}

function waysOf(rules: readonly Rule[], side: "before" | "after", isShared: (text: string) => boolean): Way[] {
  const ways: Way[] = [];
  const fails: string[] = [];
  for (const rule of [...rules, nothing]) {
    const { when } = rule;
    const holds = when === undefined ? null : `${isShared(when) ? "both" : side} ${when}`;
    if (holds === null || !fails.includes(holds)) ways.push({ rule, holds, fails: [...fails] });
    if (holds === null) return ways;
    fails.push(holds);
  }
  return ways;
}

const nothing: Rule = { treatment: "withhold", why: "no rule" };

/** Can both decide at once? */
function isPossible(a: Way, b: Way): boolean {
  return !(a.holds !== null && b.fails.includes(a.holds)) && !(b.holds !== null && a.fails.includes(b.holds));
}

/** Does `lower` show no more than `upper`, and ask for no less? */
function isAtMost(upper: Rule, lower: Rule): boolean {
  if (isNothing(lower)) return true;
  // What a later version of a rule may say besides: where it differs, nothing is proven.
  if (!isSameBut(upper, lower, comparedOfRules)) return false;
  if (upper.treatment === "reveal") return true;
  const isWithin = isSameGrant(capGrant(usual(upper), usual(lower)), usual(lower));
  // Of the profiles one alone is proven to show less than another: strict less than cn-default.
  const [above, below] = [profileOf(upper), profileOf(lower)];
  const isProven = lower.treatment !== "mask" || below === above || (below === "strict" && above === "cn-default");
  return isWithin && isProven && isMeteredAtMost(upper.reveal, lower.reveal);
}

function isNothing({ treatment, reveal }: Rule): boolean {
  return treatment === "withhold" && reveal === undefined;
}

function profileOf({ profile = "cn-default" }: Rule): string {
  return profile;
}

/** The grant with its profile written out. */
function usual(rule: Rule): Rule {
  return rule.treatment === "mask" ? { ...rule, profile: rule.profile ?? "cn-default" } : rule;
}

function isMeteredAtMost(upper: Rule["reveal"], lower: Rule["reveal"]): boolean {
  if (lower === undefined) return true;
  if (upper === undefined) return false;
  const { quota, reason, seconds } = upper;
  const isFewer = quota === undefined || (lower.quota?.per === quota.per && lower.quota.count <= quota.count);
  const isShorter = seconds === undefined || (lower.seconds !== undefined && lower.seconds <= seconds);
  return isFewer && isShorter && (reason === undefined || lower.reason === reason);
}

const comparedOfRules = [
  "treatment",
  "profile",
  "to",
  "reveal",
  "purposes",
  "when",
  "why",
  "at",
] as const satisfies readonly (keyof Rule)[];

/** Are they the same in all but these members? What is compared by name elsewhere is named; what nobody names must not differ. */
export function isSameBut<Value extends CanonicalMembers>(a: Value, b: Value, named: readonly (keyof Value)[]): boolean {
  const rest = (value: Value) =>
    canonicalJson(Object.fromEntries(Object.entries(value).filter(([key]) => !named.some((name) => name === key))));
  return rest(a) === rest(b);
}

type CanonicalMembers = { readonly [key: string]: CanonicalValue | undefined };

/** `reveal when request.hour < 18, else mask`. */
export function describeRules(rules: readonly Rule[]): string {
  return rules.map(describeRule).join(", else ");
}

function describeRule(rule: Rule): string {
  const { quota, reason, seconds } = rule.reveal ?? {};
  const owed = [quota && `${quota.count}/${quota.per}`, reason && "with a reason", seconds && `for ${seconds} s`].filter(Boolean);
  const metered = rule.reveal === undefined ? "" : `, reveal one at a time (${owed.join(", ")})`;
  return `${describeGrant(rule)}${metered}${rule.when === undefined ? "" : ` when ${rule.when}`}`;
}

/** The conditions of a type that mean the same under both bundles: nothing that they read is made another. */
export function sharedConditions(before: Bundle, after: Bundle, type: string): (text: string) => boolean {
  const [old, next] = [before.contract, after.contract];
  const isSameContract = old.id === next.id && old.merchant === next.merchant && old.vendor === next.vendor;
  const isSameRequest = old.term.zone === next.term.zone && canonicalJson(old.networks ?? []) === canonicalJson(next.networks ?? []);
  const moved = movedKeys(before.resources[type], after.resources[type]);
  return (text) => {
    if (/\bcontract\b/.test(text) && !isSameContract) return false;
    if (/\brequest\b/.test(text) && !isSameRequest) return false;
    const read = [...text.matchAll(/\brecord\b(?:\s*\.\s*(\w+))?/g)].map(([, key]) => key);
    return read.every((key) => moved.size === 0 || (key !== undefined && !moved.has(key)));
  };
}

/** Keys of a record under which a plain field came or went. */
function movedKeys(before: Bundle["resources"][string] | undefined, after: Bundle["resources"][string] | undefined): Set<string> {
  const plainOf = (resource: typeof before) =>
    Object.entries(resource?.fields ?? {}).flatMap(([path, { class: name }]) => (name === "plain" ? [path] : []));
  const [old, next] = [plainOf(before), plainOf(after)];
  const moved = [...old.filter((path) => !next.includes(path)), ...next.filter((path) => !old.includes(path))];
  return new Set(moved.map((path) => /^\w*/.exec(path)?.[0] ?? ""));
}
