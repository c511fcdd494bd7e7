/**
 * What is wrong with a policy or contract file, where, and how to cure it.
 */
import { type Refusal, type Result, refuse } from "../kernel/index.ts";

export interface Problem {
  readonly file: string;
  /** Both from 1. */
  readonly line: number;
  readonly column: number;
  /** Stable. */
  readonly code: ProblemCode;
  readonly message: string;
  /** The cure, where one is known. */
  readonly hint?: string;
}

/** The last five are warned of alone; `unreachable_rule` is either. */
export const problemCodes = [
  "yaml",
  "too_large",
  "unknown_key",
  "missing",
  "wrong_value",
  "wildcard",
  "bad_path",
  "paths_overlap",
  "unknown_class",
  "unknown_treatment",
  "bad_generalization",
  "bad_derive",
  "bad_condition",
  "too_many_conditions",
  "else_not_less",
  "unreachable_rule",
  "unknown_resource",
  "unknown_field",
  "unknown_role",
  "extends_cycle",
  "extends_too_deep",
  "bad_date",
  "bad_zone",
  "bad_duration",
  "bad_hours",
  "bad_network",
  "bad_subject",
  "exceeds_contract",
  "unseen_field",
  "sees_more",
  "masks_join",
  "views_join",
] as const;

export type ProblemCode = (typeof problemCodes)[number] | CaseProblemCode;

/** Of case files alone. */
type CaseProblemCode = "other_policy" | "unknown_contract" | "unknown_record" | "name_twice";

/** `file:line:column: message (hint)`. */
export function describeProblem(problem: Problem): string {
  const hint = problem.hint === undefined ? "" : ` (${problem.hint})`;
  return `${problem.file}:${problem.line}:${problem.column}: ${problem.message}${hint}`;
}

const problemsMax = 50;

/** So many that nobody reads more of them: the reader stops, and finds the rest when these are cured. Each costs a search for what was meant. */
export function isFull(problems: readonly Problem[]): boolean {
  return problems.length >= problemsMax;
}

/** In the order of the file. */
export function inFileOrder(problems: readonly Problem[]): Problem[] {
  return problems.toSorted((a, b) => a.line - b.line || a.column - b.column);
}

/** `code`: of all of them, where it is not the problems' own. */
export function refuseFiles(found: readonly Problem[], code?: string): Result<never, Refusal> {
  const errors = found.map((problem) => ({
    pointer: `${problem.file}:${problem.line}:${problem.column}`,
    code: code ?? problem.code,
    message: describeProblem(problem),
  }));
  return refuse({ code: "unacceptable", errors });
}
