/**
 * Texts of bytes. base64 is strict (RFC 4648 §3.5: canonical, padded); base64url and base32 carry no padding.
 */
import { bytesToHex, concatBytes, hexToBytes } from "@noble/hashes/utils.js";
import { base32nopad, base64 as base64Coder, base64urlnopad } from "@scure/base";

/** A lone surrogate becomes U+FFFD. Small texts are cut from Buffer's pool: TextEncoder allocates for each. */
export function utf8(text: string): Uint8Array {
  const buffer = Buffer.from(text);
  return new Uint8Array(buffer.buffer, buffer.byteOffset, buffer.length); // a Buffer's `slice` would be a view
}

export const concat = concatBytes;
export const toHex = bytesToHex;
export const fromHex = hexToBytes;

export function toBase64(bytes: Uint8Array): string {
  return base64Coder.encode(bytes);
}

/** Throws on anything but canonical, padded base64. */
export function fromBase64(text: string): Uint8Array {
  return base64Coder.decode(text);
}

export function toBase64Url(bytes: Uint8Array): string {
  return base64urlnopad.encode(bytes);
}

export function fromBase64Url(text: string): Uint8Array {
  return base64urlnopad.decode(text);
}

/** Lower-case RFC 4648 base32. */
export function toBase32(bytes: Uint8Array): string {
  return base32nopad.encode(bytes).toLowerCase();
}

const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** Throws a TypeError on bytes that are not UTF-8. */
export function fromUtf8(bytes: Uint8Array): string {
  return decoder.decode(bytes);
}

/** Byte equality whose time does not depend on where the difference lies. */
export function equalBytes(a: Uint8Array, b: Uint8Array): boolean {
  if (a.length !== b.length) return false;
  let difference = 0;
  for (let i = 0; i < a.length; i++) difference |= (a[i] ?? 0) ^ (b[i] ?? 0);
  return difference === 0;
}
