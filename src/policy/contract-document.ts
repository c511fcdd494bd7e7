/**
 * A contract file (委托处理协议): who processes whose data, for which purposes, which classes at most, by which roles, until when, and what happens then.
 * Dates are civil and must exist; a contract without an end is none.
 */
import * as z from "zod";
import { isId, ok, type Result, refuse } from "../kernel/index.ts";
import { classNames, type DataClass } from "../masking/index.ts";
import { type ApprovalTerms, approvalsSchema, readApprovalTerms } from "./approval-terms.ts";
import type { Bundle } from "./bundle.ts";
import { type Hours, hoursEntrySchema, hoursSchema, readHours } from "./hours.ts";
import { type Network, parseBlock } from "./networks.ts";
import { isClass } from "./policy-shape.ts";
import { inFileOrder, type Problem } from "./problem.ts";
import { breakGlassMinutesMax, type PurposeDocument, purposePresets } from "./purposes.ts";
import { readCeilingGrant } from "./rule.ts";
import { ceilingSchema, nameSchema } from "./rule-shape.ts";
import { sealingKeySchema } from "./sealing-key.ts";
import { readSeatTerms, type SeatTerms, seatsSchema } from "./seat-terms.ts";
import { checkShape, checkValue, didYouMean, quote, refusing } from "./shape.ts";
import { isCivilDate, isZone, parseDurationHours } from "./term.ts";
import type { Grant } from "./treatments.ts";
import { readYaml, type Source } from "./yaml-source.ts";

export interface ContractDocument {
  readonly source: Source;
  readonly id: string;
  readonly merchant: string;
  readonly vendor: string;
  readonly subprocessors: readonly string[];
  /** `end` is the first day without access. */
  readonly term: { readonly start: string; readonly end: string; readonly zone: string; readonly purgeAfterHours: number };
  /** By name. */
  readonly purposes: Readonly<Record<string, PurposeDocument>>;
  /** In the zone of the term; `undefined` = at any time. */
  readonly hours?: readonly Hours[];
  /** `undefined` = from anywhere. */
  readonly networks?: readonly Network[];
  /** Agents come with tokens that are bound to a key of theirs (RFC 9449); `undefined` = any token of their issuer's will do. */
  readonly dpop?: "required";
  /** The most that any role may see of a class; a class that is not here: withhold. */
  readonly ceiling: Readonly<Partial<Record<DataClass, Grant>>>;
  readonly policy: string;
  readonly roles: readonly string[];
  readonly purge: Bundle["contract"]["purge"];
  /** Type → days after its last import for which a record is kept; a type that is not here: until the contract's purge. */
  readonly retentionDays?: Readonly<Record<string, number>>;
  /** The vendor's own systems, of each of which it is to say at the end that nothing is left there. */
  readonly vendorSystems?: readonly string[];
  /** What a seat of the vendor's needs before it works. */
  readonly seats?: SeatTerms;
  /** What another organisation approves. */
  readonly approvals?: ApprovalTerms;
  /** Of the merchant's own API; absent = none of its answers are kept. */
  readonly upstream?: { readonly cacheMinutes: number };
  /** Raw Ed25519 public key in base64url, under which the vendor signs what it says. */
  readonly vendorKey?: string;
}

const id = z.string().refine(isId, refusing("wrong_value", "not an id", "letters, digits, . _ ~ -, at most 128, first a letter or digit"));
const date = z.string().refine(isCivilDate, refusing("bad_date", "not a date that exists", "YYYY-MM-DD, from 1970 to 2199"));
const zone = z.string().refine(isZone, refusing("bad_zone", "not a time zone", "an IANA name, as Asia/Shanghai"));
const duration = z
  .string()
  .refine(
    (text) => parseDurationHours(text) !== null,
    refusing("bad_duration", "not a length", "hours or days, as 24h or 7d, at most 3650d"),
  );
const atLeastADay = duration.refine(
  (text) => (parseDurationHours(text) ?? 24) >= 24,
  refusing("bad_duration", "shorter than a day", "1d or more"),
);
const presets = Object.keys(purposePresets) as (keyof typeof purposePresets)[];
const purpose = z
  .strictObject({
    preset: z.enum(presets).optional().describe("Only the classes that this scene of the platforms needs"),
    classes: z.array(z.enum(classNames)).optional().describe("Only these classes of personal data"),
    break_glass: z
      .strictObject({ minutes: z.int().min(1).max(breakGlassMinutesMax).describe("How long it is open at most") })
      .optional()
      .describe("Only whom two owners let, for one person's records, for so long"),
  })
  .refine(({ preset, classes }) => preset === undefined || classes === undefined, {
    ...refusing("wrong_value", "preset and classes both say what the purpose is for", "write one of them"),
    path: ["classes"],
  });
const vendorKey = z
  .strictObject({ kty: z.literal("OKP"), crv: z.literal("Ed25519"), x: z.string() })
  .refine(({ x }) => /^[A-Za-z0-9_-]{43}$/.test(x), refusing("wrong_value", "not an Ed25519 public key", "32 bytes in base64url under x"));
const block = z
  .string()
  .refine(
    (text) => parseBlock(text) !== null,
    refusing("bad_network", "not a network", "a block whose host bits are 0, as 203.0.113.0/24 or 2001:db8::/32"),
  );
const cacheMinutesMax = 60;
const blocks = z.array(block).min(1, "name at least one").max(100);

/** `ceiling` and `hours`: what stands there. The reader takes anything and reads it itself, for better messages. */
function contractSchemaWith<Ceiling extends z.ZodType, Times extends z.ZodType>(ceiling: Ceiling, times: Times) {
  return z.strictObject({
    contract: id,
    parties: z.strictObject({ merchant: id, vendor: id, subprocessors: z.array(id).default([]) }),
    term: z.strictObject({ start: date, end: date, zone, purge_after: atLeastADay.default("7d") }).refine(({ start, end }) => end > start, {
      ...refusing("bad_date", "the end is not after the start", "end is the first day without access"),
      path: ["end"],
    }),
    purposes: z
      .record(nameSchema, purpose)
      .refine((purposes) => Object.keys(purposes).length > 0, refusing("missing", "no purpose", "purposes: { after_sales: {} }")),
    hours: times.optional().describe("Not outside these hours, in the zone of the term"),
    networks: z
      .union([blocks, z.record(nameSchema, blocks)], { error: "a list of networks, or lists by name" })
      .optional()
      .describe("Not from anywhere else"),
    dpop: z
      .literal("required")
      .optional()
      .describe("Only with tokens that are bound to a key of the agent's, and with a proof of that key in each request (DPoP)"),
    ceiling,
    policy: id,
    roles: z
      .array(nameSchema)
      .min(1)
      .refine((roles) => new Set(roles).size === roles.length, refusing("wrong_value", "a role stands twice", "name each role once")),
    purge: z
      .strictObject({
        cooling: duration.default("24h"),
        backup_horizon: duration.default("30d"),
        return: z
          .strictObject({
            to: sealingKeySchema,
            wait: atLeastADay.default("7d").describe("How long the purge waits to be told that it arrived"),
          })
          .optional()
          .describe("Before anything is destroyed, every record is sealed to this key for the merchant to fetch"),
      })
      .prefault({}),
    retention: z
      .record(nameSchema, atLeastADay)
      .optional()
      .describe("How long a record of a type is kept after it was last imported; then it is deleted, by the day"),
    vendor_systems: z
      .array(nameSchema)
      .min(1)
      .max(50)
      .refine((names) => new Set(names).size === names.length, refusing("wrong_value", "a system stands twice", "name each system once"))
      .optional()
      .describe("Systems of the vendor's own: at the end it states of each that nothing is left there"),
    seats: seatsSchema.optional().describe("What a seat of the vendor's needs before it works"),
    approvals: approvalsSchema.optional().describe("What the vendor's admin approves instead of another owner"),
    upstream: z
      .strictObject({
        cache_minutes: z.int().min(1).max(cacheMinutesMax).describe("How long an answer of the merchant's own API is kept, sealed"),
      })
      .optional()
      .describe("Absent: no answer is kept"),
    vendor_key: vendorKey.optional().describe("The vendor's public key (JWK, Ed25519), under which it signs those statements"),
  });
}

const contractSchema = contractSchemaWith(z.record(z.string(), z.unknown()), z.unknown());

/** For editors: the whole file. */
export const contractFileSchema = contractSchemaWith(z.partialRecord(z.enum(classNames), ceilingSchema), hoursSchema);

export function parseContract(text: string, file: string): Result<ContractDocument, Problem[]> {
  const read = readYaml(text, file);
  return read.ok ? readContract(read.value) : read;
}

/** A contract that stands in a file that is YAML, or is one. */
export function readContract(source: Source): Result<ContractDocument, Problem[]> {
  const shape = checkShape(contractSchema, source);
  if (!shape.ok) return shape;
  const { contract, parties, term, purposes, policy, roles, purge } = shape.value;
  const problems: Problem[] = [];
  const ceiling = readCeiling(shape.value.ceiling, source, problems);
  const times = shape.value.hours === undefined ? undefined : readTimes(shape.value.hours, source, problems);
  if (problems.length > 0) return refuse(inFileOrder(problems));
  const networks = shape.value.networks && readNetworks(shape.value.networks);
  const approvals = readApprovalTerms(shape.value.approvals ?? {});
  return ok({
    source,
    id: contract,
    ...parties,
    term: { start: term.start, end: term.end, zone: term.zone, purgeAfterHours: hours(term.purge_after) },
    purposes: Object.fromEntries(Object.entries(purposes).map(([name, shape]) => [name, readPurpose(shape)])),
    ...(times && { hours: times }),
    ...(networks && { networks }),
    ...(shape.value.dpop && { dpop: shape.value.dpop }),
    ceiling,
    policy,
    roles,
    purge: {
      coolingHours: hours(purge.cooling),
      backupHorizonHours: hours(purge.backup_horizon),
      ...(purge.return && { return: { to: purge.return.to, waitHours: hours(purge.return.wait) } }),
    },
    ...(shape.value.retention && { retentionDays: readRetention(shape.value.retention) }),
    ...(shape.value.vendor_systems && { vendorSystems: shape.value.vendor_systems }),
    ...(shape.value.seats && { seats: readSeatTerms(shape.value.seats) }),
    ...(approvals && { approvals }),
    ...(shape.value.upstream && { upstream: { cacheMinutes: shape.value.upstream.cache_minutes } }),
    ...(shape.value.vendor_key && { vendorKey: shape.value.vendor_key.x }),
  });
}

function readCeiling(entries: Readonly<Record<string, unknown>>, source: Source, problems: Problem[]): ContractDocument["ceiling"] {
  const ceiling: Partial<Record<DataClass, Grant>> = {};
  for (const [word, value] of Object.entries(entries)) {
    const at = ["ceiling", word];
    if (word.includes("*")) {
      problems.push(source.problem(at, "wildcard", "wildcards are not accepted", "name each class: what nobody named is withheld"));
    } else if (!isClass(word)) {
      problems.push(source.problem(at, "unknown_class", `unknown class ${quote(word)}`, didYouMean(word, classNames)));
    } else {
      const grant = readCeilingGrant({ source, problems, class: word }, at, value);
      if (grant !== null) ceiling[word] = grant;
    }
  }
  return ceiling;
}

/** One entry, or a list of them: each is checked alone, so that what is wrong in it has its own place. */
function readTimes(value: unknown, source: Source, problems: Problem[]): Hours[] {
  const entries = Array.isArray(value) ? value.map((entry, index) => [["hours", index], entry] as const) : [[["hours"], value] as const];
  if (entries.length === 0)
    problems.push(source.valueProblem(["hours"], "bad_hours", "no hours", 'hours: { days: mon-fri, from: "09:00", to: "18:00" }'));
  return entries.flatMap(([at, entry]) => {
    const checked = checkValue(hoursEntrySchema, source, at, entry);
    if (checked.ok) return [readHours(checked.value)];
    problems.push(...checked.refusal);
    return [];
  });
}

function readNetworks(shape: string[] | Record<string, string[]>): Network[] {
  if (Array.isArray(shape)) return shape.map((text) => ({ name: text, blocks: [text] }));
  return Object.entries(shape).map(([name, listed]) => ({ name, blocks: listed }));
}

function readPurpose({ preset, classes, break_glass: glass }: z.output<typeof purpose>): PurposeDocument {
  const listed = preset === undefined ? classes : purposePresets[preset];
  return { ...(listed && { classes: listed }), ...(glass && { breakGlassMinutes: glass.minutes }) };
}

/** Hours that are no whole day are rounded up: nothing is deleted before its time. */
function readRetention(kept: Readonly<Record<string, string>>): Record<string, number> {
  return Object.fromEntries(Object.entries(kept).map(([type, text]) => [type, Math.ceil(hours(text) / 24)]));
}

/** Of a text that the schema has let through. */
function hours(duration: string): number {
  const value = parseDurationHours(duration);
  if (value === null) throw new RangeError("not a length");
  return value;
}
