/**
 * Pseudonyms: the same value of the same class is the same name within a contract, and another one in every other contract. Under the contract's key,
 * over the normalized value, so that two spellings of one phone agree. Without the key nobody can try values.
 */
import { hmacSha256, toBase32, utf8 } from "../crypto/index.ts";

const characters = 26;

/** `p_` + 26 base32 characters of HMAC-SHA256(key, `p` ‖ 0 ‖ class ‖ 0 ‖ value). Throws on an empty key. */
export function pseudonymOf(key: Uint8Array, className: string, normalized: string): string {
  if (key.length === 0) throw new RangeError("no key for pseudonyms");
  return `p_${toBase32(hmacSha256(key, utf8(`p\u0000${className}\u0000${normalized}`))).slice(0, characters)}`;
}
