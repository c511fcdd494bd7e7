/** JSON Schema of policy, contract and case files, for editors: made of the schemas that read them. What a schema cannot say, `policy check` says. */
import * as z from "zod";
import { casesFileSchema } from "./cases-shape.ts";
import { contractFileSchema } from "./contract-document.ts";
import { policyFileSchema } from "./policy-shape.ts";

const files = {
  policy: { schema: policyFileSchema, title: "Postern policy" },
  contract: { schema: contractFileSchema, title: "Postern contract" },
  cases: { schema: casesFileSchema, title: "Postern policy cases" },
} as const satisfies Record<string, { readonly schema: z.ZodType; readonly title: string }>;

export type FileKind = keyof typeof files;

export const fileKinds = Object.keys(files) as readonly FileKind[];

export function fileJsonSchema(kind: FileKind): Readonly<Record<string, unknown>> {
  const { schema, title } = files[kind];
  return { title, ...z.toJSONSchema(schema, { target: "draft-7", io: "input", unrepresentable: "any" }) };
}
