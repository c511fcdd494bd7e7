/** What a contract says outside its classes and roles, compared: parties, term, hours, networks, purposes, and its end. */
import { thumbprintOf } from "../crypto/index.ts";
import { agreedActs } from "./approval-terms.ts";
import type { Bundle } from "./bundle.ts";
import { type Comparison, comparisonOf, isSameBut } from "./diff-rules.ts";
import type { Difference, Direction } from "./difference.ts";
import { type Hours, isWithin } from "./hours.ts";
import { isInside } from "./networks.ts";
import type { PaperTerms } from "./seat.ts";

type Contract = Bundle["contract"];

export function diffContracts(before: Contract, after: Contract): Difference[] {
  return [
    ...parties(before, after),
    ...terms(before, after),
    ...places(before, after),
    ...seats(before, after),
    ...approvals(before, after),
    ...purposes(before, after),
    ...rest(before, after),
  ];
}

function parties(before: Contract, after: Contract): Difference[] {
  const { subprocessors } = before;
  return [
    ...(["id", "merchant", "vendor"] as const).flatMap((key) => changed(key, before[key], after[key])),
    ...after.subprocessors.flatMap((id) => (subprocessors.includes(id) ? [] : [row("subprocessor", "–", id, "widened")])),
    ...subprocessors.flatMap((id) => (after.subprocessors.includes(id) ? [] : [row("subprocessor", id, "–", "narrowed")])),
  ];
}

function terms(before: Contract, after: Contract): Difference[] {
  const { term, purge } = before;
  const { start, end, zone, purgeAfterHours } = after.term;
  return [
    ...compared("term start", comparisonOf(start >= term.start, start <= term.start), term.start, start),
    ...compared("term end", comparisonOf(end <= term.end, end >= term.end), term.end, end),
    ...changed("zone", term.zone, zone),
    ...lengths("purge after", term.purgeAfterHours, purgeAfterHours),
    ...lengths("purge cooling", purge.coolingHours, after.purge.coolingHours),
    ...lengths("backup horizon", purge.backupHorizonHours, after.purge.backupHorizonHours),
    ...changed("records kept", describeKept(before.retentionDays), describeKept(after.retentionDays)),
    ...kept(before.upstream?.cacheMinutes ?? 0, after.upstream?.cacheMinutes ?? 0),
    ...changed("return at the end", describeReturn(purge.return), describeReturn(after.purge.return)),
  ];
}

function places(before: Contract, after: Contract): Difference[] {
  return [
    ...compared("hours", compareHours(before.hours, after.hours), describeHours(before.hours), describeHours(after.hours)),
    ...compared(
      "networks",
      compareNetworks(before.networks, after.networks),
      describeNetworks(before.networks),
      describeNetworks(after.networks),
    ),
    ...compared(
      "proof of possession",
      comparisonOf(after.dpop !== undefined || before.dpop === undefined, before.dpop !== undefined || after.dpop === undefined),
      before.dpop ?? "not asked for",
      after.dpop ?? "not asked for",
    ),
  ];
}

/** What happens to a seat that is used from several places at once; each is stricter than the one before. */
const sharings = ["noted", "to log in again", "refused"];
function sharingOf({ sharing }: NonNullable<Contract["seats"]>): number {
  return sharing === "refuse" ? 2 : sharing === "step_up" ? 1 : 0;
}

function seats({ seats: before = {} }: Contract, { seats: after = {} }: Contract): Difference[] {
  const papers = (["agreement", "training"] as const).flatMap((paper) => {
    const [was, is] = [before[paper], after[paper]];
    const [old, next] = [ageMax(was), ageMax(is)];
    return compared(`seats' ${paper}`, comparisonOf(next <= old, next >= old), describePaper(was), describePaper(is));
  });
  const [was, is] = [before.roles, after.roles];
  const describeRoles = (roles: readonly string[] | undefined) => roles?.join(", ") ?? "any of the contract's";
  const comparison = comparisonOf(isSubset(is, was), isSubset(was, is));
  const [old, next] = [sharingOf(before), sharingOf(after)];
  const [alone, together] = [before.secondOwner ?? [], after.secondOwner ?? []];
  const describeApproved = (roles: readonly string[]) => roles.join(", ") || "none";
  return [
    ...compared("seats' roles", comparison, describeRoles(was), describeRoles(is)),
    ...compared(
      "roles given by two",
      comparisonOf(isSubset(alone, together), isSubset(together, alone)),
      describeApproved(alone),
      describeApproved(together),
    ),
    ...papers,
    ...compared("shared seats", comparisonOf(next >= old, old >= next), sharings[old] ?? "", sharings[next] ?? ""),
  ];
}

/** To demand it is not narrower: who asks for something would choose by themselves who approves it. */
function approvals({ approvals: before = {} }: Contract, { approvals: after = {} }: Contract): Difference[] {
  const describe = (approver: "other_organisation" | undefined) => (approver ? "the other organisation" : "another owner");
  return agreedActs.flatMap((act) =>
    before[act] === after[act]
      ? []
      : [row(`who approves ${act}`, describe(before[act]), describe(after[act]), after[act] ? "changed" : "widened")],
  );
}

/** Absent = all there are. */
function isSubset(inner: readonly string[] | undefined, outer: readonly string[] | undefined): boolean {
  return outer === undefined || (inner?.every((name) => outer.includes(name)) ?? false);
}

/** In days. Where a paper is asked for, it may be of any age; where none is, there need not be one. */
function ageMax(terms: PaperTerms | undefined): number {
  return terms === undefined ? Number.POSITIVE_INFINITY : (terms.withinDays ?? Number.MAX_SAFE_INTEGER);
}

function describePaper(terms: PaperTerms | undefined): string {
  if (terms === undefined) return "not asked for";
  return terms.withinDays === undefined ? "on file" : `on file, at most ${terms.withinDays} d old`;
}

function purposes({ purposes: before }: Contract, { purposes: after }: Contract): Difference[] {
  return [...new Set([...Object.keys(before), ...Object.keys(after)])].flatMap((name) => {
    const [old, next] = [own(before, name), own(after, name)];
    return compared(`purpose ${name}`, comparePurposes(old, next), describePurpose(old), describePurpose(next));
  });
}

function describePurpose(purpose: Purpose | undefined): string {
  if (purpose === undefined) return "–";
  const { classes, breakGlassMinutes: minutes } = purpose;
  return `${classes?.join(", ") ?? "every class"}${minutes === undefined ? "" : `, behind glass: ${minutes} min`}`;
}

type Purpose = Contract["purposes"][string];

function comparePurposes(before: Purpose | undefined, after: Purpose | undefined): Comparison {
  if (before === undefined || after === undefined) return before === undefined ? "widened" : "narrowed";
  if (!isSameBut(before, after, ["classes", "breakGlassMinutes"])) return "changed";
  const isNoMore = (inner: Purpose, outer: Purpose) => isSubset(inner.classes, outer.classes) && openMinutes(inner) <= openMinutes(outer);
  return comparisonOf(isNoMore(after, before), isNoMore(before, after));
}

function openMinutes({ breakGlassMinutes }: Purpose): number {
  return breakGlassMinutes ?? Number.POSITIVE_INFINITY;
}

const minutesOfDay = 1_440;

function compareHours(before: Contract["hours"], after: Contract["hours"]): Comparison {
  const within = (hours: readonly Hours[] | undefined) =>
    Array.from({ length: 7 * minutesOfDay }, (_, at) => {
      const moment = { weekday: 1 + Math.floor(at / minutesOfDay), minute: at % minutesOfDay };
      return hours === undefined || isWithin(hours, moment);
    });
  const [old, next] = [within(before), within(after)];
  return comparisonOf(
    next.every((open, at) => !open || old[at] === true),
    old.every((open, at) => !open || next[at] === true),
  );
}

function compareNetworks(before: Contract["networks"], after: Contract["networks"]): Comparison {
  const isWithinOf = (inner: typeof before, outer: typeof before) => outer === undefined || (inner !== undefined && isInside(inner, outer));
  return comparisonOf(isWithinOf(after, before), isWithinOf(before, after));
}

const comparedByName = [
  "id",
  "merchant",
  "vendor",
  "subprocessors",
  "term",
  "hours",
  "networks",
  "dpop",
  "purposes",
  "purge",
  "retentionDays",
  "seats",
  "approvals",
  "upstream",
] as const;

function rest(before: Contract, after: Contract): Difference[] {
  return isSameBut(before, after, comparedByName) ? [] : [row("contract", "as it was", "otherwise", "changed")];
}

function describeReturn(agreed: Contract["purge"]["return"]): string {
  return agreed === undefined ? "none" : `to key ${thumbprintOf(agreed.to)}, waited for ${agreed.waitHours} h`;
}

/** Longer keeps more, shorter deletes what cannot be brought back: neither is less than the other. */
function describeKept(kept: Contract["retentionDays"]): string {
  const types = Object.entries(kept ?? {}).sort(([one], [other]) => (one < other ? -1 : 1));
  return types.map(([type, days]) => `${type} ${days} d`).join(", ") || "until the purge";
}

function describeHours(hours: Contract["hours"]): string {
  const time = (minute: number) => `${String(Math.floor(minute / 60)).padStart(2, "0")}:${String(minute % 60).padStart(2, "0")}`;
  return hours?.map(({ days, from, to }) => `days ${days.join(",")} ${time(from)}-${time(to)}`).join("; ") ?? "at any time";
}

function describeNetworks(networks: Contract["networks"]): string {
  return networks?.flatMap(({ blocks }) => blocks).join(", ") ?? "from anywhere";
}

function changed(what: string, before: string, after: string): Difference[] {
  return before === after ? [] : [row(what, before, after, "changed")];
}

/** What is kept longer is wider. */
function lengths(what: string, before: number, after: number): Difference[] {
  return compared(what, comparisonOf(after <= before, after >= before), `${before} h`, `${after} h`);
}

/** In minutes; to keep more, or longer, is wider. */
function kept(before: number, after: number): Difference[] {
  const describe = (minutes: number) => (minutes === 0 ? "not kept" : `${minutes} min`);
  return compared("the upstream's answers", comparisonOf(after <= before, after >= before), describe(before), describe(after));
}

function compared(what: string, comparison: Comparison, before: string, after: string): Difference[] {
  return comparison === "same" ? [] : [row(what, before, after, comparison)];
}

function row(what: string, before: string, after: string, direction: Direction): Difference {
  return { what, before, after, direction };
}

function own<Value>(record: Readonly<Record<string, Value>>, key: string): Value | undefined {
  return Object.hasOwn(record, key) ? record[key] : undefined;
}
