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

/**
 * The one text for `value`; keys sorted by UTF-16 code unit, `undefined` members left out. Throws a RangeError on a lone surrogate, a fraction, or an unsafe integer.
 * Of a value in order, JSON.stringify writes what RFC 8785 §3.2 asks for: it is defined by ECMAScript's own serialization.
 */
export function canonicalJson(value: CanonicalValue): string {
  return isInOrder(value) ? JSON.stringify(value) : sortedJson(value);
}

/** Most of our objects are written in order: to look is cheaper than to sort. Throws as `canonicalJson` does. */
function isInOrder(value: CanonicalValue | undefined): boolean {
  if (typeof value === "string") return checkText(value);
  if (typeof value === "number") return checkNumber(value);
  if (typeof value !== "object" || value === null) return true;
  if (isArray(value)) return value.every(isInOrder);
  let before = "";
  for (const key in value) {
    if (key < before || !checkText(key) || !isInOrder(value[key])) return false;
    before = key;
  }
  return true;
}

function sortedJson(value: CanonicalValue): string {
  if (typeof value !== "object" || value === null) return canonicalJson(value);
  if (isArray(value)) return `[${value.map(sortedJson).join(",")}]`;
  const members = Object.keys(value)
    .sort()
    .flatMap((key) => {
      const member = value[key];
      return member === undefined ? [] : [`${canonicalJson(key)}:${canonicalJson(member)}`];
    });
  return `{${members.join(",")}}`;
}

function checkText(text: string): true {
  if (!text.isWellFormed()) throw new RangeError("canonical JSON holds well-formed strings only");
  return true;
}

function checkNumber(number: number): true {
  if (!Number.isSafeInteger(number)) throw new RangeError("canonical JSON holds safe integers only");
  return true;
}

function isArray(value: CanonicalValue): value is readonly CanonicalValue[] {
  return Array.isArray(value);
}
