/**
 * What a role may write into the merchant's own API: `writes: [status, { priority: { purposes: [after_sales] } }]` beside its fields. Writing is granted by
 * itself, whatever a role sees: what an agent is told by a customer they may hand on without seeing what stood there. What is not written here is not written.
 */
import * as z from "zod";
import type { DataClass } from "../masking/index.ts";
import type { Bundle } from "./bundle.ts";
import type { Problem } from "./problem.ts";
import { needs } from "./purposes.ts";
import { nameSchema } from "./rule-shape.ts";
import { checkValue, didYouMean, quote } from "./shape.ts";
import type { Source, YamlPath } from "./yaml-source.ts";

/** Under a role's resource, beside the fields. */
export const writesKey = "writes";

export interface WriteGrant {
  readonly path: string;
  /** Absent = for each of the contract's. */
  readonly purposes?: readonly string[];
  readonly line: number;
}

const fieldsMax = 100;
const optionsSchema = z.strictObject({
  purposes: z.array(nameSchema).min(1, "name at least one").describe("Only for these purposes of the contract"),
});

/** For editors, and for the reader. */
export const writesSchema = z
  .array(z.union([z.string(), z.record(z.string(), optionsSchema)], { error: "a field, or { FIELD: { purposes: [after_sales] } }" }))
  .max(fieldsMax);

interface WritesReader {
  readonly source: Source;
  readonly problems: Problem[];
  /** The resource's, by path. */
  readonly fields: Readonly<Record<string, { readonly class: DataClass }>>;
}

export function readWrites({ source, problems, fields }: WritesReader, at: YamlPath, value: unknown): readonly WriteGrant[] {
  const checked = checkValue(writesSchema, source, at, value);
  if (!checked.ok) {
    problems.push(...checked.refusal);
    return [];
  }
  const grants: WriteGrant[] = [];
  for (const [index, entry] of checked.value.entries()) {
    const here = [...at, index];
    const [first = ["", undefined], second] = typeof entry === "string" ? [[entry, undefined] as const] : Object.entries(entry);
    const [path, options] = first;
    const problem = second === undefined ? problemOf({ source, fields }, here, path) : twoFields(source, here);
    if (problem) problems.push(problem);
    else if (grants.some((grant) => grant.path === path))
      problems.push(source.problem(here, "wrong_value", `${quote(path)} stands twice`, "name each field once"));
    else grants.push({ path, ...(options && { purposes: options.purposes }), line: source.placeOf(here).line });
  }
  return grants;
}

function problemOf({ source, fields }: Pick<WritesReader, "source" | "fields">, at: YamlPath, path: string): Problem | null {
  const field = Object.hasOwn(fields, path) ? fields[path] : undefined;
  if (field === undefined)
    return source.problem(at, "unknown_field", `no field ${quote(path)} in this resource`, didYouMean(path, Object.keys(fields)));
  if (field.class === "derived" || field.class === "secret")
    return source.problem(at, "wrong_value", `a field of class ${field.class} is not written`, "take it away");
  if (/[{}$]/.test(path))
    return source.problem(at, "wrong_value", `${quote(path)} is not written: keys and lists alone are`, "take it away");
  return null;
}

function twoFields(source: Source, at: YamlPath): Problem {
  return source.problem(at, "wrong_value", "one field in each entry", "[status, { priority: { purposes: [after_sales] } }]");
}

export interface WriteQuestion {
  readonly role: string;
  readonly type: string;
  readonly purpose: string;
}

/** The fields that may be written, by path; none where the bundle does not know the role, type or purpose. A purpose that does not need a class does not write it; one behind glass is for seeing, and writes nothing. */
export function writableIn(bundle: Bundle, { role, type, purpose }: WriteQuestion): readonly string[] {
  const resource = own(bundle.resources, type);
  const needed = own(bundle.contract.purposes, purpose);
  const writes = own(own(bundle.roles, role) ?? {}, type)?.writes;
  if (resource === undefined || needed === undefined || writes === undefined || needed.breakGlassMinutes !== undefined) return [];
  return writes
    .filter(({ path, purposes }) => {
      const field = own(resource.fields, path);
      return field !== undefined && purposes?.includes(purpose) !== false && needs(needed, field.class);
    })
    .map(({ path }) => path);
}

function own<Value>(record: Readonly<Record<string, Value>>, key: string): Value | undefined {
  return Object.hasOwn(record, key) ? record[key] : undefined;
}
