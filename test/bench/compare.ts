/** A run beside the last one that was saved. */
import type { Cell, Result, Results, Row } from "./results.ts";
import { type Shown, shownOf } from "./scenarios.ts";

export interface Difference {
  readonly scenario: string;
  readonly row: string;
  readonly figure: string;
  readonly saved: number;
  readonly now: number;
  /** In percent of what was saved, and whether that is better or worse; within a tenth it is neither. */
  readonly change: string;
}

const tenth = 10;

/** Rows and figures that both have. */
export function compare(saved: Results, now: Results): Difference[] {
  return Object.entries(now).flatMap(([scenario, result]) => {
    const [shown, before] = [shownOf(scenario), saved[scenario]];
    return shown && before ? compareResults(shown, before, result).map((difference) => ({ scenario, ...difference })) : [];
  });
}

function compareResults({ keys, better }: Shown, saved: Result, now: Result): Omit<Difference, "scenario">[] {
  const keyOf = (row: Row) => keys.map((key) => row[key] ?? "").join(" · ");
  const before = new Map(saved.rows.map((row) => [keyOf(row), row]));
  return now.rows.flatMap((row) =>
    Object.entries(better).flatMap(([figure, direction]) => {
      const [last, latest] = [before.get(keyOf(row))?.[figure], row[figure]];
      if (typeof last !== "number" || typeof latest !== "number" || last === 0) return [];
      const change = changeOf(last, latest, direction === "more" || (direction === "unit" && isRate(row.unit)));
      return [{ row: keyOf(row), figure, saved: last, now: latest, change }];
    }),
  );
}

function changeOf(saved: number, now: number, moreIsBetter: boolean): string {
  const percent = Math.round((100 * (now - saved)) / saved);
  const judged = Math.abs(percent) < tenth ? "" : percent > 0 === moreIsBetter ? ", better" : ", worse";
  return `${percent > 0 ? "+" : ""}${percent} %${judged}`;
}

function isRate(unit: Cell | undefined): boolean {
  return typeof unit === "string" && unit.endsWith("/s");
}
