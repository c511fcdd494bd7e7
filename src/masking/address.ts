/**
 * Addresses, always masked to one text: a Chinese one to its district (`浙江省杭州市西湖区****`), a US one to city, state and ZIP3
 * (`Denver, CO 802**`), an address object of another country to city, state and country. What cannot be read: `****`.
 */
import { isJsonObject, type Json } from "../kernel/index.ts";
import { chinesePrefix } from "./chinese-address.ts";
import { tidyText } from "./text.ts";

const stars = "****";
const parts = ["address1", "address2", "city", "state", "zip", "country"] as const;
type Address = { readonly [Part in (typeof parts)[number]]?: string | null };

/** A text, or an object of texts under the six names and no other. */
export function isAddress(value: Json): boolean {
  return typeof value === "string" || asAddress(value) !== null;
}

function asAddress(value: Json): Address | null {
  if (!isJsonObject(value)) return null;
  const names: readonly string[] = parts;
  const fits = Object.keys(value).every((key) => names.includes(key) && (value[key] === null || typeof value[key] === "string"));
  return fits ? (value as Address) : null;
}

export function maskAddress(value: Json): string | null {
  if (typeof value === "string") return maskAddressText(value);
  const address = asAddress(value);
  return address === null ? null : maskAddressObject(address);
}

function maskAddressText(text: string): string {
  const tidy = tidyText(text);
  if (tidy === null) return stars;
  return /\p{Script=Han}/u.test(tidy) ? chinesePrefix(tidy) + stars : maskUsText(tidy);
}

const stateZip = /^([A-Z]{2}) ([0-9]{3})[0-9]{2}(?:-[0-9]{4})?$/;
const usNames = new Set(["usa", "us", "u.s.", "u.s.a.", "united states", "united states of america"]);

function maskUsText(text: string): string {
  const pieces = text.split(",").map((piece) => piece.trim());
  if (usNames.has((pieces.at(-1) ?? "").toLowerCase())) pieces.pop();
  const last = stateZip.exec(pieces.at(-1) ?? "");
  if (last === null) return stars;
  return [...place(pieces.at(-2)), `${last[1]} ${last[2]}**`].join(", ");
}

function maskAddressObject(address: Address): string {
  const tidy = (part: keyof Address) => tidyText(address[part] ?? "") ?? "";
  const lines = [tidy("address1"), tidy("address2")];
  const whole = [tidy("state"), tidy("city"), ...lines].join("");
  if (/\p{Script=Han}/u.test(whole)) return chinesePrefix(whole) + stars;
  const isNew = (text: string) => !lines.includes(text);
  const city = place(tidy("city")).filter(isNew);
  const state = place(tidy("state")).filter(isNew);
  const country = place(tidy("country")).filter((name) => isNew(name) && !usNames.has(name.toLowerCase()));
  const zip3 = country.length === 0 ? /^([0-9]{3})[0-9]{2}(?:-?[0-9]{4})?$/.exec(tidy("zip"))?.[1] : undefined;
  const region = [...state, zip3 === undefined ? stars : `${zip3}**`].join(" ");
  return [...city, region, ...country].join(", ");
}

const placePattern = /^\p{L}[\p{L}\p{M} .'’-]{1,39}$/u;
const streetWord = /\b(?:street|road|avenue|drive|lane|boulevard|court|suite|apartment|floor|house|unit|highway|parkway|terrace)\b/i;
const streetEnding = /\b(?:st|rd|ave|ln|dr|blvd|ct|way|sq|pl|apt|box)\.?$/i;

/** The name of a city, state or country, as a list of one; empty where it reads like something else. */
function place(text: string | undefined): string[] {
  if (text === undefined || !placePattern.test(text)) return [];
  return streetWord.test(text) || (text.length > 2 && streetEnding.test(text)) ? [] : [text];
}
