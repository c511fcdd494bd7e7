/**
 * The operator's file, `postern.yaml`, as one zod schema: who issues tokens, who holds which office, where else the log is told. What is unknown, missing
 * or malformed ends the start with one line that names the key and the cure; nothing is guessed.
 */
import { parseDocument } from "yaml";
import * as z from "zod";
import type { Freshness } from "./audit/index.ts";
import { issuerProblem, issuerSchema, vendorSchema } from "./issuer-settings.ts";
import { isId } from "./kernel/index.ts";
import { retentionProblem, retentionSchema } from "./retention-settings.ts";
import { isPrivateUrl } from "./root-key-settings.ts";
import type { SessionLimits } from "./sessions/index.ts";
import { sinkProblem, sinkSchema } from "./sink-settings.ts";

export class ConfigRefused extends Error {
  constructor(line: string) {
    super(line);
    this.name = "ConfigRefused";
  }
}

const id = z.string().refine(isId, "must match [A-Za-z0-9][A-Za-z0-9._~-]*");
const person = z.strictObject({ issuer: id, subject: z.string().min(1).max(255) });
const witness = z.strictObject({
  /** Verifier key of its cosignatures: `name+hash+base64`. */
  key: z.string().regex(/^[^+\s]+\+[0-9a-f]{8}\+[A-Za-z0-9+/]{44}$/, "must be a witness's verifier key: name+hash+base64"),
  /** Its submission prefix. */
  url: z.url({ protocol: /^https?$/, error: "must be an http:// or https:// URL" }),
  /** Whose own logs it watches beside the gateway log. */
  contracts: z.array(id).default([]),
});

const whole = (unit: string, min: number, max: number) => {
  const error = `must be whole ${unit} from ${min} to ${max}`;
  return z.int(error).min(min, error).max(max, error);
};
/** Edge and keeper are told the same: what is promised, and when readiness fails and disclosure stops, is one decision. */
const freshness = z
  .strictObject({
    merge_delay_seconds: whole("seconds", 60, 3_600).default(300),
    disclosure_stops_seconds: whole("seconds", 61, 86_400).default(600),
  })
  .refine((log) => log.disclosure_stops_seconds > log.merge_delay_seconds, {
    path: ["disclosure_stops_seconds"],
    error: "must be more than merge_delay_seconds: until then nothing that was promised is broken",
  })
  .transform((log): Freshness => ({ mergeDelaySeconds: log.merge_delay_seconds, disclosureStopsSeconds: log.disclosure_stops_seconds }));

/** How long somebody who came by a page stays logged in: unused, and at all. */
const sessions = z
  .strictObject({ idle_minutes: whole("minutes", 1, 120).default(30), hours: whole("hours", 1, 24).default(10) })
  .transform(({ idle_minutes: idleMinutes, hours }): SessionLimits => ({ idleMinutes, hours }));

const operatorFileSchema = z.strictObject({
  issuers: z.array(issuerSchema).min(1),
  merchants: z.record(
    id,
    z.strictObject({
      owners: z.array(person).min(2, "needs at least two owners: nobody approves their own act"),
      officers: z.array(person).default([]),
      /** Where the merchant holds share C of its contracts' keys (docs/SHARE-C.md). */
      share_holder: z
        .string()
        .refine((text) => isPrivateUrl(text), "must be an https:// URL")
        .optional(),
    }),
  ),
  vendors: z.record(id, vendorSchema).default({}),
  operators: z.array(person).default([]),
  /** Other systems that are told what the log holds. */
  sinks: z.array(sinkSchema).max(16).default([]),
  /** Raw Ed25519 public keys in base64 of writers in other processes, for the trust file. */
  writers: z.array(z.base64()).default([]),
  /** Who is asked to cosign the log's checkpoints. */
  witnesses: z.array(witness).default([]),
  /** How long an entry may wait for its place in the log. */
  log: freshness.prefault({}),
  sessions: sessions.prefault({}),
  /** Whole months that the log's entries are kept after the end of the month that they are of. */
  retention: retentionSchema.prefault({}),
});

export type OperatorFile = z.infer<typeof operatorFileSchema>;

/** Reads `postern.yaml`. `name`: how the file is called in the error. Throws ConfigRefused. */
export function readOperatorFile(text: string, name: string, production: boolean): OperatorFile {
  const document = parseDocument(text, { uniqueKeys: true, merge: false, maxAliasCount: 0, version: "1.2" } as Parameters<
    typeof parseDocument
  >[1]);
  const [error] = document.errors;
  if (error) throw new ConfigRefused(`${name}:${error.linePos?.[0].line ?? 1}: ${error.code}`);
  const parsed = operatorFileSchema.safeParse(document.toJS({ maxAliasCount: 0 }));
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    throw new ConfigRefused(`${name}: ${issue?.path.join(".") || "file"}: ${issue?.message ?? "malformed"}`);
  }
  checkPeople(parsed.data, name);
  const { retention, sinks } = parsed.data;
  const problem = issuerProblem(parsed.data, production) ?? retentionProblem(retention, production) ?? sinkProblem(sinks, production);
  if (problem) throw new ConfigRefused(`${name}: ${problem}`);
  return parsed.data;
}

function checkPeople(file: OperatorFile, name: string): void {
  const issuers = new Set(file.issuers.map((issuer) => issuer.id));
  const people = [...file.operators, ...Object.values(file.merchants).flatMap((merchant) => [...merchant.owners, ...merchant.officers])];
  for (const { issuer } of people) {
    if (!issuers.has(issuer)) throw new ConfigRefused(`${name}: ${issuer} is not one of the issuers`);
  }
  const nameOf = (holder: { issuer: string; subject: string }) => `${holder.issuer}/${holder.subject}`;
  for (const [merchant, { owners, officers }] of Object.entries(file.merchants)) {
    const distinct = new Set(owners.map(nameOf));
    if (distinct.size < owners.length) throw new ConfigRefused(`${name}: merchants.${merchant}.owners: one person stands twice`);
    const both = officers.find((officer) => distinct.has(nameOf(officer)));
    if (both) throw new ConfigRefused(`${name}: merchants.${merchant}.officers: ${nameOf(both)} is also an owner`);
  }
  for (const [vendor, { issuers: own, admins }] of Object.entries(file.vendors)) {
    const foreign = admins.find(({ issuer }) => !own.includes(issuer));
    if (foreign) throw new ConfigRefused(`${name}: vendors.${vendor}.admins: ${nameOf(foreign)} comes by no issuer of ${vendor}'s`);
    const two = admins.find((admin) => people.some((holder) => nameOf(holder) === nameOf(admin)));
    if (two) throw new ConfigRefused(`${name}: vendors.${vendor}.admins: ${nameOf(two)} holds another office`);
  }
}
