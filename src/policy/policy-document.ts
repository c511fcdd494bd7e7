/**
 * A policy file: what the merchant's data is (resources, fields, classes), and what each role may see of it. What is not written is withheld.
 * An empty file is a policy: it denies everything.
 */
import { ok, type Result, refuse } from "../kernel/index.ts";
import { PathSet, parsePath } from "../masking/index.ts";
import { type DeriveReader, isOneValue, readDerive } from "./derive.ts";
import { type Roles, readRoles } from "./policy-roles.ts";
import {
  type FieldDocument,
  fieldClasses,
  isClass,
  type PolicyShape,
  pathProblem,
  policySchema,
  type ResourceDocument,
  rowsKey,
} from "./policy-shape.ts";
import { inFileOrder, isFull, type Problem } from "./problem.ts";
import { checkShape, didYouMean, quote } from "./shape.ts";
import { writesKey } from "./writes.ts";
import { readYaml, type Source, type YamlPath } from "./yaml-source.ts";

export interface PolicyDocument extends Roles {
  readonly source: Source;
  readonly resources: Readonly<Record<string, ResourceDocument>>;
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
  const { roles, written } = readRoles(shape.value, resources, source, problems);
  return problems.length > 0 ? refuse(inFileOrder(problems)) : ok({ source, resources, roles, written });
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
  const isAnswer = (path: string) => shape.fields[path]?.derive !== undefined;
  const [answers, written] = [Object.keys(shape.fields).filter(isAnswer), Object.keys(shape.fields).filter((path) => !isAnswer(path))];
  const reader: DeriveReader = { source, problems, written, classed: fields };
  const paths = new PathSet();
  // Answers last: they are made of what has a class.
  for (const path of [...written, ...answers]) {
    if (isFull(problems)) break;
    const field = shape.fields[path] ?? {};
    const steps = parsePath(path);
    if (steps === null) {
      problems.push(pathProblem(source, [...at, path], path));
    } else if (path === rowsKey || path === writesKey) {
      const hint = path === rowsKey ? "roles write their row rule under this name" : "roles say under this name what they may write";
      problems.push(source.problem([...at, path], "wrong_value", `a field cannot be called ${path}`, hint));
    } else if (!paths.add(steps)) {
      const hint = "a field is a value, an object or a list: name either it or what is inside";
      problems.push(source.problem([...at, path], "paths_overlap", `${path} overlaps another field`, hint));
    } else {
      const read = field.derive === undefined ? readClassed(reader, [...at, path], field) : readAnswer(reader, [...at, path], field);
      if (read !== null) fields[path] = read;
    }
  }
  return { subject: readSubject(type, shape.subject, policy, source, problems), fields };
}

type FieldShape = PolicyShape["resources"][string]["fields"][string];

function readClassed({ source, problems }: DeriveReader, at: YamlPath, { class: name, search = false }: FieldShape): FieldDocument | null {
  if (name !== undefined && isClass(name) && name !== "derived") return { class: name, search };
  problems.push(
    name === undefined
      ? source.problem(at, "missing", 'missing key "class"', "class: says what stands there; or derive: an answer made of other fields")
      : source.valueProblem([...at, "class"], "unknown_class", `unknown class ${quote(name)}`, classHint(name)),
  );
  return null;
}

function classHint(word: string): string {
  if (word === "derived") return "an answer is written as derive: { age_band: birth_date }";
  return didYouMean(word, fieldClasses) ?? "docs/MASKS.md lists the classes";
}

function readAnswer(reader: DeriveReader, at: YamlPath, { class: name, search, derive }: FieldShape): FieldDocument | null {
  const { source, problems } = reader;
  const path = String(at.at(-1));
  const refuseAt = (key: YamlPath, said: string, hint: string) =>
    void problems.push(source.problem([...at, ...key], "bad_derive", said, hint));
  if (name !== undefined)
    refuseAt(["class"], "an answer has no class of its own", "take the class away: a contract's ceiling says derived");
  else if (search !== undefined) refuseAt(["search"], "an answer is not searchable: it is stored nowhere", "search by what it is made of");
  else if (!isOneValue(path)) refuseAt([], `an answer cannot stand at ${path}`, "keys with dots between them, no [], {} or $");
  else {
    const read = readDerive(reader, [...at, "derive"], derive);
    return read && { class: "derived", search: false, derive: read };
  }
  return null;
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
