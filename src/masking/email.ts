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
  const email = readEmail(text);
  return email === null ? unreadable : `${firstCharacter(email.local)}***@${email.domain}`;
}

/** `***@126.com`. */
export function maskEmailStrictly(text: string): string {
  const email = readEmail(text);
  return email === null ? unreadable : `***@${email.domain}`;
}

interface Email {
  readonly local: string;
  /** Stars where it would name a person. */
  readonly domain: string;
}

/** `null` = no address. */
export function readEmail(text: string): Email | null {
  const tidy = tidyText(text);
  const at = tidy?.lastIndexOf("@") ?? -1;
  if (tidy === null || at < 1) return null;
  const local = tidy.slice(0, at);
  const domain = tidy.slice(at + 1);
  if (local.length > localCharactersMax || domain.length > domainCharactersMax || !domainPattern.test(domain)) return null;
  if (/[\s@]/.test(local) && !/^".*"$/.test(local)) return null;
  return { local, domain: isPersonal(local.toLowerCase(), domain.toLowerCase()) ? "***" : domain };
}

/** Nothing of a local part of one character, and no sign or quote. */
function firstCharacter(local: string): string {
  if (/^[A-Za-z0-9][!-~]/.test(local)) return local.slice(0, 1);
  const characters = graphemes(local);
  const first = characters[0] ?? "";
  return characters.length > 1 && /^[\p{L}\p{N}]/u.test(first) ? first : "";
}

function isPersonal(local: string, domain: string): boolean {
  if (solitary.has(local) || (/\d/.test(domain) && /\d{7}/.test(domain))) return true;
  const labels = domain.slice(0, domain.lastIndexOf("."));
  return sharesWord(local, domain) || sharesWord(labels, local);
}

/** Whether a run of letters of `text`, long enough to be a name, stands in `other` as well. */
function sharesWord(text: string, other: string): boolean {
  if (!ascii.test(text)) return text.split(notLetters).some((part) => part.length >= fragmentCharactersMin && other.includes(part));
  let start = 0;
  for (let at = 0; at <= text.length; at++) {
    const code = text.charCodeAt(at);
    if (code >= 0x61 && code <= 0x7a) continue;
    if (at - start >= fragmentCharactersMin && other.includes(text.slice(start, at))) return true;
    start = at + 1;
  }
  return false;
}

const ascii = /^[\0-\x7f]*$/;

/** Case-folded whole: no provider in use tells two mailboxes apart by case. */
export function normalizeEmail(text: string): string | null {
  const folded = (tidyText(text) ?? "").replace(/\s*(?:@|艾特)\s*/g, "@").toLowerCase();
  return folded === "" ? null : folded;
}
