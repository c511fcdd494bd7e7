/**
 * The decision: what a role sees of a type of record for a purpose. Total and pure; compiled once per bundle, role, type and purpose, not interpreted per request.
 * What depends on the moment or on the record stays open as conditions, which `settle` answers; where there are none it answers with one and the same value.
 */
import {
  compilePlan,
  type DataClass,
  dataClasses,
  type Generalization,
  guardJoins,
  type MaskingPlan,
  type MaskProfile,
  type PlannedField,
  type Treatment,
} from "../masking/index.ts";
import type { Bundle, Resource, Rule } from "./bundle.ts";
import { type Condition, type Conditions, conditionsOf, type Facts, type Verdict } from "./condition.ts";
import { needs } from "./purposes.ts";
import { writableIn } from "./writes.ts";

export interface Question {
  readonly role: string;
  readonly type: string;
  /** A purpose code of the contract. */
  readonly purpose: string;
}

/** Opaque but for what to load: made by `decide`, answered by `settle`. */
export interface Decision {
  readonly resource: Resource;
  /** `settle` and `admit` read the record's plain level. */
  readonly needsRecord: boolean;
  readonly hasRows: boolean;
  /** Paths of the fields that may be written into the merchant's own API. */
  readonly writable: readonly string[];
  readonly open: OpenDecision;
}

interface OpenDecision {
  readonly fields: readonly OpenField[];
  readonly conditions: readonly Condition[];
  readonly rows: Condition | null;
  readonly variables: Conditions["variables"];
  /** By the conditions' outcome. */
  readonly settled: Map<string, Settled>;
}

type Named = Pick<PlannedField, "path" | "class" | "derive">;

interface OpenField extends Named {
  /** Where its values may lie; of an answer, those of what it is made of. */
  readonly levels: readonly number[];
  /** The last has no condition. */
  readonly rules: readonly { readonly rule: Rule; readonly condition: number | null }[];
}

/** What an agent gets, and what it owes for more. */
export interface Settled {
  readonly plan: MaskingPlan;
  /** Levels that hold a field which leaves, ascending; the others stay sealed. */
  readonly levels: readonly number[];
  /** Every field with the rule that decided, once per path. */
  readonly fields: readonly SettledField[];
  /** Every field that is not simply revealed, with its reason. */
  readonly masking: readonly MaskingNote[];
  /** Values that no read shows and that may be asked for one at a time. */
  readonly obligations: readonly Obligation[];
  /** One character for each condition, in the order of their texts: 1 it held, 0 it did not, ! it could not be evaluated. With the bundle it repeats the decision. */
  readonly outcome: string;
  /** Paths whose condition could not be evaluated. */
  readonly failed: readonly string[];
}

export interface SettledField extends PlannedField {
  readonly why: string;
  /** Where the rule is written; absent where none is. */
  readonly at?: Rule["at"];
}

export interface Obligation extends NonNullable<Rule["reveal"]> {
  readonly path: string;
}

export interface MaskingNote {
  readonly path: string;
  readonly class: DataClass;
  readonly treatment: Treatment;
  readonly why: string;
  /** What this build lets the agent do instead. */
  readonly can: readonly string[];
}

const decisions = new WeakMap<Bundle, Map<string, Decision>>();
const settledMax = 256;

/** `null` = the contract has no such role, type or purpose: nothing may leave. */
export function decide(bundle: Bundle, question: Question): Decision | null {
  const { role, type, purpose } = question;
  const known = decisions.get(bundle) ?? new Map<string, Decision>();
  decisions.set(bundle, known);
  const key = `${role}\n${type}\n${purpose}`;
  const standing = known.get(key);
  if (standing !== undefined) return standing;
  const resource = own(bundle.resources, type);
  const rules = own(own(bundle.roles, role) ?? {}, type);
  if (resource === undefined || rules === undefined || own(bundle.contract.purposes, purpose) === undefined) return null;
  const made = makeDecision(bundle, resource, rules, question);
  known.set(key, made);
  return made;
}

/** The decision for one record at one moment. */
export function settle({ open }: Decision, facts: Facts): Settled {
  const { conditions, settled } = open;
  if (conditions.length === 0) return remember(settled, "", () => makeSettled(open, []));
  const variables = open.variables(facts);
  const verdicts = conditions.map((condition) => condition.verdict(variables));
  const outcome = verdicts.map((verdict) => outcomeSigns[verdict]).join("");
  return remember(settled, outcome, () => makeSettled(open, verdicts));
}

/** Is the record there at all for this agent, now? A row rule that cannot be evaluated does not admit. */
export function admit({ open }: Decision, facts: Facts): Verdict {
  return open.rows === null ? "holds" : open.rows.verdict(open.variables(facts));
}

const outcomeSigns = { holds: "1", fails_to_hold: "0", failed: "!" } as const satisfies Record<Verdict, string>;

function remember(settled: Map<string, Settled>, outcome: string, make: () => Settled): Settled {
  const known = settled.get(outcome);
  if (known !== undefined) return known;
  if (settled.size >= settledMax) settled.clear();
  const made = make();
  settled.set(outcome, made);
  return made;
}

function makeDecision(bundle: Bundle, resource: Resource, rules: Bundle["roles"][string][string], question: Question): Decision {
  const reachable = Object.entries(resource.fields).map(([path, field]) => {
    const { class: name, derive } = field;
    const from = sourcesOf(resource, field);
    return {
      path,
      class: name,
      ...(derive && { derive: { answer: derive.answer, from: from.map((source) => ({ path: source.path, class: source.class })) } }),
      levels: (derive ? from : [field]).flatMap((lying) => [dataClasses[lying.class].level, ...(lying.older ?? [])]),
      rules: rulesFor(bundle, question, path),
    };
  });
  // In the order of their texts, so that a log's outcome is read the same from any copy of the bundle.
  const texts = [...new Set(reachable.flatMap((field) => field.rules.flatMap(({ when }) => when ?? [])))].sort();
  const conditions = conditionsOf(resource);
  const compiled = texts.map((text) => compileCondition(conditions, text));
  const rows = rules.rows ? compileCondition(conditions, rules.rows.when) : null;
  const fields = reachable.map((field) => ({
    ...field,
    rules: field.rules.map((rule) => ({ rule, condition: rule.when === undefined ? null : texts.indexOf(rule.when) })),
  }));
  return {
    resource,
    needsRecord: [...compiled, rows].some((condition) => condition?.needsRecord === true),
    hasRows: rows !== null,
    writable: writableIn(bundle, question),
    open: { fields, conditions: compiled, rows, variables: conditions.variables, settled: new Map() },
  };
}

type ResourceField = Resource["fields"][string];

/** What an answer is made of; of any other field nothing. */
function sourcesOf({ fields }: Resource, { derive }: ResourceField): (ResourceField & { readonly path: string })[] {
  return (derive?.from ?? []).flatMap((path) => {
    const field = own(fields, path);
    return field === undefined ? [] : [{ path, ...field }];
  });
}

/** A field's rules in order, as they come into question; none where the bundle does not know the role, type, purpose or path. */
export function rulesFor(bundle: Bundle, { role, type, purpose }: Question, path: string): readonly Rule[] {
  const resource = own(bundle.resources, type);
  const field = own(resource?.fields ?? {}, path);
  const rules = own(own(own(bundle.roles, role) ?? {}, type)?.fields ?? {}, path);
  const classes = own(bundle.contract.purposes, purpose);
  if (resource === undefined || field === undefined || rules === undefined || classes === undefined) return [];
  const sources = field.derive && sourcesOf(resource, field).map((source) => source.class);
  return needs(classes, field.class, sources) ? reachableRules(rules, purpose) : [notNeeded(purpose)];
}

/** For this purpose, and no further than the first that always holds. */
function reachableRules(rules: readonly Rule[], purpose: string): Rule[] {
  const ours = rules.filter(({ purposes }) => purposes?.includes(purpose) !== false);
  const last = ours.findIndex(({ when }) => when === undefined);
  return last < 0 ? ours : ours.slice(0, last + 1);
}

function notNeeded(purpose: string): Rule {
  return { treatment: "withhold", why: `the purpose ${purpose} does not need it` };
}

/** A condition that was accepted when the contract was written and is not any more holds for nobody. */
function compileCondition(conditions: Conditions, text: string): Condition {
  const compiled = conditions.compile(text);
  return "condition" in compiled ? compiled.condition : { text, needsRecord: false, verdict: () => "failed" };
}

function makeSettled(open: OpenDecision, verdicts: readonly Verdict[]): Settled {
  const failed: string[] = [];
  const obligations: Obligation[] = [];
  const settled = open.fields.map(({ rules, ...named }): SettledField => {
    const { path } = named;
    const passed: string[] = [];
    for (const { rule, condition } of rules) {
      const verdict = condition === null ? "holds" : (verdicts[condition] ?? "failed");
      if (verdict === "holds") {
        if (rule.reveal !== undefined) obligations.push({ path, ...rule.reveal });
        return settledField(named, rule, passed);
      }
      if (verdict === "failed" && failed.at(-1) !== path) failed.push(path);
      passed.push(`the condition in line ${rule.at?.line ?? "?"} ${verdict === "failed" ? "could not be evaluated" : "does not hold"}`);
    }
    return settledField(named, { treatment: "withhold", why: "no rule" }, passed);
  });
  const fields = guardJoins(settled).map((field) => ({
    ...field,
    why: [field.why, ...(field.lowered ? [`lowered: ${field.lowered}`] : [])].join("; "),
  }));
  return {
    plan: compilePlan(fields),
    levels: levelsOf(open.fields.filter((_, index) => fields[index]?.treatment !== "withhold")),
    fields,
    masking: fields
      .filter((field) => field.treatment !== "reveal")
      .map(({ path, class: name, treatment, why }) => ({ path, class: name, treatment, why, can: [] })),
    obligations,
    outcome: verdicts.map((verdict) => outcomeSigns[verdict]).join(""),
    failed,
  };
}

function settledField(named: Named, { treatment, profile, to, why, at }: Rule, passed: readonly string[]): SettledField {
  return {
    ...named,
    treatment,
    ...parameters(profile, to),
    why: [why, ...passed].join("; "),
    ...(at && { at }),
  };
}

function parameters(profile: MaskProfile | undefined, to: Generalization | undefined): Pick<PlannedField, "profile" | "to"> {
  return { ...(profile && { profile }), ...(to && { to }) };
}

function levelsOf(leaving: readonly OpenField[]): number[] {
  return [...new Set(leaving.flatMap(({ levels }) => levels))].sort((a, b) => a - b);
}

function own<Value>(record: Readonly<Record<string, Value>>, key: string): Value | undefined {
  return Object.hasOwn(record, key) ? record[key] : undefined;
}
