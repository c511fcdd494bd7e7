/**
 * A policy file: what the merchant's data is (resources, fields, classes), and what each role may see of it. What is not written is withheld.
 * An empty file is a policy: it denies everything.
 */
import { ok, type Result, refuse } from "../kernel/index.ts";
import { classNames, PathSet, parsePath } from "../masking/index.ts";
import { type RoleRules, readRoles } from "./policy-roles.ts";
import {
  type FieldDocument,
  isClass,
  type PolicyShape,
  pathProblem,
  policySchema,
  type ResourceDocument,
  rowsKey,
} from "./policy-shape.ts";
import { inFileOrder, isFull, type Problem } from "./problem.ts";
import { checkShape, didYouMean, quote } from "./shape.ts";
import { readYaml, type Source } from "./yaml-source.ts";

export interface PolicyDocument {
  readonly source: Source;
  readonly resources: Readonly<Record<string, ResourceDocument>>;
  /** What a role extends is already in it. */
  readonly roles: Readonly<Record<string, RoleRules>>;
}

export function parsePolicy(text: string, file: string): Result<PolicyDocument, Problem[]> {
  const read = readYaml(text, file);
  return read.ok ? readPolicy(read.value) : read;
}

/** The same of a file that is YAML. */
export function readPolicy(source: Source): Result<PolicyDocument, Problem[]> {
  const shape = checkShape(policySchema, source.value === null ? { ...source, value: {} } : source);
  if (!shape.ok) return shape;
  const problems: Problem[] = [];
  const resources = Object.fromEntries(
    Object.entries(shape.value.resources).map(([type, resource]) => [type, readResource(type, resource, shape.value, source, problems)]),
  );
  const roles = readRoles(shape.value, resources, source, problems);
  return problems.length > 0 ? refuse(inFileOrder(problems)) : ok({ source, resources, roles });
}

function readResource(
  type: string,
  shape: PolicyShape["resources"][string],
  policy: PolicyShape,
  source: Source,
  problems: Problem[],
): ResourceDocument {
  const at = ["resources", type, "fields"];
  if (type === "extends")
    problems.push(source.problem(["resources", type], "wrong_value", "a resource cannot be called extends", "choose another name"));
  const fields: Record<string, FieldDocument> = {};
  const paths = new PathSet();
  for (const [path, field] of Object.entries(shape.fields)) {
    if (isFull(problems)) break;
    const steps = parsePath(path);
    if (steps === null) {
      problems.push(pathProblem(source, [...at, path], path));
    } else if (!isClass(field.class)) {
      const hint = didYouMean(field.class, classNames);
      problems.push(source.valueProblem([...at, path, "class"], "unknown_class", `unknown class ${quote(field.class)}`, hint));
    } else if (path === rowsKey) {
      problems.push(
        source.problem([...at, path], "wrong_value", "a field cannot be called rows", "roles write their row rule under this name"),
      );
    } else if (!paths.add(steps)) {
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
  policy: PolicyShape,
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
