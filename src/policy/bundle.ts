/**
 * A contract compiled: the effective policy (policy ∩ ceiling, only the contract's roles) as one JSON value.
 * It is stored as canonical JSON under its SHA-256, which every log entry carries, so that any decision can be replayed.
 */
import * as z from "zod";
import { sha256, toHex, utf8 } from "../crypto/index.ts";
import { canonicalJson } from "../kernel/index.ts";
import { answerNames, classNames, generalizations, maskProfiles, treatmentNames } from "../masking/index.ts";
import { agreedActs } from "./approval-terms.ts";

const fieldSchema = z.strictObject({
  class: z.enum(classNames),
  search: z.boolean(),
  /** Levels beside its class's own at which values lie that were written while it had another class. */
  older: z.array(z.int()).exactOptional(),
  /** Of class `derived`: made of the fields at these paths. */
  derive: z.strictObject({ answer: z.enum(answerNames), from: z.array(z.string()) }).exactOptional(),
});

const resourceSchema = z.strictObject({
  /** `path` null: the record is its own subject. */
  subject: z.strictObject({ type: z.string(), path: z.string().nullable() }),
  fields: z.record(z.string(), fieldSchema),
});

const placeSchema = z.strictObject({ file: z.string(), line: z.int() });

const meteringSchema = z.strictObject({
  quota: z.strictObject({ count: z.int(), per: z.string() }).exactOptional(),
  reason: z.literal("required").exactOptional(),
  seconds: z.int().exactOptional(),
});

const ruleSchema = z.strictObject({
  /** In a read. */
  treatment: z.enum(treatmentNames),
  profile: z.enum(maskProfiles).exactOptional(),
  to: z.enum(generalizations).exactOptional(),
  /** What an agent owes for the value itself, which no read shows. */
  reveal: meteringSchema.exactOptional(),
  purposes: z.array(z.string()).exactOptional(),
  when: z.string().exactOptional(),
  why: z.string(),
  /** Where the rule is written; absent where none is. */
  at: placeSchema.exactOptional(),
});

const typeSchema = z.strictObject({
  /** A record for which it does not hold is not there. */
  rows: z.strictObject({ when: z.string(), at: placeSchema }).exactOptional(),
  /** What may be written into the merchant's own API; absent = nothing. */
  writes: z.array(z.strictObject({ path: z.string(), purposes: z.array(z.string()).exactOptional(), at: placeSchema })).exactOptional(),
  /** path → rules in order: the first whose purpose and condition hold decides, and the last always holds. Every field of a resource has them for every role. */
  fields: z.record(z.string(), z.array(ruleSchema).min(1)),
});

const paperSchema = z.strictObject({ withinDays: z.int().exactOptional() });

/** Members that make the key, and no other. */
const sealingKeySchema = z.union([
  z.strictObject({ kty: z.literal("EC"), crv: z.enum(["P-256", "P-384"]), x: z.string(), y: z.string() }),
  z.strictObject({ kty: z.literal("RSA"), n: z.string(), e: z.string() }),
]);

const bundleSchema = z.strictObject({
  contract: z.strictObject({
    id: z.string(),
    merchant: z.string(),
    vendor: z.string(),
    subprocessors: z.array(z.string()),
    /** Civil dates; `end` is the first day without access. */
    term: z.strictObject({ start: z.string(), end: z.string(), zone: z.string(), purgeAfterHours: z.int() }),
    /** Minutes of the day, days from 1 = Monday; absent = at any time. */
    hours: z.array(z.strictObject({ days: z.array(z.int()), from: z.int(), to: z.int() })).exactOptional(),
    /** Absent = from anywhere. */
    networks: z.array(z.strictObject({ name: z.string(), blocks: z.array(z.string()) })).exactOptional(),
    /** Of the key that an agent's token is bound to, in each request; absent = a bearer's token will do. */
    dpop: z.literal("required").exactOptional(),
    /** `classes`: of personal data, what the purpose needs; absent = all. `breakGlassMinutes`: absent = whoever has a seat works for it. */
    purposes: z.record(
      z.string(),
      z.strictObject({ classes: z.array(z.enum(classNames)).exactOptional(), breakGlassMinutes: z.int().exactOptional() }),
    ),
    purge: z.strictObject({
      coolingHours: z.int(),
      backupHorizonHours: z.int(),
      /** Absent = nothing is returned. */
      return: z.strictObject({ to: sealingKeySchema, waitHours: z.int() }).exactOptional(),
    }),
    /** Type → days after its last import; absent, or of a type that is not there: until the purge. */
    retentionDays: z.record(z.string(), z.int()).exactOptional(),
    vendorSystems: z.array(z.string()).exactOptional(),
    /** What a seat needs before it works; absent = nothing. */
    seats: z
      .strictObject({
        /** Absent = any of the contract's. */
        roles: z.array(z.string()).exactOptional(),
        /** Roles in which a seat works once two people gave it; absent = none. */
        secondOwner: z.array(z.string()).exactOptional(),
        agreement: paperSchema.exactOptional(),
        training: paperSchema.exactOptional(),
        /** A seat that is used from several places at once; absent = it is noted. */
        sharing: z.enum(["step_up", "refuse"]).exactOptional(),
      })
      .exactOptional(),
    /** Act → who approves it instead of another owner; absent, or of an act that is not there: another owner. */
    approvals: z.partialRecord(z.enum(agreedActs), z.literal("other_organisation")).exactOptional(),
    /** Absent = no answer of the merchant's own API is kept. */
    upstream: z.strictObject({ cacheMinutes: z.int() }).exactOptional(),
    /** Raw Ed25519 public key, base64url. */
    vendorKey: z.string().exactOptional(),
  }),
  policy: z.string(),
  resources: z.record(z.string(), resourceSchema),
  /** role → type */
  roles: z.record(z.string(), z.record(z.string(), typeSchema)),
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
