/**
 * The outer shape of a policy file, and the words that its readers share.
 */
import * as z from "zod";
import { classNames, type DataClass } from "../masking/index.ts";
import { type DeriveDocument, derivedFieldSchema } from "./derive.ts";
import type { Problem } from "./problem.ts";
import { nameSchema, ruleSchema } from "./rule-shape.ts";
import { quote } from "./shape.ts";
import { writesKey, writesSchema } from "./writes.ts";
import type { Source, YamlPath } from "./yaml-source.ts";

export interface FieldDocument {
  readonly class: DataClass;
  /** Exact match by the blind index. */
  readonly search: boolean;
  /** Of class `derived`, and never without it: `from` are paths of other fields of the resource. */
  readonly derive?: DeriveDocument;
}

export interface ResourceDocument {
  /** Whose data it is: `path` null = the record is its own subject; else where the subject's id stands. */
  readonly subject: { readonly type: string; readonly path: string | null };
  readonly fields: Readonly<Record<string, FieldDocument>>;
}

/** Under a role's resource, beside the fields. */
export const rowsKey = "rows";

/** `field`: what a field is; `rules`: what stands under a role's resource. The reader takes anything and reads it itself, for better messages. */
function policySchemaWith<Field extends z.ZodType, Rules extends z.ZodType>(field: Field, rules: Rules) {
  return z.strictObject({
    resources: z
      .record(
        nameSchema,
        z.strictObject({
          subject: z.union([z.literal("id"), z.record(z.string(), z.string())], { error: "expected id, or { type: path }" }),
          fields: z.record(z.string(), field).default({}),
        }),
      )
      .default({}),
    roles: z.record(nameSchema, z.object({ extends: z.string().optional() }).catchall(rules)).default({}),
  });
}

export const policySchema = policySchemaWith(
  z.strictObject({ class: z.string().optional(), search: z.boolean().optional(), derive: z.unknown().optional() }),
  z.record(z.string(), z.unknown()),
);

/** Classes that are written; answers have theirs from what they are. */
export const fieldClasses = classNames.filter((name) => name !== "derived");

/** For editors: the whole file. */
export const policyFileSchema = policySchemaWith(
  z.union([
    z.strictObject({
      class: z.enum(fieldClasses),
      search: z.boolean().default(false).describe("Agents find the record by the exact value"),
    }),
    derivedFieldSchema,
  ]),
  z
    .object({
      [rowsKey]: z.string().optional().describe("Only records for which this CEL expression holds are there"),
      [writesKey]: writesSchema.optional().describe("Fields that the role may write into the merchant's own API"),
    })
    .catchall(ruleSchema),
);

export type PolicyShape = z.output<typeof policySchema>;

export function pathProblem(source: Source, at: YamlPath, path: string): Problem {
  if (path.includes("*"))
    return source.problem(at, "wildcard", "wildcards are not accepted", "name each field: what nobody named is withheld");
  return source.problem(
    at,
    "bad_path",
    `${quote(path)} is not a path`,
    "keys of letters, digits, _ and -, as in name, receiver.mobile, items[].sku",
  );
}

export function isClass(text: string): text is DataClass {
  const names: readonly string[] = classNames;
  return names.includes(text);
}
