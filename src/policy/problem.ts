/**
 * What is wrong with a policy or contract file, where, and how to cure it.
 */
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

export type ProblemCode =
  | "yaml"
  | "too_large"
  | "unknown_key"
  | "missing"
  | "wrong_value"
  | "wildcard"
  | "bad_path"
  | "paths_overlap"
  | "unknown_class"
  | "unknown_treatment"
  | "unknown_resource"
  | "unknown_field"
  | "unknown_role"
  | "extends_cycle"
  | "bad_date"
  | "bad_zone"
  | "bad_duration"
  | "bad_subject";

/** `file:line:column: message (hint)`. */
export function describeProblem(problem: Problem): string {
  const hint = problem.hint === undefined ? "" : ` (${problem.hint})`;
  return `${problem.file}:${problem.line}:${problem.column}: ${problem.message}${hint}`;
}

/** In the order of the file. */
export function inFileOrder(problems: readonly Problem[]): Problem[] {
  return problems.toSorted((a, b) => a.line - b.line || a.column - b.column);
}

/** The candidate that `word` was probably meant to be; `undefined` = none is near. */
export function nearest(word: string, candidates: Iterable<string>): string | undefined {
  let best: string | undefined;
  let bestDistance = Math.max(1, Math.floor(word.length / 3)) + 1;
  for (const candidate of candidates) {
    const distance = editDistance(word.slice(0, 64), candidate.slice(0, 64));
    if (distance < bestDistance) [best, bestDistance] = [candidate, distance];
  }
  return best;
}

/** Insert, delete, replace, or swap two neighbours: one each. */
function editDistance(a: string, b: string): number {
  const rows = [Array.from({ length: b.length + 1 }, (_, index) => index)];
  const cell = (i: number, j: number) => rows[i]?.[j] ?? Number.POSITIVE_INFINITY;
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    rows.push(row);
    for (let j = 1; j <= b.length; j++) {
      const swapped = a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1] ? cell(i - 2, j - 2) + 1 : Number.POSITIVE_INFINITY;
      row.push(Math.min(cell(i - 1, j - 1) + (a[i - 1] === b[j - 1] ? 0 : 1), cell(i - 1, j) + 1, cell(i, j - 1) + 1, swapped));
    }
  }
  return cell(a.length, b.length);
}
