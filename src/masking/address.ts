/**
 * Addresses, always shown as one text: a Chinese one to its district (`浙江省杭州市西湖区****`), a US one to city, state and ZIP3
 * (`Denver, CO 802**`), an address object of another country to city, state and country. What cannot be read: `****`.
 */
import { isJsonObject, type Json } from "../kernel/index.ts";
import { type ChinesePlace, chinesePlace } from "./chinese-address.ts";
import { tidyText } from "./text.ts";
import { place, placeInUsText, usNames, type WesternPlace } from "./us-address.ts";

const stars = "****";
const parts = ["address1", "address2", "city", "state", "zip", "country"] as const;
type Address = { readonly [Part in (typeof parts)[number]]?: string | null };

type Place = ChinesePlace | WesternPlace;

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
  return shown(value, (place) => {
    if ("district" in place) return place.district + stars;
    const region = [...place.state, place.zip3 === undefined ? stars : `${place.zip3}**`].join(" ");
    return [...place.city, region, ...place.country].join(", ");
  });
}

/** To the prefecture; to the state. */
export function maskAddressStrictly(value: Json): string | null {
  return shown(value, (place) =>
    "district" in place ? place.city + stars : [[...place.state, stars].join(" "), ...place.country].join(", "),
  );
}

/** `浙江省杭州市西湖区`; `Denver, CO`. `null` = nothing is certain. */
export function addressDistrict(value: Json): string | null {
  return shown(value, (place) => ("district" in place ? place.district : cityOf(place))) || null;
}

/** `浙江省杭州市`; `Denver, CO`. */
export function addressCity(value: Json): string | null {
  return shown(value, (place) => ("district" in place ? place.city : cityOf(place))) || null;
}

function cityOf({ city, state, country }: WesternPlace): string {
  return [...city, ...state, ...country].join(", ");
}

/** A Chinese text, or `null` where the value is none. */
export function readHanAddress(value: Json): string | null {
  const tidy = typeof value === "string" ? tidyText(value) : null;
  return tidy !== null && isHan(tidy) ? tidy : null;
}

function shown(value: Json, show: (place: Place) => string): string | null {
  if (typeof value === "string") return show(placeOfText(value));
  const address = asAddress(value);
  return address === null ? null : show(placeOfObject(address));
}

const nowhere: Place = { district: "", city: "" };

function placeOfText(text: string): Place {
  const tidy = tidyText(text);
  if (tidy === null) return nowhere;
  return isHan(tidy) ? chinesePlace(tidy) : (placeInUsText(tidy) ?? nowhere);
}

function isHan(text: string): boolean {
  return /\p{Script=Han}/u.test(text);
}

function placeOfObject(address: Address): Place {
  const tidy = (part: keyof Address) => tidyText(address[part] ?? "") ?? "";
  const lines = [tidy("address1"), tidy("address2")];
  const whole = [tidy("state"), tidy("city"), ...lines].join("");
  if (isHan(whole)) return chinesePlace(whole);
  const isNew = (text: string) => !lines.includes(text);
  const country = place(tidy("country")).filter((name) => isNew(name) && !usNames.has(name.toLowerCase()));
  return {
    city: place(tidy("city")).filter(isNew),
    state: place(tidy("state")).filter(isNew),
    zip3: country.length === 0 ? /^([0-9]{3})[0-9]{2}(?:-?[0-9]{4})?$/.exec(tidy("zip"))?.[1] : undefined,
    country,
  };
}
