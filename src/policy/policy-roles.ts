/**
 * The roles of a policy file: field by field what each may see, and which records at all. What a role extends is laid under what it writes itself.
 */
import { type Condition, conditionsOf } from "./condition.ts";
import { type PolicyShape, pathProblem, type ResourceDocument, rowsKey } from "./policy-shape.ts";
import { isFull, type Problem } from "./problem.ts";
import { type Alternative, capAlternative, type FieldRule, readCondition, readRule } from "./rule.ts";
import { didYouMean, quote } from "./shape.ts";
import { readWrites, type WriteGrant, writesKey } from "./writes.ts";
import type { Source, YamlPath } from "./yaml-source.ts";

export interface TypeRules {
  /** A record for which it does not hold is not there. */
  readonly rows?: RowRule;
  /** Absent: nothing. */
  readonly writes?: readonly WriteGrant[];
  /** By path. */
  readonly fields: Readonly<Record<string, FieldRule>>;
}

export interface RowRule {
  readonly when: Condition;
  readonly line: number;
}

/** By type. */
export type RoleRules = Readonly<Record<string, TypeRules>>;

/** A role as it is written: its own rules alone. */
export interface WrittenRole {
  readonly extends?: string;
  readonly rules: RoleRules;
}

export interface Roles {
  /** What a role extends is already in it. */
  readonly roles: Readonly<Record<string, RoleRules>>;
  readonly written: Readonly<Record<string, WrittenRole>>;
}

/** Of one role and resource, with what the role extends, counting each text once. */
const conditionsMax = 32;
/** One after another. */
const extendsMax = 16;

interface RolesReader {
  readonly policy: PolicyShape;
  readonly resources: Readonly<Record<string, ResourceDocument>>;
  readonly source: Source;
  readonly problems: Problem[];
}

export function readRoles(
  policy: PolicyShape,
  resources: Readonly<Record<string, ResourceDocument>>,
  source: Source,
  problems: Problem[],
): Roles {
  const reader: RolesReader = { policy, resources, source, problems };
  const own = new Map(Object.entries(policy.roles).map(([role, shape]) => [role, readRules(reader, role, shape)]));
  const roles: Record<string, RoleRules> = {};
  for (const role of own.keys())
    roles[role] = chainOf(reader, role).reduceRight<RoleRules>((inherited, link) => overlay(inherited, own.get(link) ?? {}), {});
  for (const [role, rules] of own) for (const type of Object.keys(rules)) checkConditions(reader, [role, type], roles[role]?.[type]);
  const written = Object.fromEntries(
    [...own].map(([role, rules]) => {
      const parent = policy.roles[role]?.extends;
      return [role, { ...(parent !== undefined && { extends: parent }), rules }];
    }),
  );
  return { roles, written };
}

/** With what the role extends: all are asked of each record. */
function checkConditions({ source, problems }: RolesReader, [role, type]: readonly [string, string], rules: TypeRules | undefined): void {
  const texts = new Set([
    rules?.rows?.when.text,
    ...Object.values(rules?.fields ?? {}).flatMap((rule) => rule.map(({ when }) => when?.text)),
  ]);
  texts.delete(undefined);
  if (texts.size <= conditionsMax) return;
  const said = `${texts.size} conditions in one role and resource, ${conditionsMax} at most`;
  problems.push(source.problem(["roles", role, type], "too_many_conditions", said, "use the same words where the same is meant"));
}

/** The role, what it extends, what that extends …; as far as it goes without a problem. */
function chainOf({ policy, source, problems }: RolesReader, role: string): string[] {
  const chain = [role];
  for (let parent = policy.roles[role]?.extends; parent !== undefined && !isFull(problems); parent = policy.roles[parent]?.extends) {
    const at = ["roles", chain.at(-1) ?? role, "extends"];
    if (!Object.hasOwn(policy.roles, parent)) {
      const known = Object.keys(policy.roles);
      if (chain.length === 1)
        problems.push(source.valueProblem(at, "unknown_role", `no role ${quote(parent)} to extend`, didYouMean(parent, known)));
      break;
    }
    if (chain.includes(parent)) {
      if (parent === role)
        problems.push(source.valueProblem(at, "extends_cycle", `${[...chain, parent].join(" extends ")}`, "let one of them stand alone"));
      break;
    }
    if (chain.length > extendsMax) {
      const said = `${quote(role)} extends more than ${extendsMax} roles, one after another`;
      problems.push(source.valueProblem(["roles", role, "extends"], "extends_too_deep", said, "let it extend one that extends fewer"));
      break;
    }
    chain.push(parent);
  }
  return chain;
}

function readRules(reader: RolesReader, role: string, shape: PolicyShape["roles"][string]): RoleRules {
  const { policy, resources, source, problems } = reader;
  const rules: Record<string, TypeRules> = {};
  for (const [type, entries] of Object.entries(shape)) {
    if (isFull(problems)) break;
    if (typeof entries !== "object") continue;
    const resource = Object.hasOwn(resources, type) ? resources[type] : undefined;
    if (resource === undefined)
      problems.push(unknownName(source, ["roles", role, type], "unknown_resource", type, Object.keys(policy.resources)));
    else rules[type] = readTypeRules(reader, ["roles", role, type], resource, { type, entries });
  }
  return rules;
}

function readTypeRules(
  { policy, source, problems }: RolesReader,
  at: YamlPath,
  resource: ResourceDocument,
  { type, entries }: { readonly type: string; readonly entries: Readonly<Record<string, unknown>> },
): TypeRules {
  const fields: Record<string, FieldRule> = {};
  let rows: RowRule | undefined;
  let writes: readonly WriteGrant[] | undefined;
  const conditions = conditionsOf(resource);
  for (const [path, value] of Object.entries(entries)) {
    if (isFull(problems)) break;
    const here = [...at, path];
    const field = Object.hasOwn(resource.fields, path) ? resource.fields[path] : undefined;
    if (path === rowsKey) {
      rows = readRows({ source, problems, conditions }, here, value);
    } else if (path === writesKey) {
      writes = readWrites({ source, problems, fields: resource.fields }, here, value);
    } else if (field !== undefined) {
      fields[path] = readRule({ source, class: field.class, conditions, problems }, here, value);
    } else if (!Object.hasOwn(policy.resources[type]?.fields ?? {}, path)) {
      // A field that stands there with a mistake of its own has had its message.
      problems.push(unknownName(source, here, "unknown_field", path, Object.keys(resource.fields)));
    }
  }
  return { ...(rows && { rows }), ...(writes && { writes }), fields };
}

function readRows(reader: Parameters<typeof readCondition>[0], at: YamlPath, value: unknown): RowRule | undefined {
  const { source, problems } = reader;
  if (typeof value !== "string") {
    problems.push(source.valueProblem(at, "bad_condition", "rows is a condition, as text", 'rows: record.status != "closed"'));
    return undefined;
  }
  const when = readCondition(reader, at, value);
  return when && { when, line: source.placeOf(at).line };
}

function overlay(inherited: RoleRules, own: RoleRules): RoleRules {
  const merged: Record<string, TypeRules> = { ...inherited };
  for (const [type, { rows, writes, fields }] of Object.entries(own)) {
    const under = Object.hasOwn(inherited, type) ? inherited[type] : undefined;
    const kept = rows ?? under?.rows;
    const written = writes ?? under?.writes;
    const laid: Record<string, FieldRule> = { ...under?.fields };
    for (const [path, rule] of Object.entries(fields))
      laid[path] = layOver(rule, (Object.hasOwn(laid, path) ? laid[path] : undefined) ?? []);
    merged[type] = { ...(kept && { rows: kept }), ...(written && { writes: written }), fields: laid };
  }
  return merged;
}

/** Where none of the role's own conditions holds, what it extends does, but never more than the role's own would have given. */
function layOver(own: FieldRule, inherited: FieldRule): FieldRule {
  const last = own.at(-1);
  if (last === undefined || isUnconditional(last)) return own;
  return [...own, ...inherited.map((alternative) => capAlternative(last, alternative))];
}

function isUnconditional({ purposes, when }: Alternative): boolean {
  return purposes === undefined && when === undefined;
}

function unknownName(source: Source, at: YamlPath, code: "unknown_resource" | "unknown_field", word: string, known: string[]): Problem {
  if (word.includes("*")) return pathProblem(source, at, word);
  return source.problem(
    at,
    code,
    code === "unknown_field" ? `no field ${quote(word)} in this resource` : `no resource ${quote(word)}`,
    didYouMean(word, known),
  );
}
