/**
 * The decision: what a role sees of a type of record. Total and pure; compiled once per bundle, role and type, not interpreted per request.
 */
import { compilePlan, type DataClass, dataClasses, type MaskingPlan, type Treatment } from "../masking/index.ts";
import type { Bundle, Resource, Rule } from "./bundle.ts";

export interface Question {
  readonly role: string;
  readonly type: string;
  /** A purpose code of the contract. */
  readonly purpose: string;
}

export interface Decision {
  readonly plan: MaskingPlan;
  /** Levels that hold a field which leaves, ascending; the others stay sealed. */
  readonly levels: readonly number[];
  /** Every field that is not simply revealed, once per path, with its reason. */
  readonly masking: readonly MaskingNote[];
  readonly resource: Resource;
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

/** `null` = the contract has no such role, type or purpose: nothing may leave. */
export function decide(bundle: Bundle, question: Question): Decision | null {
  const { role, type, purpose } = question;
  if (!bundle.contract.purposes.includes(purpose)) return null;
  const known = decisions.get(bundle) ?? new Map<string, Decision>();
  decisions.set(bundle, known);
  const key = `${role}\n${type}`;
  const standing = known.get(key);
  if (standing !== undefined) return standing;
  const resource = own(bundle.resources, type);
  const rules = own(own(bundle.roles, role) ?? {}, type);
  if (resource === undefined || rules === undefined) return null;
  const made = makeDecision(resource, rules);
  known.set(key, made);
  return made;
}

function makeDecision(resource: Resource, rules: Readonly<Record<string, Rule>>): Decision {
  const fields = Object.entries(resource.fields).map(([path, field]) => ({
    path,
    class: field.class,
    ...(own(rules, path) ?? { treatment: "withhold" as const, why: "no rule" }),
  }));
  const leaving = fields.filter((field) => field.treatment !== "withhold");
  return {
    plan: compilePlan(fields),
    levels: [...new Set(leaving.map((field) => dataClasses[field.class].level))].sort((a, b) => a - b),
    masking: fields.filter((field) => field.treatment !== "reveal").map((field) => ({ ...field, can: [] })),
    resource,
  };
}

function own<Value>(record: Readonly<Record<string, Value>>, key: string): Value | undefined {
  return Object.hasOwn(record, key) ? record[key] : undefined;
}
