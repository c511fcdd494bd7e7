/**
 * Numbers that look like a person's and are nobody's: prefixes and county codes that are not allotted, with the check digits they ought to have.
 */
import type { Dice } from "./random.ts";

/** Mobile prefixes that no operator has. */
const mobilePrefixes = ["142", "143", "154"];
const areaCodes = ["010", "021", "0571", "0755", "0512", "028", "0915"];

/** Eleven digits; another for every `serial` below 10^8. */
export function mobile(dice: Dice, serial: number): string {
  return dice.pick(mobilePrefixes) + String((serial * 7_654_321 + 20_260_713) % 100_000_000).padStart(8, "0");
}

/** The ways in which people and older systems write a number down; mostly just its digits. */
export function spelledPhone(dice: Dice, serial: number): string {
  const digits = mobile(dice, serial);
  const [head, middle, tail] = [digits.slice(0, 3), digits.slice(3, 7), digits.slice(7)];
  const odd = [
    `${head} ${middle} ${tail}`,
    `${head}-${middle}-${tail}`,
    `+86 ${head} ${middle} ${tail}`,
    `+86${digits}`,
    `0086-${digits}`,
    `(+86)${digits}`,
    fullWidth(digits),
    `${digits}-${dice.digits(4)}`,
    landline(dice, "-"),
    landline(dice, " "),
  ];
  return dice.oneIn(4) ? dice.pick(odd) : digits;
}

function landline(dice: Dice, separator: string): string {
  const area = dice.pick(areaCodes);
  return `${area}${separator}${dice.between(5, 8)}${dice.digits(area === "0915" ? 6 : 7)}`;
}

function fullWidth(digits: string): string {
  return Array.from(digits, (digit) => String.fromCharCode(digit.charCodeAt(0) - 0x30 + 0xff10)).join("");
}

const weights = [7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2];
const checkCharacters = "10X98765432";

/** GB 11643: six digits of place, birth date, three of sequence, one to check. Places end in 99, which is no county. */
export function residentId(dice: Dice): string {
  const place = `${dice.pick(["11", "31", "32", "33", "44", "51", "61", "65"])}${dice.pick(["01", "02", "05"])}99`;
  const birth = `${dice.between(1955, 2005)}${two(dice.between(1, 12))}${two(dice.between(1, 28))}`;
  const body = place + birth + dice.digits(3);
  const sum = weights.reduce((total, weight, i) => total + weight * Number(body[i]), 0);
  return body + checkCharacters[sum % 11];
}

function two(value: number): string {
  return String(value).padStart(2, "0");
}
