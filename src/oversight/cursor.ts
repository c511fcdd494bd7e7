/** Places in a list, handed to the caller and taken back: opaque, and bound to who asked for what. */
import { equalBytes, fromBase64Url, hmacSha256, toBase64Url, utf8 } from "../crypto/index.ts";

const macBytes = 16;
const placesPattern = /^[0-9]{1,15}(\.[0-9]{1,15}){0,3}$/;

/** `scope`: everything the places depend on, the principal and filter among it. */
export function sealCursor(key: Uint8Array, scope: string, places: readonly number[]): string {
  const text = places.join(".");
  const bytes = utf8(text);
  const cursor = new Uint8Array(macBytes + bytes.length);
  cursor.set(macOf(key, scope, text));
  cursor.set(bytes, macBytes);
  return toBase64Url(cursor);
}

/** `null` = not one of ours, or of another caller or filter. */
export function openCursor(key: Uint8Array, scope: string, cursor: string): readonly number[] | null {
  try {
    const bytes = fromBase64Url(cursor);
    const text = new TextDecoder().decode(bytes.subarray(macBytes));
    if (!placesPattern.test(text)) return null;
    return equalBytes(bytes.subarray(0, macBytes), macOf(key, scope, text)) ? text.split(".").map(Number) : null;
  } catch {
    return null;
  }
}

function macOf(key: Uint8Array, scope: string, text: string): Uint8Array {
  return hmacSha256(key, utf8(`cursor\u0000${scope}\u0000${text}`)).subarray(0, macBytes);
}
