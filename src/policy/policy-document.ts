/**
 * A policy file: what the merchant's data is (resources, fields, classes), and what each role may see of it. What is not written is withheld.
 * An empty file is a policy: it denies everything.
 */
import * as z from "zod";
import { ok, type Result, refuse } from "../kernel/index.ts";
import { buildTrie, classNames, type DataClass, parsePath, type Treatment, treatmentNames } from "../masking/index.ts";
import { inFileOrder, type Problem } from "./problem.ts";
import { checkShape, didYouMean, quote } from "./shape.ts";
import { readYaml, type Source, type YamlPath } from "./yaml-source.ts";

export interface FieldDocument {
  readonly class: DataClass;
  /** Exact match by the blind index. */
  readonly search: boolean;
}

export interface ResourceDocument {
  /** Whose data it is: `path` null = the record is its own subject; else where the subject's id stands. */
  readonly subject: { readonly type: string; readonly path: string | null };
  readonly fields: Readonly<Record<string, FieldDocument>>;
}

export interface PolicyDocument {
  readonly source: Source;
  readonly resources: Readonly<Record<string, ResourceDocument>>;
  /** role → type → path → treatment, what it extends already in it. */
  readonly roles: Readonly<Record<string, RoleRules>>;
}

export type RoleRules = Readonly<Record<string, Readonly<Record<string, Treatment>>>>;

const namePattern = /^[A-Za-z][A-Za-z0-9_-]{0,63}$/;
const name = z.string().regex(namePattern, "a letter, then letters, digits, _ and -");

const policySchema = z.strictObject({
  resources: z
    .record(
      name,
      z.strictObject({
        subject: z.union([z.literal("id"), z.record(z.string(), z.string())], { error: "expected id, or { type: path }" }),
        fields: z.record(z.string(), z.strictObject({ class: z.string(), search: z.boolean().default(false) })).default({}),
      }),
    )
    .default({}),
  roles: z.record(name, z.object({ extends: z.string().optional() }).catchall(z.record(z.string(), z.unknown()))).default({}),
});

type Shape = z.output<typeof policySchema>;

export function parsePolicy(text: string, file: string): Result<PolicyDocument, Problem[]> {
  const read = readYaml(text, file);
  if (!read.ok) return read;
  const source = read.value;
  const shape = checkShape(policySchema, source.value === null ? { ...source, value: {} } : source);
  if (!shape.ok) return shape;
  const problems: Problem[] = [];
  const resources = Object.fromEntries(
    Object.entries(shape.value.resources).map(([type, resource]) => [type, readResource(type, resource, shape.value, source, problems)]),
  );
  const roles = readRoles(shape.value, source, problems);
  return problems.length > 0 ? refuse(inFileOrder(problems)) : ok({ source, resources, roles });
}

function readResource(
  type: string,
  shape: Shape["resources"][string],
  policy: Shape,
  source: Source,
  problems: Problem[],
): ResourceDocument {
  const at = ["resources", type, "fields"];
  if (type === "extends")
    problems.push(source.problem(["resources", type], "wrong_value", "a resource cannot be called extends", "choose another name"));
  const fields: Record<string, FieldDocument> = {};
  for (const [path, field] of Object.entries(shape.fields)) {
    if (parsePath(path) === null) {
      problems.push(pathProblem(source, [...at, path], path));
    } else if (!isClass(field.class)) {
      const hint = didYouMean(field.class, classNames);
      problems.push(source.valueProblem([...at, path, "class"], "unknown_class", `unknown class ${quote(field.class)}`, hint));
    } else if (overlaps([...Object.keys(fields), path])) {
      const hint = "a field is a value, an object or a list: name either it or what is inside";
      problems.push(source.problem([...at, path], "paths_overlap", `${path} overlaps another field`, hint));
    } else {
      fields[path] = { class: field.class, search: field.search };
    }
  }
  return { subject: readSubject(type, shape.subject, policy, source, problems), fields };
}

function readSubject(
  type: string,
  shape: "id" | Record<string, string>,
  policy: Shape,
  source: Source,
  problems: Problem[],
): ResourceDocument["subject"] {
  if (shape === "id") return { type, path: null };
  const at = ["resources", type, "subject"];
  const refuseSubject = (message: string, hint?: string) => problems.push(source.valueProblem(at, "bad_subject", message, hint));
  const [entry, second] = Object.entries(shape);
  const [about, path] = entry ?? ["", ""];
  if (entry === undefined || second !== undefined) refuseSubject("a record has one subject", "subject: { customer: user_id }");
  else if (!Object.hasOwn(policy.resources, about))
    refuseSubject(`no resource ${quote(about)}`, didYouMean(about, Object.keys(policy.resources)));
  else if (policy.resources[about]?.subject !== "id")
    refuseSubject(`${about} is not its own subject`, "name the resource whose subject is id");
  else if (parsePath(path)?.includes("[]") !== false)
    refuseSubject(`${quote(path)} is not the path of one value`, "keys with dots between them, no []");
  return { type: about, path };
}

function readRoles(policy: Shape, source: Source, problems: Problem[]): Record<string, RoleRules> {
  const own = new Map<string, RoleRules>();
  for (const [role, shape] of Object.entries(policy.roles)) own.set(role, readRules(role, shape, policy, source, problems));
  const roles: Record<string, RoleRules> = {};
  for (const role of own.keys()) {
    const chain = [role];
    for (let parent = policy.roles[role]?.extends; parent !== undefined; parent = policy.roles[parent]?.extends) {
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
      chain.push(parent);
    }
    roles[role] = chain.reduceRight<RoleRules>((inherited, link) => overlay(inherited, own.get(link) ?? {}), {});
  }
  return roles;
}

function readRules(role: string, shape: Shape["roles"][string], policy: Shape, source: Source, problems: Problem[]): RoleRules {
  const rules: Record<string, Record<string, Treatment>> = {};
  for (const [type, entries] of Object.entries(shape)) {
    if (typeof entries !== "object") continue;
    const resource = Object.hasOwn(policy.resources, type) ? policy.resources[type] : undefined;
    if (resource === undefined) {
      problems.push(unknownName(source, ["roles", role, type], "unknown_resource", type, Object.keys(policy.resources)));
      continue;
    }
    const ruled: Record<string, Treatment> = {};
    for (const [path, treatment] of Object.entries(entries)) {
      const at = ["roles", role, type, path];
      if (!Object.hasOwn(resource.fields, path))
        problems.push(unknownName(source, at, "unknown_field", path, Object.keys(resource.fields)));
      else if (!isTreatment(treatment)) problems.push(treatmentProblem(source, at, treatment));
      else ruled[path] = treatment;
    }
    rules[type] = ruled;
  }
  return rules;
}

function overlay(inherited: RoleRules, own: RoleRules): RoleRules {
  const merged: Record<string, Readonly<Record<string, Treatment>>> = { ...inherited };
  for (const [type, rules] of Object.entries(own)) merged[type] = { ...inherited[type], ...rules };
  return merged;
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

function pathProblem(source: Source, at: YamlPath, path: string): Problem {
  if (path.includes("*"))
    return source.problem(at, "wildcard", "wildcards are not accepted", "name each field: what nobody named is withheld");
  return source.problem(
    at,
    "bad_path",
    `${quote(path)} is not a path`,
    "keys of letters, digits, _ and -, as in name, receiver.mobile, items[].sku",
  );
}

export function treatmentProblem(source: Source, at: YamlPath, treatment: unknown): Problem {
  const text = typeof treatment === "string" ? treatment : "";
  const message = text === "" ? "a treatment is one word" : `unknown treatment ${quote(text)}`;
  return source.valueProblem(at, "unknown_treatment", message, didYouMean(text, treatmentNames));
}

export function isClass(text: string): text is DataClass {
  const names: readonly string[] = classNames;
  return names.includes(text);
}

export function isTreatment(value: unknown): value is Treatment {
  const names: readonly unknown[] = treatmentNames;
  return names.includes(value);
}

function overlaps(paths: readonly string[]): boolean {
  try {
    buildTrie(paths.map((path) => [path, path] as const));
    return false;
  } catch (fault) {
    if (fault instanceof RangeError) return true;
    throw fault;
  }
}
