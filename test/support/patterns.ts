/**
 * Every regular expression that the product ships, and what it does to text that was written against it.
 */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import ts from "typescript";
import { cpuMilliseconds } from "./cpu-time.ts";
import { root } from "./repository.ts";

export interface Pattern {
  readonly file: string;
  readonly pattern: RegExp;
}

/** All literals under src. */
export function shippedPatterns(): Pattern[] {
  const files = readdirSync(join(root, "src"), { recursive: true, encoding: "utf8" }).filter((file) => file.endsWith(".ts"));
  return files.sort().flatMap((file) => patternsOf(file, readFileSync(join(root, "src", file), "utf8")));
}

export function patternsOf(file: string, source: string): Pattern[] {
  const found: Pattern[] = [];
  const visit = (node: ts.Node): void => {
    if (ts.isRegularExpressionLiteral(node)) found.push({ file, pattern: parse(node.text) });
    ts.forEachChild(node, visit);
  };
  visit(ts.createSourceFile(file, source, ts.ScriptTarget.Latest));
  return found;
}

function parse(literal: string): RegExp {
  const end = literal.lastIndexOf("/");
  return new RegExp(literal.slice(1, end), literal.slice(end + 1));
}

const lengths = [20, 24, 28, 40, 64, 96, 256, 2048] as const;
/** A linear pattern takes microseconds for the longest of them, a quadratic one a few milliseconds. */
const millisecondsMax = 60;
const usualPumps = ["a", "A", "1", " ", "-", ".", ",", "@", "/", "浙", "省", "[]", "1-", "a.", "a ", "A1"];
const pumpCharactersMax = 12;

/** A text that makes the pattern work too long, from short to long so that an exponential one is found before it hangs; `null` = none was found. */
export function attackOn({ pattern }: Pattern): string | null {
  const own = [...new Set(pattern.source.replaceAll(/\\[a-zA-Z](?:\{[^}]*\})?/g, ""))].slice(0, pumpCharactersMax);
  const pumps = new Set([...usualPumps, ...own, ...own.flatMap((first) => own.map((second) => first + second))]);
  for (const length of lengths) {
    for (const pump of pumps) {
      const run = pump.repeat(Math.ceil(length / pump.length));
      for (const text of [`${run}\u0000`, `a${run}!`])
        if (took(pattern, text) > millisecondsMax) return `${length} × ${JSON.stringify(pump)}`;
    }
  }
  return null;
}

/** The best of three where it is near the limit: the first may pay for others. */
function took(pattern: RegExp, text: string): number {
  let best = Number.POSITIVE_INFINITY;
  for (let attempt = 0; attempt < 3; attempt++) {
    best = Math.min(
      best,
      cpuMilliseconds(() => text.replace(pattern, "")),
    );
    if (best < millisecondsMax || best > 4 * millisecondsMax) break;
  }
  return best;
}
