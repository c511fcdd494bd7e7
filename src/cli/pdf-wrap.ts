/** Where a line of mixed Chinese and Latin text may break. Pure: widths come from the font. */

/** May not begin a line (GB/T 15834 and JIS X 4051 agree on these). */
const neverFirst = new Set("，。、；：！？）」』】》〉”’…,.;:!?)]}%");
const ideograph = /[\u2e80-\u9fff\uf900-\ufaff\uff00-\uffef]/u;

/** Lines of at most `width`. A word longer than a line is cut where it must be: digests and commitments have no spaces. */
export function wrap(text: string, width: number, widthOf: (text: string) => number): string[] {
  return text.split("\n").flatMap((line) => wrapLine(line, width, widthOf));
}

function wrapLine(text: string, width: number, widthOf: (text: string) => number): string[] {
  const lines: string[] = [];
  let line = "";
  for (const unit of unitsOf(text)) {
    if (widthOf((line + unit).trimEnd()) <= width) {
      line += unit;
      continue;
    }
    if (line.trim() !== "") lines.push(line.trimEnd());
    line = unit.trimStart();
    while (widthOf(line.trimEnd()) > width) {
      const fits = longestPrefix(line, width, widthOf);
      lines.push(line.slice(0, fits));
      line = line.slice(fits);
    }
  }
  return [...lines, line.trimEnd()];
}

/** A word with the space behind it, or one ideograph with the marks that must not begin a line. */
function unitsOf(text: string): string[] {
  const units: string[] = [];
  for (const character of text) {
    const before = units.at(-1);
    const joins = before !== undefined && (neverFirst.has(character) || character === " " || !breaksBetween(before, character));
    if (joins) units[units.length - 1] = before + character;
    else units.push(character);
  }
  return units;
}

function breaksBetween(before: string, character: string): boolean {
  const last = before.at(-1) ?? "";
  return last === " " || ideograph.test(character) || ideograph.test(last);
}

function longestPrefix(text: string, width: number, widthOf: (text: string) => number): number {
  let fits = 1;
  while (fits < text.length && widthOf(text.slice(0, fits + 1)) <= width) fits += 1;
  return fits;
}
