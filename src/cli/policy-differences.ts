/** Differences between two bundles, as a table. */
import type { Difference } from "../policy/index.ts";
import { columns, plain } from "./output.ts";

const cellCharactersMax = 80;

/** One line for each; what is wider first. */
export function describeDifferences(differences: readonly Difference[]): string {
  const rows = differences.map((difference) => {
    const { direction, what, role = "", type = "", field = "", purposes, before, after, at } = difference;
    const place = [at?.before, at?.after].map((found) => (found ? `${found.file}:${found.line}` : "–")).join(" → ");
    const only = purposes ? `for ${purposes.join(", ")}` : "";
    const shown = what === "treatment" ? "" : what;
    return [direction, role, type, field, shown, `${cut(before)} → ${cut(after)}`, only, at?.before || at?.after ? place : ""];
  });
  const order = ["widened", "changed", "narrowed"];
  const sorted = rows.toSorted(([a = ""], [b = ""]) => order.indexOf(a) - order.indexOf(b));
  return columns([["", "role", "type", "field", "what", "before → after", "", "where"], ...sorted.map((row) => row.map(plain))]);
}

/** `3 widened, 1 changed (counts as widened), 2 narrowed`. */
export function countDifferences(differences: readonly Difference[]): string {
  const count = (direction: Difference["direction"]) => differences.filter((difference) => difference.direction === direction).length;
  const parts = [
    [count("widened"), "widened"],
    [count("changed"), "changed, which counts as widened"],
    [count("narrowed"), "narrowed"],
  ] as const;
  const said = parts.flatMap(([number, word]) => (number > 0 ? [`${number} ${word}`] : []));
  return said.length > 0 ? said.join("; ") : "nothing that anybody sees is changed";
}

function cut(text: string): string {
  return text.length > cellCharactersMax ? `${text.slice(0, cellCharactersMax - 1)}…` : text;
}
