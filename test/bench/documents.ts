/**
 * The tables and curves that documents show, made of the saved results. A document says where: what stands between `<!-- bench: NAME -->` and `<!-- end -->` is
 * replaced, NAME being a scenario's, or `goals`. Within a line `<!-- figure: SCENARIO COLUMN KEY=VALUE … -->` and `<!-- end -->` hold one figure, of the
 * first row that fits.
 */
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { root } from "../support/repository.ts";
import { format, judge } from "./goals.ts";
import { plot } from "./plot.ts";
import type { Cell, Result, Results, Row } from "./results.ts";
import { shownOf } from "./scenarios.ts";

const documents = ["docs/PERFORMANCE.md", "docs/SCALE.md"] as const;

const inLine = /(<!-- figure: ([a-z-]+) (\w+)((?: \w+=[^ ]+)*) -->)[^<]*<!-- end -->/g;
const block = /<!-- bench: ([a-z-]+) -->\n[\s\S]*?<!-- end -->/g;

/** What was never saved is said to be missing. Throws where a document asks for what is no scenario. */
export function fillIn(text: string, results: Results): string {
  return text
    .replace(block, (_whole, name: string) => `<!-- bench: ${name} -->\n${tableOf(name, results)}<!-- end -->`)
    .replace(inLine, (_whole, mark: string, name: string, column: string, where: string) => {
      const wanted = where.trim().split(" ").filter(Boolean);
      const row = results[name]?.rows.find((one) => wanted.every((pair) => pair === `${keyOf(pair)}=${one[keyOf(pair)]}`));
      return `${mark}${row ? cellOf(row, column) : "(not measured yet)"}<!-- end -->`;
    });
}

/** Path → what stands there, as the results have it. */
export function documentsOf(results: Results): Map<string, string> {
  const texts = documents.map((path) => [path, fillIn(readFileSync(join(root, path), "utf8"), results)] as const);
  return new Map([...texts, ...curvesOf(results)]);
}

export function writeDocuments(results: Results): void {
  for (const [path, text] of documentsOf(results)) writeFileSync(join(root, path), text);
}

/** A picture of each figure of growth. */
function curvesOf(results: Results): [path: string, svg: string][] {
  return figuresOf(results.growth).map((figure) => {
    const own = (results.growth?.rows ?? []).filter((row) => row.figure === figure);
    const points = own.map(({ size, value }) => ({ size: Number(size), value: Number(value) }));
    return [curvePath(figure), plot({ title: figure, unit: String(own[0]?.unit), points })];
  });
}

function figuresOf(growth: Result | undefined): string[] {
  return [...new Set((growth?.rows ?? []).map(({ figure }) => String(figure)))];
}

function curvePath(figure: string): string {
  return `docs/bench/growth-${figure.replace(/[^a-z]+/g, "-")}.svg`;
}

function pictureOf(figure: string): string {
  return `![${figure}](${curvePath(figure).replace("docs/", "")})`;
}

function tableOf(name: string, results: Results): string {
  if (name === "goals") return goalTable(results);
  const [shown, result] = [shownOf(name), results[name]];
  if (!shown) throw new Error(`a document shows ${name}, which is no scenario`);
  if (!result) return `Not measured yet: \`npm run bench -- ${name} --save\`.\n`;
  const columns = Object.entries(shown.columns).filter(([column]) => result.rows.some((row) => column in row));
  const heads = columns.map(([, head]) => head);
  const cells = result.rows.map((row) => columns.map(([column]) => cellOf(row, column)));
  const pictures = name === "growth" ? `\n${figuresOf(result).map(pictureOf).join("\n")}\n` : "";
  return `${conditions(result)}\n\n${markdown(heads, cells)}${pictures}`;
}

/** Where and when it was measured, in a line. */
function conditions({ at, machine, versions, rounds, seconds }: Result): string {
  const postgres = versions.postgres === undefined ? "" : `, Postgres ${versions.postgres}, fsync on`;
  const busy = machine.load === null ? "" : `, load ${machine.load} at the beginning`;
  const length =
    rounds === 0 ? "once" : `medians of ${rounds} ${rounds === 1 ? "round" : "rounds"}${seconds === 0 ? "" : ` of ${seconds} s`}`;
  return `${machine.cores} × ${machine.cpu}, Node ${versions.node}${postgres}; ${length}; ${at}${busy}.`;
}

function goalTable(results: Results): string {
  const said = (reached: boolean | null) => (reached === null ? "not measured" : reached ? "yes" : "**no**");
  return markdown(
    ["", "wanted", "measured", "reached"],
    judge(results).map(({ goal, wanted, measured, reached }) => [goal, wanted, measured === null ? "" : format(measured), said(reached)]),
  );
}

function keyOf(pair: string): string {
  return pair.slice(0, pair.indexOf("="));
}

function markdown(heads: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) => `| ${cells.join(" | ")} |\n`;
  return [line(heads), line(heads.map(() => "---")), ...rows.map(line)].join("");
}

function cellOf(row: Row, column: string): string {
  const value: Cell | undefined = row[column];
  if (typeof value === "number") return format(value);
  return value ?? "";
}
