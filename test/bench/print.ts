/** What a person sees of a run: a table of each scenario, what was saved before beside it, and the goals. */
import { compare } from "./compare.ts";
import { format, judge } from "./goals.ts";
import type { Result, Results } from "./results.ts";
import { shownOf } from "./scenarios.ts";

export function printResult(name: string, { machine, versions, rounds, seconds, rows }: Result): void {
  const { postgres, node } = versions;
  const database = postgres === undefined ? "" : `, Postgres ${postgres}, fsync on`;
  const effort = rounds === 0 ? "once" : `${rounds} rounds${seconds === 0 ? "" : ` of ${seconds} s`}, medians`;
  process.stdout.write(`\n${name}: ${machine.cores} × ${machine.cpu}, load ${machine.load}, Node ${node}${database}; ${effort}\n`);
  const columns = Object.keys(shownOf(name)?.columns ?? {}).filter((column) => rows.some((row) => column in row));
  console.table(rows, columns);
}

/** Nothing where nothing of it was saved. */
export function printComparison(saved: Results, now: Results): void {
  const differences = compare(saved, now);
  if (differences.length === 0) return;
  const days = [...new Set(Object.keys(now).map((name) => saved[name]?.at ?? "never"))].join(", ");
  process.stdout.write(`\nBeside what was saved (${days}):\n`);
  console.table(differences);
}

/** Of what was measured just now. */
export function printGoals(now: Results): void {
  const judged = judge(now).filter(({ measured }) => measured !== null);
  if (judged.length === 0) return;
  process.stdout.write("\nGoals, at 64 connections:\n");
  console.table(judged.map(({ measured, ...goal }) => ({ ...goal, measured: format(measured ?? 0) })));
}
