/** A place in a list, handed to the caller and taken back: opaque, and bound to who asked for what. */
import { equalBytes, fromBase64Url, hmacSha256, toBase64Url, utf8 } from "../crypto/index.ts";

const macBytes = 16;
const placePattern = /^[0-9]{1,15}$/;

/** `scope`: everything the place depends on, the principal and filter among it. */
export function sealCursor(key: Uint8Array, scope: string, place: number): string {
  const text = utf8(String(place));
  const cursor = new Uint8Array(macBytes + text.length);
  cursor.set(macOf(key, scope, place));
  cursor.set(text, macBytes);
  return toBase64Url(cursor);
}

/** `null` = not one of ours, or of another caller or filter. */
export function openCursor(key: Uint8Array, scope: string, cursor: string): number | null {
  try {
    const bytes = fromBase64Url(cursor);
    const text = new TextDecoder().decode(bytes.subarray(macBytes));
    if (!placePattern.test(text)) return null;
    return equalBytes(bytes.subarray(0, macBytes), macOf(key, scope, Number(text))) ? Number(text) : null;
  } catch {
    return null;
  }
}

function macOf(key: Uint8Array, scope: string, place: number): Uint8Array {
  return hmacSha256(key, utf8(`cursor\u0000${scope}\u0000${place}`)).subarray(0, macBytes);
}
