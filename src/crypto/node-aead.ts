/**
 * The same XChaCha20-Poly1305 through OpenSSL, on Node only: HChaCha20 derives the subkey (draft-irtf-cfrg-xchacha-03 §2.3),
 * the native ChaCha20-Poly1305 does the rest. About four times faster at 2 kB; a test proves the bytes equal.
 */
import { createCipheriv, createDecipheriv } from "node:crypto";
import { hchacha } from "@noble/ciphers/chacha.js";
import { type Aead, keyBytes, nonceBytes, tagBytes } from "./aead.ts";

const algorithm = "chacha20-poly1305";
const options = { authTagLength: tagBytes } as const;
/** "expand 32-byte k" as little-endian words. */
const sigma = new Uint32Array([0x61707865, 0x3320646e, 0x79622d32, 0x6b206574]);

export const nodeAead: Aead = {
  encrypt(key, nonce, aad, plaintext) {
    if (key.length !== keyBytes || nonce.length !== nonceBytes)
      throw new RangeError("XChaCha20-Poly1305 takes a key of 32 bytes and a nonce of 24");
    const cipher = createCipheriv(algorithm, subkey(key, nonce), innerNonce(nonce), options);
    cipher.setAAD(aad, { plaintextLength: plaintext.length });
    const body = cipher.update(plaintext);
    cipher.final();
    const out = new Uint8Array(body.length + tagBytes);
    out.set(body);
    out.set(cipher.getAuthTag(), body.length);
    return out;
  },
  decrypt(key, nonce, aad, ciphertext) {
    if (ciphertext.length < tagBytes || nonce.length !== nonceBytes || key.length !== keyBytes) return null;
    const end = ciphertext.length - tagBytes;
    const decipher = createDecipheriv(algorithm, subkey(key, nonce), innerNonce(nonce), options);
    decipher.setAAD(aad, { plaintextLength: end });
    decipher.setAuthTag(ciphertext.subarray(end));
    const body = decipher.update(ciphertext.subarray(0, end));
    try {
      decipher.final();
    } catch {
      return null;
    }
    return new Uint8Array(body.buffer, body.byteOffset, body.length); // a Buffer's `slice` would be a view
  },
};

// Scratch, written anew by each call: everything here is synchronous, and OpenSSL copies what it is given. It saves eight small arrays a call.
const keyWords = new Uint32Array(8);
const keyScratch = new Uint8Array(keyWords.buffer);
const nonceWords = new Uint32Array(4);
const nonceScratch = new Uint8Array(nonceWords.buffer);
const subkeyWords = new Uint32Array(8);
const subkeyScratch = new Uint8Array(subkeyWords.buffer);
const innerNonceScratch = new Uint8Array(12);

/** HChaCha20 of the key and the first 16 bytes of the nonce. Copies first, because bytes need not be aligned to words. */
function subkey(key: Uint8Array, nonce: Uint8Array): Uint8Array {
  keyScratch.set(key);
  for (let i = 0; i < 16; i++) nonceScratch[i] = nonce[i] ?? 0;
  hchacha(sigma, keyWords, nonceWords, subkeyWords);
  keyWords.fill(0);
  return subkeyScratch;
}

/** Four zero bytes and the last eight of the nonce. */
function innerNonce(nonce: Uint8Array): Uint8Array {
  for (let i = 0; i < 8; i++) innerNonceScratch[i + 4] = nonce[i + 16] ?? 0;
  return innerNonceScratch;
}
