/**
 * One recorded decision, taken again under another bundle. The log holds no value and no record: what left at which treatment, and how each condition came out.
 * So what the log does not say is not guessed: it is open. Of a value that was withheld nobody knows whether it was there.
 */
import { type DataClass, showsNothing, type Treatment, treatmentNames } from "../masking/index.ts";
import type { Bundle } from "./bundle.ts";
import { type Decision, decide } from "./decide.ts";
import { sharedConditions } from "./diff-rules.ts";
import { isWithin } from "./hours.ts";
import { lastDaysOf } from "./last-days.ts";
import { type Answers, answersOf, type Recorded } from "./replay-answers.ts";
import { civilMoment } from "./term.ts";

/** `before`: the bundle that decided; `null` = it is not at hand. */
export interface Bundles {
  readonly before: Bundle | null;
  readonly after: Bundle;
}

export type Replayed =
  | { readonly kind: "decided"; readonly fields: readonly ReplayedField[] }
  /** Nothing would have left. */
  | { readonly kind: "refused"; readonly code: string }
  | { readonly kind: "open"; readonly code: string };

export interface ReplayedField {
  readonly path: string;
  readonly was: { readonly class: DataClass | null; readonly treatment: Treatment };
  readonly is: { readonly class: DataClass | null; readonly treatment: Treatment | "open" };
  /** There was a value: it left. Otherwise there may have been one. */
  readonly isThere: boolean;
}

export function replay(recorded: Recorded, bundles: Bundles): Replayed {
  const underwent = (bundle: Bundle) => (recorded.lastDays ? lastDaysOf(bundle) : bundle);
  const after = underwent(bundles.after);
  const before = bundles.before && underwent(bundles.before);
  const { role, type, purpose } = recorded;
  const question = { role, type, purpose };
  const decision = decide(after, question);
  if (decision === null)
    return { kind: "refused", code: Object.hasOwn(after.contract.purposes, purpose) ? "not_found" : "purpose_unknown" };
  const refusal = refusalOf(recorded, after, decision);
  if (refusal !== null) return { kind: "refused", code: refusal };
  if (!isSameNetwork({ before, after })) return { kind: "open", code: "network" };

  const standing = before && decide(before, question);
  const isShared = before === null ? () => false : sharedConditions(before, after, type);
  const records = answersOf(recorded, { standing, decision, after, isShared });
  const rows = decision.open.rows;
  const isSameRows = before !== null && rows !== null && before.roles[role]?.[type]?.rows?.when === rows.text && isShared(rows.text);
  const admitted = rows === null || isSameRows ? records.map(() => true) : records.map((answers) => answers(rows));
  if (admitted.includes(null)) return { kind: "open", code: "row_rule" };
  const shown = records.filter((_, index) => admitted[index]);
  if (shown.length === 0) return { kind: "refused", code: "row_rule" };
  const own = before && standing && answersOf(recorded, { standing, decision: standing, after: before, isShared: () => true });
  return {
    kind: "decided",
    fields: fieldsOf(recorded, { decision, shown, standing: standing && own && { decision: standing, shown: own } }),
  };
}

function refusalOf({ time, searchedBy }: Recorded, { contract }: Bundle, { resource }: Decision): string | null {
  const { weekday, hour, minute } = civilMoment(time, contract.term.zone);
  if (contract.hours && !isWithin(contract.hours, { weekday, minute: hour * 60 + minute })) return "outside_hours";
  const isSearched = searchedBy === null || searchedBy === "id";
  return isSearched || (Object.hasOwn(resource.fields, searchedBy) && resource.fields[searchedBy]?.search) ? null : "not_permitted";
}

/** From where somebody came is sealed. */
function isSameNetwork({ before, after }: Bundles): boolean {
  const { networks } = after.contract;
  return networks === undefined || JSON.stringify(networks) === JSON.stringify(before?.contract.networks);
}

interface Taken {
  readonly decision: Decision;
  /** Of each record that is there. */
  readonly shown: readonly Answers[];
}

function fieldsOf({ fields }: Recorded, { decision, shown, standing }: Taken & { readonly standing: Taken | null }): ReplayedField[] {
  const paths = new Set([...Object.keys(fields), ...decision.open.fields.map(({ path }) => path)]);
  const classIn = (taken: Taken | null, path: string) =>
    taken && Object.hasOwn(taken.decision.resource.fields, path) ? (taken.decision.resource.fields[path]?.class ?? null) : null;
  return [...paths].flatMap((path): ReplayedField[] => {
    const left = Object.hasOwn(fields, path) ? fields[path] : undefined;
    const isClass = classIn({ decision, shown }, path);
    const wasClass = standing ? classIn(standing, path) : isClass;
    const treatment = mostOf({ decision, shown }, path);
    if (left !== undefined) {
      return [{ path, was: { class: wasClass ?? isClass, treatment: left }, is: { class: isClass ?? wasClass, treatment }, isThere: true }];
    }
    if (treatment === "withhold" || (standing && isNowhere(standing, path))) return [];
    return [{ path, was: { class: wasClass ?? isClass, treatment: "withhold" }, is: { class: isClass, treatment }, isThere: false }];
  });
}

/** No value, or it would have left: the field was not kept, or no record's was withheld. */
function isNowhere(standing: Taken, path: string): boolean {
  if (!standing.decision.open.fields.some((field) => field.path === path)) return true;
  return standing.shown.every((answers) => !possibleOf({ decision: standing.decision, shown: [] }, path, answers).includes("withhold"));
}

/** Of several records the most, as the log says it; `open` where a condition that the log cannot answer makes a difference. */
function mostOf(taken: Taken, path: string): Treatment | "open" {
  const ranks = taken.shown.map((answers) => possibleOf(taken, path, answers).map((treatment) => treatmentNames.indexOf(treatment)));
  const least = Math.max(...ranks.map((rank) => Math.min(...rank)));
  const most = Math.max(...ranks.map((rank) => Math.max(...rank)));
  return least === most ? (treatmentNames[least] ?? "withhold") : "open";
}

/** What a field may leave at for one record: one treatment, or several where an answer is missing. */
function possibleOf({ decision }: Taken, path: string, answers: Answers): Treatment[] {
  const { fields, conditions } = decision.open;
  const field = fields.find((known) => known.path === path);
  const found: Treatment[] = [];
  for (const { rule, condition } of field?.rules ?? []) {
    const asked = condition === null ? undefined : conditions[condition];
    const holds = asked === undefined ? true : answers(asked);
    if (holds !== false) found.push(showsNothing(field?.class ?? "secret", rule.treatment) ? "withhold" : rule.treatment);
    if (holds === true) return found;
  }
  return [...found, "withhold"];
}
