/**
 * Texts of bytes. base64 is strict (RFC 4648 §3.5: canonical, padded); base64url and base32 carry no padding.
 */
import { bytesToHex, concatBytes, hexToBytes } from "@noble/hashes/utils.js";
import { base32nopad, base64 as base64Coder, base64urlnopad } from "@scure/base";

const encoder = new TextEncoder();
const slabBytes = 16_384;
const pooledCharactersMax = 2_048;
const bytesPerCharacterMax = 3;
let slab = new Uint8Array(slabBytes);
let slabAt = 0;

/** A lone surrogate becomes U+FFFD. Short texts are cut from a slab, no byte twice, because each array of its own costs an allocation outside the heap. */
export function utf8(text: string): Uint8Array {
  if (text.length > pooledCharactersMax) return encoder.encode(text);
  if (slabAt + text.length * bytesPerCharacterMax > slabBytes) {
    slab = new Uint8Array(slabBytes);
    slabAt = 0;
  }
  const { written } = encoder.encodeInto(text, slab.subarray(slabAt));
  const start = slabAt;
  slabAt += written;
  return slab.subarray(start, slabAt);
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
