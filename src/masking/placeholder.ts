/**
 * Values of ours that stand in for a customer's. Whoever writes must not put one where the value itself was: a program that reads a record, changes one field and
 * sends all of it back would. `林**`, `138****5678`, `b***@mail.example`, `[敏感:健康]`, pseudonyms and locators; anything with two stars, or one behind a letter or a digit
 * at a word's end. What is coarser (`1990`, `西湖区`) has no mark of its own: it is known by the record that it was shown for.
 */
import { sensitiveTexts } from "./sensitive.ts";

const stars = /\*\*|[\p{L}\p{N}]\*(?![\p{L}\p{N}])|^\*$/u;
/** Pseudonyms, and the names that records and subjects have here. */
const tokens = /(?<![a-z0-9_])[a-z]_[a-z2-7]{26}(?![a-z0-9])/;
const hidden = sensitiveTexts.sensitive.slice(0, -1);

/** Is it one, or is one in it? In any width of its characters. */
export function holdsPlaceholder(text: string): boolean {
  const plain = text.normalize("NFKC");
  return stars.test(plain) || tokens.test(plain) || plain.includes(hidden);
}
