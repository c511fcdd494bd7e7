/**
 * E-mail: first character, `***`, domain. A domain that repeats the local part, names a mailbox of one, or holds a long number is masked as well.
 */
import { graphemes, tidyText } from "./text.ts";

const unreadable = "***";
const localCharactersMax = 64;
const domainCharactersMax = 253;

const domainPattern = /^(?=[^.])(?:[\p{L}\p{M}\p{N}-]{1,63}\.)+[\p{L}\p{M}\p{N}-]{2,63}$/u;
/** Local parts that say: this domain is one person's. */
const solitary = new Set(["me", "i", "hi", "hello", "mail", "email", "contact", "info", "admin", "post", "home"]);
const notLetters = /[^\p{L}\p{M}]+/u;
const fragmentCharactersMin = 3;

export function maskEmail(text: string): string {
  const tidy = tidyText(text);
  const at = tidy?.lastIndexOf("@") ?? -1;
  if (tidy === null || at < 1) return unreadable;
  const local = tidy.slice(0, at);
  const domain = tidy.slice(at + 1);
  if (local.length > localCharactersMax || domain.length > domainCharactersMax || !domainPattern.test(domain)) return unreadable;
  if (/[\s@]/.test(local) && !/^".*"$/.test(local)) return unreadable;
  const shownDomain = isPersonal(local.toLowerCase(), domain.toLowerCase()) ? "***" : domain;
  return `${firstCharacter(local)}***@${shownDomain}`;
}

/** Nothing of a local part of one character, and no sign or quote. */
function firstCharacter(local: string): string {
  const characters = graphemes(local);
  const first = characters[0] ?? "";
  return characters.length > 1 && /^[\p{L}\p{N}]/u.test(first) ? first : "";
}

function isPersonal(local: string, domain: string): boolean {
  if (/\d{7}/.test(domain) || solitary.has(local)) return true;
  const labels = words(domain.slice(0, domain.lastIndexOf(".")));
  return words(local).some((part) => domain.includes(part)) || labels.some((label) => local.includes(label));
}

function words(text: string): string[] {
  return text.split(notLetters).filter((part) => part.length >= fragmentCharactersMin);
}

/** Case-folded whole: no provider in use tells two mailboxes apart by case. */
export function normalizeEmail(text: string): string | null {
  const folded = (tidyText(text) ?? "").replace(/\s*(?:@|艾特)\s*/g, "@").toLowerCase();
  return folded === "" ? null : folded;
}
