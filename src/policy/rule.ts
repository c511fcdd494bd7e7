/**
 * One rule as it is written: `mask`, `{ generalize: { to: year } }`, `{ reveal: { purposes: [after_sales], quota: 20/day }, else: mask }`.
 */
import type * as z from "zod";
import { type DataClass, generalizationsOf, type Treatment, treatmentNames } from "../masking/index.ts";
import type { Condition, Conditions } from "./condition.ts";
import type { Problem } from "./problem.ts";
import { ceilingOptions, quotaPattern, ruleOptions } from "./rule-shape.ts";
import { checkValue, didYouMean, quote } from "./shape.ts";
import { capGrant, describeGrant, type Grant, isSameGrant } from "./treatments.ts";
import type { Source, YamlPath } from "./yaml-source.ts";

/** What an agent owes for seeing a value: it is masked in every read and given one at a time. */
export interface Metering {
  readonly quota?: { readonly count: number; readonly per: string };
  readonly reason?: "required";
  readonly seconds?: number;
}

/** What is granted where the purpose and the condition hold. */
export interface Alternative {
  readonly grant: Grant;
  /** Of `reveal` alone. */
  readonly metering?: Metering;
  readonly purposes?: readonly string[];
  readonly when?: Condition;
  /** Of the file, both from 1. */
  readonly line: number;
  readonly column: number;
}

/** In order: the first whose purpose and condition hold decides; where none does, withheld. */
export type FieldRule = readonly Alternative[];

export interface RuleReader {
  readonly source: Source;
  readonly class: DataClass;
  readonly conditions: Conditions;
  readonly problems: Problem[];
}

/** A rule with its `else`s; each no more than the one before. Problems go into `reader.problems`. */
export function readRule(reader: RuleReader, at: YamlPath, value: unknown): FieldRule {
  const { source, problems } = reader;
  if (typeof value !== "object" || value === null || Array.isArray(value)) return readWord(reader, at, value);
  const { else: otherwise, ...options } = value as Record<string, unknown>;
  const [entry, second] = Object.entries(options);
  if (entry === undefined || second !== undefined) {
    problems.push(treatmentProblem(source, at, value));
    return [];
  }
  const first = readOptions(reader, at, entry);
  if (otherwise === undefined) return first === null ? [] : [first];
  const rest = readRule(reader, [...at, "else"], otherwise);
  const [next] = rest;
  if (first === null || next === undefined) return [];
  if (first.purposes === undefined && first.when === undefined) {
    const hint = "give the rule before it purposes or when, or take the else away";
    problems.push(
      source.problem([...at, "else"], "unreachable_rule", "nothing gets to this else: what it stands in for always holds", hint),
    );
  } else if (!isAtMost(first, next)) {
    const said = `this else grants ${describe(next)}, which is not less than ${describe(first)}`;
    problems.push(source.valueProblem([...at, "else"], "else_not_less", said, "write the higher treatment first"));
  }
  return [first, ...rest];
}

function describe({ grant, metering }: Alternative): string {
  return describeGrant(grant) + (metering === undefined ? "" : " to whoever asks");
}

/** Where a condition fails, what follows is no more than what it would have given. */
export function capAlternative(upper: Alternative, lower: Alternative): Alternative {
  const { metering, ...rest } = lower;
  // A value that has to be asked for is not shown unasked because a condition failed.
  const ceiling: Grant =
    upper.metering !== undefined && metering === undefined && lower.grant.treatment === "reveal" ? masked : upper.grant;
  const grant = capGrant(ceiling, lower.grant);
  return grant.treatment === "reveal" && metering !== undefined ? { ...rest, metering, grant } : { ...rest, grant };
}

const masked: Grant = { treatment: "mask" };

/** Whether `upper` allows all that `lower` grants. */
export function isAtMost(upper: Alternative, lower: Alternative): boolean {
  return isSameGrant(capAlternative(upper, lower).grant, lower.grant);
}

function readWord(reader: RuleReader, at: YamlPath, value: unknown): FieldRule {
  const { source, problems } = reader;
  if (!isTreatment(value)) problems.push(treatmentProblem(source, at, value));
  else if (value === "generalize") problems.push(barelyGeneralized(source, at));
  else {
    const word: Alternative = { grant: { treatment: value }, ...source.placeOf(at) };
    checkAnswer(reader, at, word);
    return [word];
  }
  return [];
}

function readOptions(reader: RuleReader, at: YamlPath, [word, value]: [string, unknown]): Alternative | null {
  const { source, problems } = reader;
  if (!isOptional(word)) {
    problems.push(word === "withhold" ? withoutOptions(source, at) : wordProblem(source, [...at, word], word));
    return null;
  }
  const schema: z.ZodType<Options> = ruleOptions[word];
  const checked = checkValue(schema, source, [...at, word], value);
  if (!checked.ok) {
    problems.push(...checked.refusal);
    return null;
  }
  const { profile, to, purposes, when } = checked.value;
  if (to !== undefined && !generalizationsOf(reader.class).includes(to)) problems.push(cannotGeneralize(reader, [...at, word, "to"], to));
  const condition = when === undefined ? undefined : readCondition(reader, [...at, word, "when"], when);
  const metering = readMetering(checked.value);
  const alternative: Alternative = {
    grant: { treatment: word, ...(profile && { profile }), ...(to && { to }) },
    ...(Object.keys(metering).length > 0 && { metering }),
    ...(purposes && { purposes }),
    ...(condition && { when: condition }),
    ...source.placeOf([...at, word]),
  };
  checkAnswer(reader, [...at, word], alternative);
  return alternative;
}

/** An answer has nothing between all and nothing, so a read could not show it masked until it is asked for. */
function checkAnswer(
  { source, problems, class: name }: Pick<RuleReader, "source" | "problems" | "class">,
  at: YamlPath,
  { grant, metering }: Pick<Alternative, "grant" | "metering">,
): void {
  if (name !== "derived") return;
  const hint = "reveal, withhold, or { reveal: { purposes: [after_sales] } }";
  if (grant.treatment !== "reveal" && grant.treatment !== "withhold")
    problems.push(source.problem(at, "bad_derive", `an answer is revealed or withheld: ${grant.treatment} does nothing to it`, hint));
  else if (metering !== undefined)
    problems.push(source.problem(at, "bad_derive", "an answer is in every read or in none: it is not asked for one at a time", hint));
}

type Options = {
  readonly profile?: Grant["profile"] | undefined;
  readonly to?: Grant["to"] | undefined;
  readonly purposes?: string[] | undefined;
  readonly when?: string | undefined;
  readonly quota?: string | undefined;
  readonly reason?: "required" | undefined;
  readonly seconds?: number | undefined;
};

/** `undefined` = a problem was found. */
export function readCondition(
  { source, conditions, problems }: Pick<RuleReader, "source" | "conditions" | "problems">,
  at: YamlPath,
  text: string,
): Condition | undefined {
  const compiled = conditions.compile(text);
  if ("condition" in compiled) return compiled.condition;
  problems.push(source.valueProblem(at, "bad_condition", compiled.problem.message, compiled.problem.hint));
  return undefined;
}

export function readMetering({ quota, reason, seconds }: Pick<Options, "quota" | "reason" | "seconds">): Metering {
  return { ...(quota && { quota: readQuota(quota) }), ...(reason && { reason }), ...(seconds && { seconds }) };
}

/** `20/day, reason, 30 s`. */
export function describeMetering({ quota, reason, seconds }: Metering): string {
  const parts = [quota && `${quota.count}/${quota.per}`, reason && "reason", seconds === undefined ? undefined : `${seconds} s`];
  return parts.filter((part) => part !== undefined).join(", ");
}

function readQuota(text: string): NonNullable<Metering["quota"]> {
  const [, count = "", per = ""] = quotaPattern.exec(text) ?? [];
  return { count: Number(count), per };
}

/** A class's most: a treatment, or `{ mask: { profile: strict } }`, `{ generalize: { to: year } }`. `null` = a problem was found. */
export function readCeilingGrant(
  { source, problems, class: name }: Omit<RuleReader, "conditions">,
  at: YamlPath,
  value: unknown,
): Grant | null {
  if (isTreatment(value) && value !== "generalize") {
    const grant: Grant = { treatment: value };
    checkAnswer({ source, problems, class: name }, at, { grant });
    return grant;
  }
  const [entry, second] = typeof value === "object" && value !== null ? Object.entries(value) : [];
  const word = entry?.[0];
  if (second !== undefined || (word !== "mask" && word !== "generalize")) {
    const isBare = isTreatment(value);
    problems.push(
      isBare
        ? barelyGeneralized(source, at)
        : entry && isTreatment(word)
          ? withoutOptions(source, at)
          : treatmentProblem(source, at, value),
    );
    return null;
  }
  const schema: z.ZodType<Options> = ceilingOptions[word];
  const checked = checkValue(schema, source, [...at, word], entry?.[1]);
  if (!checked.ok) {
    problems.push(...checked.refusal);
    return null;
  }
  const { profile, to } = checked.value;
  if (to !== undefined && !generalizationsOf(name).includes(to))
    problems.push(cannotGeneralize({ source, class: name }, [...at, word, "to"], to));
  const grant: Grant = { treatment: word, ...(profile && { profile }), ...(to && { to }) };
  checkAnswer({ source, problems, class: name }, [...at, word], { grant });
  return grant;
}

export function treatmentProblem(source: Source, at: YamlPath, value: unknown): Problem {
  if (typeof value === "string") return wordProblem(source, at, value);
  const hint = "mask, { mask: { profile: strict } }, { reveal: { purposes: [after_sales] }, else: mask }";
  return source.valueProblem(at, "unknown_treatment", "a treatment is one word, or one word with its options", hint);
}

function wordProblem(source: Source, at: YamlPath, word: string): Problem {
  return source.valueProblem(at, "unknown_treatment", `unknown treatment ${quote(word)}`, didYouMean(word, treatmentNames));
}

function barelyGeneralized(source: Source, at: YamlPath): Problem {
  return source.valueProblem(at, "wrong_value", "generalize to what?", "{ generalize: { to: year } }");
}

function withoutOptions(source: Source, at: YamlPath): Problem {
  return source.valueProblem(at, "wrong_value", "this treatment takes no options here", "write the word alone");
}

function cannotGeneralize({ source, class: name }: Pick<RuleReader, "source" | "class">, at: YamlPath, to: string): Problem {
  const possible = generalizationsOf(name);
  const hint = possible.length > 0 ? `one of ${possible.join(", ")}` : "mask it, or withhold it";
  return source.valueProblem(at, "bad_generalization", `a value of class ${name} cannot be made coarser to ${quote(to)}`, hint);
}

export function isTreatment(value: unknown): value is Treatment {
  const names: readonly unknown[] = treatmentNames;
  return names.includes(value);
}

function isOptional(word: string): word is keyof typeof ruleOptions {
  return Object.hasOwn(ruleOptions, word);
}
