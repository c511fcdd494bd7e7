/**
 * zod's verdict on a YAML file, as problems with position and cure.
 */
import * as z from "zod";
import { nearest, ok, type Result, refuse } from "../kernel/index.ts";
import { inFileOrder, type Problem, type ProblemCode } from "./problem.ts";
import { type Source, valueAt, type YamlPath } from "./yaml-source.ts";

/** A schema's own refusal: its stable code and its cure ride along in the issue. */
type IssueNote = { readonly code: ProblemCode; readonly hint: string };

export function refusing(code: ProblemCode, error: string, hint: string): { error: string; params: IssueNote } {
  return { error, params: { code, hint } };
}

export function checkShape<Schema extends z.ZodType>(schema: Schema, source: Source): Result<z.output<Schema>, Problem[]> {
  return checkValue(schema, source, [], source.value);
}

/** The same of one value inside the file. */
export function checkValue<Schema extends z.ZodType>(
  schema: Schema,
  source: Source,
  at: YamlPath,
  value: unknown,
): Result<z.output<Schema>, Problem[]> {
  const parsed = schema.safeParse(value);
  if (parsed.success) return ok(parsed.data);
  return refuse(inFileOrder(parsed.error.issues.flatMap((issue) => describe(issue, schema, source, at))));
}

function describe(issue: z.core.$ZodIssue, schema: z.ZodType, source: Source, at: YamlPath): Problem[] {
  const path = [...at, ...issue.path];
  if (issue.code === "unrecognized_keys") {
    const known = keysAt(schema, issue.path);
    return issue.keys.map((key) => source.problem([...path, key], "unknown_key", `unknown key ${quote(key)}`, didYouMean(key, known)));
  }
  if (issue.code === "invalid_key") {
    const key = String(path.at(-1) ?? "");
    return [source.problem(path, "wrong_value", `${quote(key)} is not a name that may stand here`, issue.issues[0]?.message)];
  }
  if (issue.code === "custom" && isNote(issue.params))
    return [source.valueProblem(path, issue.params.code, issue.message, issue.params.hint)];
  if (!stands(source.value, path)) return [source.problem(path, "missing", `missing key ${quote(String(path.at(-1) ?? ""))}`)];
  if (issue.code === "invalid_value") {
    const values = issue.values.map(String);
    const near = nearest(String(valueAt(source.value, path)), values);
    return [source.valueProblem(path, "wrong_value", `expected one of ${values.join(", ")}`, near && `did you mean ${near}?`)];
  }
  const said = issue.message.replace(/^Invalid input: /, "");
  return [source.valueProblem(path, "wrong_value", `${said.charAt(0).toLowerCase()}${said.slice(1)}`)];
}

export function didYouMean(word: string, candidates: Iterable<string>): string | undefined {
  const list = [...candidates];
  const near = nearest(word, list);
  if (near !== undefined) return `did you mean ${near}?`;
  return list.length > 0 && list.length <= 12 ? `one of ${list.join(", ")}` : undefined;
}

/** A key or value from the file, short and on one line. */
export function quote(text: string): string {
  return JSON.stringify(text.length > 60 ? `${text.slice(0, 60).toWellFormed()}…` : text);
}

function isNote(params: unknown): params is IssueNote {
  return typeof params === "object" && params !== null && "code" in params;
}

/** Keys of the object schema that `path` leads to. */
function keysAt(schema: z.ZodType, path: YamlPath): string[] {
  let at: unknown = schema;
  for (const step of path) {
    const inner = unwrapped(at);
    if (inner instanceof z.ZodObject) at = inner.shape[String(step)] ?? inner.def.catchall;
    else if (inner instanceof z.ZodRecord) at = inner.valueType;
    else if (inner instanceof z.ZodArray) at = inner.element;
  }
  const inner = unwrapped(at);
  return inner instanceof z.ZodObject ? Object.keys(inner.shape) : [];
}

function unwrapped(schema: unknown): unknown {
  let at = schema;
  while (at instanceof z.ZodOptional || at instanceof z.ZodDefault || at instanceof z.ZodPrefault) at = at.unwrap();
  return at;
}

function stands(value: unknown, path: YamlPath): boolean {
  return path.length === 0 || valueAt(value, path) !== undefined;
}
