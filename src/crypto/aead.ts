/**
 * XChaCha20-Poly1305 (draft-irtf-cfrg-xchacha-03): 32-byte key, random 24-byte nonce in front, 16-byte tag at the end.
 * Two implementations give the same bytes: this one (synchronous JavaScript, every runtime) and `node-aead.ts` (OpenSSL).
 */
import { xchacha20poly1305 } from "@noble/ciphers/chacha.js";
import { concat } from "./bytes.ts";

export const keyBytes = 32;
export const nonceBytes = 24;
export const tagBytes = 16;

export interface Aead {
  /** ciphertext ‖ tag. */
  encrypt(key: Uint8Array, nonce: Uint8Array, aad: Uint8Array, plaintext: Uint8Array): Uint8Array;
  /** `null` = the tag does not match: another key, nonce, AAD, or changed bytes. */
  decrypt(key: Uint8Array, nonce: Uint8Array, aad: Uint8Array, ciphertext: Uint8Array): Uint8Array | null;
}

export const portableAead: Aead = {
  encrypt: (key, nonce, aad, plaintext) => xchacha20poly1305(key, nonce, aad).encrypt(plaintext),
  decrypt(key, nonce, aad, ciphertext) {
    if (ciphertext.length < tagBytes || nonce.length !== nonceBytes) return null;
    try {
      return xchacha20poly1305(key, nonce, aad).decrypt(ciphertext);
    } catch {
      return null;
    }
  },
};

/** nonce ‖ ciphertext ‖ tag, under a fresh random nonce. */
export function seal(aead: Aead, key: Uint8Array, aad: Uint8Array, plaintext: Uint8Array): Uint8Array {
  const nonce = randomBytes(nonceBytes);
  return concat(nonce, aead.encrypt(key, nonce, aad, plaintext));
}

/** `null` = it does not open: wrong key, wrong place, or changed bytes. */
export function open(aead: Aead, key: Uint8Array, aad: Uint8Array, sealed: Uint8Array): Uint8Array | null {
  if (sealed.length < nonceBytes + tagBytes) return null;
  return aead.decrypt(key, sealed.subarray(0, nonceBytes), aad, sealed.subarray(nonceBytes));
}

const poolBytes = 4_096;
let pool = new Uint8Array(0);
let poolAt = 0;

/** From the runtime's generator; small amounts are cut from a larger draw, because each draw costs a system call. No byte is given out twice. */
export function randomBytes(length: number): Uint8Array {
  if (length > poolBytes / 16) return crypto.getRandomValues(new Uint8Array(length));
  if (poolAt + length > pool.length) {
    pool = crypto.getRandomValues(new Uint8Array(poolBytes));
    poolAt = 0;
  }
  const bytes = pool.slice(poolAt, poolAt + length);
  pool.fill(0, poolAt, poolAt + length);
  poolAt += length;
  return bytes;
}
