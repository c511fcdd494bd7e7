/**
 * Dice that fall the same way for the same seed: mulberry32 over an FNV-1a hash. Good enough to shuffle a play, never for keys.
 */
export interface Dice {
  /** 0 ≤ n < `below`. */
  below(below: number): number;
  between(least: number, most: number): number;
  /** True once in `times`. */
  oneIn(times: number): boolean;
  pick<Item>(items: readonly Item[]): Item;
  /** `length` decimal digits. */
  digits(length: number): string;
  /** `length` characters of a–z and 0–9. */
  token(length: number): string;
}

const tokenAlphabet = [..."abcdefghijklmnopqrstuvwxyz0123456789"];

export function createDice(seed: string): Dice {
  let state = 0x811c9dc5;
  for (const character of seed) state = Math.imul(state ^ (character.codePointAt(0) ?? 0), 0x01000193);
  const next = (): number => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
  const below = (limit: number): number => Math.floor(next() * limit);
  const pick = <Item>(items: readonly Item[]): Item => {
    const item = items[below(items.length)];
    if (item === undefined) throw new RangeError("nothing to pick from");
    return item;
  };
  return {
    below,
    between: (least, most) => least + below(most - least + 1),
    oneIn: (times) => below(times) === 0,
    pick,
    digits: (length) => Array.from({ length }, () => below(10)).join(""),
    token: (length) => Array.from({ length }, () => pick(tokenAlphabet)).join(""),
  };
}
