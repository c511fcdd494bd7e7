/**
 * A contract compiled: the effective policy (policy ∩ ceiling, only the contract's roles) as one JSON value.
 * It is stored as canonical JSON under its SHA-256, which every log entry carries, so that any decision can be replayed.
 */
import * as z from "zod";
import { sha256, toHex, utf8 } from "../crypto/index.ts";
import { canonicalJson } from "../kernel/index.ts";
import { classNames, treatmentNames } from "../masking/index.ts";

const resourceSchema = z.strictObject({
  /** `path` null: the record is its own subject. */
  subject: z.strictObject({ type: z.string(), path: z.string().nullable() }),
  fields: z.record(z.string(), z.strictObject({ class: z.enum(classNames), search: z.boolean() })),
});

const ruleSchema = z.strictObject({ treatment: z.enum(treatmentNames), why: z.string() });

const bundleSchema = z.strictObject({
  contract: z.strictObject({
    id: z.string(),
    merchant: z.string(),
    vendor: z.string(),
    subprocessors: z.array(z.string()),
    /** Civil dates; `end` is the first day without access. */
    term: z.strictObject({ start: z.string(), end: z.string(), zone: z.string(), purgeAfterHours: z.int() }),
    purposes: z.array(z.string()),
    purge: z.strictObject({ coolingHours: z.int(), backupHorizonHours: z.int() }),
  }),
  policy: z.string(),
  resources: z.record(z.string(), resourceSchema),
  /** role → type → path → rule; every field of a resource has one for every role. */
  roles: z.record(z.string(), z.record(z.string(), z.record(z.string(), ruleSchema))),
});

export type Bundle = z.infer<typeof bundleSchema>;
export type Resource = z.infer<typeof resourceSchema>;
export type Rule = z.infer<typeof ruleSchema>;

/** The text that is stored and digested. */
export function bundleText(bundle: Bundle): string {
  return canonicalJson(bundle);
}

/** Throws on a text that `bundleText` did not write. */
export function parseBundle(text: string): Bundle {
  return bundleSchema.parse(JSON.parse(text));
}

/** `sha256:` + hex of the text's UTF-8. */
export function bundleDigest(text: string): string {
  return `sha256:${toHex(sha256(utf8(text)))}`;
}
