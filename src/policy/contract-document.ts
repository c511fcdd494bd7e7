/**
 * A contract file (委托处理协议): who processes whose data, for which purposes, which classes at most, by which roles, until when, and what happens then.
 * Dates are civil and must exist; a contract without an end is none.
 */
import * as z from "zod";
import { isId, ok, type Result, refuse } from "../kernel/index.ts";
import { classNames, type DataClass, type Treatment } from "../masking/index.ts";
import { isClass, isTreatment, treatmentProblem } from "./policy-document.ts";
import type { Problem, ProblemCode } from "./problem.ts";
import { checkShape, didYouMean, type IssueNote, quote } from "./shape.ts";
import { isCivilDate, isZone, parseDurationHours } from "./term.ts";
import { readYaml, type Source } from "./yaml-source.ts";

export interface ContractDocument {
  readonly source: Source;
  readonly id: string;
  readonly merchant: string;
  readonly vendor: string;
  readonly subprocessors: readonly string[];
  /** `end` is the first day without access. */
  readonly term: { readonly start: string; readonly end: string; readonly zone: string; readonly purgeAfterHours: number };
  readonly purposes: readonly string[];
  /** The most that any role may see of a class; a class that is not here: withhold. */
  readonly ceiling: Readonly<Partial<Record<DataClass, Treatment>>>;
  readonly policy: string;
  readonly roles: readonly string[];
  readonly purge: { readonly coolingHours: number; readonly backupHorizonHours: number };
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
const name = z.string().regex(/^[A-Za-z][A-Za-z0-9_-]{0,63}$/, "a letter, then letters, digits, _ and -");

const contractSchema = z.strictObject({
  contract: id,
  parties: z.strictObject({ merchant: id, vendor: id, subprocessors: z.array(id).default([]) }),
  term: z.strictObject({ start: date, end: date, zone, purge_after: atLeastADay.default("7d") }).refine(({ start, end }) => end > start, {
    ...refusing("bad_date", "the end is not after the start", "end is the first day without access"),
    path: ["end"],
  }),
  purposes: z
    .record(name, z.strictObject({}))
    .refine((purposes) => Object.keys(purposes).length > 0, refusing("missing", "no purpose", "purposes: { after_sales: {} }")),
  ceiling: z.record(z.string(), z.unknown()),
  policy: id,
  roles: z
    .array(name)
    .min(1)
    .refine((roles) => new Set(roles).size === roles.length, refusing("wrong_value", "a role stands twice", "name each role once")),
  purge: z.strictObject({ cooling: duration.default("24h"), backup_horizon: duration.default("30d") }).prefault({}),
});

export function parseContract(text: string, file: string): Result<ContractDocument, Problem[]> {
  const read = readYaml(text, file);
  if (!read.ok) return read;
  const source = read.value;
  const shape = checkShape(contractSchema, source);
  if (!shape.ok) return shape;
  const { contract, parties, term, purposes, policy, roles, purge } = shape.value;
  const ceiling = readCeiling(shape.value.ceiling, source);
  if (!ceiling.ok) return ceiling;
  return ok({
    source,
    id: contract,
    ...parties,
    term: { start: term.start, end: term.end, zone: term.zone, purgeAfterHours: hours(term.purge_after) },
    purposes: Object.keys(purposes),
    ceiling: ceiling.value,
    policy,
    roles,
    purge: { coolingHours: hours(purge.cooling), backupHorizonHours: hours(purge.backup_horizon) },
  });
}

function readCeiling(entries: Readonly<Record<string, unknown>>, source: Source): Result<ContractDocument["ceiling"], Problem[]> {
  const ceiling: Partial<Record<DataClass, Treatment>> = {};
  const problems: Problem[] = [];
  for (const [word, treatment] of Object.entries(entries)) {
    const at = ["ceiling", word];
    if (word.includes("*"))
      problems.push(source.problem(at, "wildcard", "wildcards are not accepted", "name each class: what nobody named is withheld"));
    else if (!isClass(word))
      problems.push(source.problem(at, "unknown_class", `unknown class ${quote(word)}`, didYouMean(word, classNames)));
    else if (!isTreatment(treatment)) problems.push(treatmentProblem(source, at, treatment));
    else ceiling[word] = treatment;
  }
  return problems.length > 0 ? refuse(problems) : ok(ceiling);
}

function refusing(code: ProblemCode, error: string, hint: string): { error: string; params: IssueNote } {
  return { error, params: { code, hint } };
}

/** Of a text that the schema has let through. */
function hours(duration: string): number {
  const value = parseDurationHours(duration);
  if (value === null) throw new RangeError("not a length");
  return value;
}
