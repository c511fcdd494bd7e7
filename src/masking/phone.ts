/**
 * Phones: one reading of every spelling (full-width, 一三八, 幺, `l38`, spaces, dashes, +86, 0086, an extension), used by the mask and by the search.
 * A number without a country is Chinese, and read by the Chinese numbering plan here; libphonenumber splits those with a country's code.
 */
import { parsePhoneNumberFromString } from "libphonenumber-js/min";
import { tidyText } from "./text.ts";

const unreadable = "****";

interface Phone {
  /** `other`: abroad, or a Chinese service number. */
  readonly kind: "mobile" | "landline" | "other";
  /** `86`, `44`. */
  readonly country: string;
  /** Digits after the country code, without a trunk 0. */
  readonly national: string;
  /** Digits of the extension: a privacy number's second half. */
  readonly extension: string;
}

const mobilePattern = /^1[3-9][0-9]{9}$/;

export function maskPhone(text: string): string {
  if (mobilePattern.test(text)) return maskMobile(text);
  const phone = readPhone(text);
  return phone === null ? unreadable : maskRead(phone) + (phone.extension === "" ? "" : "-****");
}

function maskMobile(digits: string): string {
  return `${digits.slice(0, 3)}****${digits.slice(-4)}`;
}

/** `138******78`, `0571****`, `+44 ****34`: two digits fewer, never an extension's presence. */
export function maskPhoneStrictly(text: string): string {
  const phone = readPhone(text);
  if (phone === null) return unreadable;
  const { kind, country, national } = phone;
  if (kind === "mobile") return `${national.slice(0, 3)}******${national.slice(-2)}`;
  if (kind === "landline") return `0${national.slice(0, areaCodeDigits(national))}****`;
  return `+${country} ****${tailOf(national).slice(-2)}`;
}

/** A text that nobody would take for another number: a Chinese mobile, or one with its country's code. */
export function isCertainPhone(text: string): boolean {
  if (mobilePattern.test(text)) return true;
  const phone = readPhone(text);
  return phone !== null && (phone.kind === "mobile" || /^[+＋]/.test(text.trim()));
}

/** Eleven digits; `null` = no Chinese mobile. */
export function readMobile(text: string): string | null {
  const phone = readPhone(text);
  return phone?.kind === "mobile" ? phone.national : null;
}

/** With its 0 and area code; `null` = no Chinese landline. */
export function readLandline(text: string): string | null {
  const phone = readPhone(text);
  return phone?.kind === "landline" && phone.extension === "" ? `0${phone.national}` : null;
}

function maskRead({ kind, country, national }: Phone): string {
  if (kind === "mobile") return maskMobile(national);
  if (kind === "landline") return `0${national.slice(0, areaCodeDigits(national))}****${national.slice(-2)}`;
  return `+${country} ****${tailOf(national)}`;
}

/** At least four digits stay hidden. */
function tailOf(national: string): string {
  if (national.length >= 8) return national.slice(-4);
  return national.length >= 6 ? national.slice(-2) : "";
}

/** 10 and 2x have two digits, the others three. */
function areaCodeDigits(national: string): number {
  return /^(?:10|2)/.test(national) ? 2 : 3;
}

/** E.164, with `;ext=` for an extension (RFC 3966); a text that is no phone: its digits. `null` = no digit. */
export function normalizePhone(text: string): string | null {
  const phone = mobilePattern.test(text) ? { country: "86", national: text, extension: "" } : readPhone(text);
  if (phone !== null) return `+${phone.country}${phone.national}${phone.extension === "" ? "" : `;ext=${phone.extension}`}`;
  const digits = text.length > digitsTextMax ? "" : plainDigits(text).replace(/[^0-9]/g, "");
  return digits === "" ? null : digits;
}

const digitsTextMax = 512;
const phoneCharactersMax = 64;
const extensionPattern = /^(.*[0-9)])\s*(?:转|轉|分机|ext\.?|x|#|,|;\s*ext\s*=)\s*([0-9]{1,8})$/i;
/** A privacy number's tail: eleven digits, a dash, four. */
const privacyPattern = /^(.*1[3-9][0-9]{9})\s*-\s*([0-9]{3,5})$/;
const separators = /[\s().·/_-]/g;
const chinesePattern = /^(?:(?:\+|00)?86)?0?(1[3-9][0-9]{9})$/;
const landlinePattern = /^(?:(?:\+|00)86)?0?((?:10|2[0-9])[2-8][0-9]{7}|[3-9][0-9]{2}[2-8][0-9]{6,7})$/;
/** Area codes that are assigned: what stands without a trunk 0 has to begin with one of them (numbering plan of the MIIT). */
const areaCodes = [
  "10|2[0-57-9]",
  "3(?:1[0-9]|35|49|5[0-9]|7[0-79]|9[1-68])",
  "4(?:1[1-9]|2[179]|3[1-9]|5[1-9]|6[47-9]|7[0-9]|8[23])",
  "5(?:1[0-9]|2[37]|3[0-9]|4[36]|5[0-9]|6[1-46]|7[0-9]|80|9[1-9])",
  "6(?:3[1-35]|6[0238]|9[12])",
  "7(?:01|1[0-9]|2[248]|3[014-9]|4[3-6]|5[0-9]|6[023689]|7[0-9]|9[0-9])",
  "8(?:1[236-8]|2[5-7]|3[0-9]|5[14-9]|7[0-9]|8[36-8]|9[1-8])",
  "9(?:0[1-3689]|1[1-79]|3[0-9]|4[13]|5[1-5]|7[0-79]|9[0-35-9])",
];
const areaPattern = new RegExp(`^(?:${areaCodes.join("|")})`);
/** Free and shared-cost numbers, and the short ones of banks and couriers. */
const servicePattern = /^(?:[48]00[0-9]{7}|95[0-9]{3,7})$/;

function readPhone(text: string): Phone | null {
  if (text.length > phoneCharactersMax) return null;
  const plain = plainDigits(text).replace(/^tel:/i, "");
  const tail = extensionPattern.exec(plain) ?? privacyPattern.exec(plain);
  const number = (tail?.[1] ?? plain).replace(separators, "");
  const extension = tail?.[2] ?? "";
  const mobile = chinesePattern.exec(number)?.[1];
  if (mobile !== undefined) return { kind: "mobile", country: "86", national: mobile, extension };
  if (!/^\+?[0-9]{5,17}$/.test(number)) return null;
  return /^(?:\+|00)(?!86)/.test(number) ? readForeign(number, extension) : readChinese(number, extension);
}

function readChinese(number: string, extension: string): Phone | null {
  const national = number.replace(/^(?:\+|00)86/, "");
  if (servicePattern.test(national)) return { kind: "other", country: "86", national, extension };
  const landline = landlinePattern.exec(number)?.[1];
  if (landline === undefined || (national === number && !number.startsWith("0") && !areaPattern.test(landline))) return null;
  return { kind: "landline", country: "86", national: landline, extension };
}

/** A possible number is enough: test and reserved ranges are not assigned. */
function readForeign(number: string, extension: string): Phone | null {
  const parsed = parsePhoneNumberFromString(number.replace(/^00/, "+"), { extract: false });
  if (!parsed?.isPossible()) return null;
  return { kind: "other", country: parsed.countryCallingCode, national: parsed.nationalNumber, extension };
}

const spokenDigits: Readonly<Record<string, string>> = {
  ...spell("0", "零〇○洞"),
  ...spell("1", "一幺么壹"),
  ...spell("2", "二两贰"),
  ...spell("3", "三叁"),
  ...spell("4", "四肆"),
  ...spell("5", "五伍"),
  ...spell("6", "六陆"),
  ...spell("7", "七柒拐"),
  ...spell("8", "八捌"),
  ...spell("9", "九玖勾"),
};
const spoken = new RegExp(`[${Object.keys(spokenDigits).join("")}]`, "g");

function spell(digit: string, characters: string): Record<string, string> {
  return Object.fromEntries(Array.from(characters, (character) => [character, digit]));
}

/** Zeros of scripts whose digits NFKC leaves alone: Arabic, Persian, Devanagari, Bengali, Thai. */
const zeros = [0x0660, 0x06f0, 0x0966, 0x09e6, 0x0e50] as const;
const otherDigits = /[\u0660-\u0669\u06f0-\u06f9\u0966-\u096f\u09e6-\u09ef\u0e50-\u0e59]/g;

/** ASCII digits for every way to write one, dashes as `-`; l, I, | and O count as digits where no other letter stands. */
function plainDigits(text: string): string {
  const plain = (tidyText(text) ?? "")
    .replace(spoken, (character) => spokenDigits[character] ?? "")
    .replace(otherDigits, (character) =>
      String(Math.min(...zeros.map((zero) => character.charCodeAt(0) - zero).filter((value) => value >= 0))),
    )
    .replace(/[\p{Pd}−]/gu, "-");
  return /^[^A-HJ-NP-Za-km-np-z]*$/.test(plain) ? plain.replace(/[lI|]/g, "1").replace(/[oO]/g, "0") : plain;
}
