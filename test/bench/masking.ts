/** What the masks do to other people's data, and how long the worst text takes: a table, not a load. */
import { classNames, maskProfiles, maskValue } from "../../src/masking/index.ts";
import { hostileTexts } from "../support/hostile-texts.ts";
import { measureMasks } from "../support/masking-data.ts";

/** The JSON form. */
export interface MaskingRow {
  readonly set: string;
  readonly promise: string;
  readonly of: number;
  readonly held: number;
  readonly percent: number;
}

export interface Masking {
  readonly data: readonly MaskingRow[];
  /** Of 64 KB of hostile text in one field, the worst class and text. */
  readonly hostile_64kb_ms: number;
}

const hostileCharacters = 65_536;

export function measureMasking(): Masking {
  const data = measureMasks().map(({ set, promise, of, held }) => ({ set, promise, of, held, percent: rounded((100 * held) / of, 2) }));
  return { data, hostile_64kb_ms: rounded(worstMilliseconds(), 2) };
}

function worstMilliseconds(): number {
  let worst = 0;
  for (const text of hostileTexts(hostileCharacters)) {
    for (const name of classNames) {
      for (const profile of maskProfiles) {
        const start = performance.now();
        maskValue(name, text, profile);
        worst = Math.max(worst, performance.now() - start);
      }
    }
  }
  return worst;
}

function rounded(value: number, digits: number): number {
  return Number(value.toFixed(digits));
}
