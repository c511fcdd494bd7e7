/**
 * Names of records. Outside the seal a record is named only by its locator, a keyed hash of its type and the merchant's own id;
 * a data subject is named by the locator of the record that stands for them.
 */
import { hmacSha256, toBase32, utf8 } from "../crypto/index.ts";
import type { Locator } from "../kernel/index.ts";
import type { IndexEntry } from "./postgres-index.ts";

/** HMAC-SHA256(locator key, type ‖ 0 ‖ id), 130 bits as 26 base32 characters. `id`: the merchant's, exact bytes. */
export function locatorOf(locatorKey: Uint8Array, type: string, id: string): Locator {
  return `r_${toBase32(hmacSha256(locatorKey, utf8(`${type}\u0000${id}`))).slice(0, 26)}` as Locator;
}

/** A record's rows of the blind index, under each of `keys`. */
export function indexEntriesOf(
  keys: readonly { readonly generation: number; readonly key: Uint8Array }[],
  { type, locator }: { readonly type: string; readonly locator: Locator },
  searchable: readonly { readonly field: string; readonly value: string }[],
): IndexEntry[] {
  return keys.flatMap(({ generation, key }) =>
    searchable.map(({ field, value }) => ({ type, locator, field, value: indexValueOf(key, type, field, value), generation })),
  );
}

/** HMAC-SHA256(index key, type ‖ 0 ‖ field ‖ 0 ‖ normalized value), 16 bytes: exact match, nothing else. */
export function indexValueOf(indexKey: Uint8Array, type: string, field: string, normalized: string): Uint8Array {
  return hmacSha256(indexKey, utf8(`${type}\u0000${field}\u0000${normalized}`)).subarray(0, 16);
}
