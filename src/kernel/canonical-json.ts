/**
 * RFC 8785 canonical JSON, restricted to what our signed and hashed texts hold: strings, safe integers, booleans, null, arrays, objects.
 * Fractions and integers past 2^53 are refused, because two parsers may read them differently.
 */
export type CanonicalValue =
  | string
  | number
  | boolean
  | null
  | readonly CanonicalValue[]
  | { readonly [key: string]: CanonicalValue | undefined };

/** The one text for `value`; keys sorted by UTF-16 code unit, `undefined` members left out. Throws a RangeError on a lone surrogate, a fraction, or an unsafe integer. */
export function canonicalJson(value: CanonicalValue): string {
  if (typeof value === "string") return quote(value);
  if (typeof value === "number") {
    if (!Number.isSafeInteger(value)) throw new RangeError("canonical JSON holds safe integers only");
    return Object.is(value, -0) ? "0" : String(value);
  }
  if (value === null || typeof value === "boolean") return String(value);
  if (isArray(value)) return `[${value.map(canonicalJson).join(",")}]`;
  let members = "";
  for (const key of sortedKeys(value)) {
    const member = value[key];
    if (member !== undefined) members += `${members === "" ? "" : ","}${quote(key)}:${canonicalJson(member)}`;
  }
  return `{${members}}`;
}

/** Most of our objects are written in order: to look is cheaper than to sort. */
function sortedKeys(value: object): string[] {
  const keys = Object.keys(value);
  for (let i = 1; i < keys.length; i++) {
    if ((keys[i - 1] ?? "") > (keys[i] ?? "")) return keys.sort();
  }
  return keys;
}

/** Visible ASCII that stands for itself: most of our texts, and four times faster than to ask. */
const plain = /^[ !#-[\]-~]*$/;

function quote(text: string): string {
  if (plain.test(text)) return `"${text}"`;
  if (!text.isWellFormed()) throw new RangeError("canonical JSON holds well-formed strings only");
  return JSON.stringify(text);
}

function isArray(value: CanonicalValue): value is readonly CanonicalValue[] {
  return Array.isArray(value);
}
