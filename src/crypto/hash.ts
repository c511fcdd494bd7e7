/**
 * SHA-256 (FIPS 180-4), HMAC-SHA256 (RFC 2104), HKDF-SHA256 (RFC 5869). Synchronous on every runtime.
 * Two implementations give the same bytes: this one (JavaScript, every runtime) and `node-hash.ts` (OpenSSL), which a Node entry puts in its place.
 */
import { hkdf } from "@noble/hashes/hkdf.js";
import { hmac } from "@noble/hashes/hmac.js";
import { sha256 as nobleSha256 } from "@noble/hashes/sha2.js";

/** Both answer 32 bytes. */
export interface Hashes {
  sha256(bytes: Uint8Array): Uint8Array;
  hmacSha256(key: Uint8Array, message: Uint8Array): Uint8Array;
}

export const portableHashes: Hashes = {
  sha256: (bytes) => nobleSha256(bytes),
  hmacSha256: (key, message) => hmac(nobleSha256, key, message),
};

let hashes = portableHashes;

/** Once, by an entry, before anything is hashed. The bytes stay the same, so this changes nothing but the time. */
export function useHashes(implementation: Hashes): void {
  hashes = implementation;
}

/** 32 bytes. */
export function sha256(bytes: Uint8Array): Uint8Array {
  return hashes.sha256(bytes);
}

export interface RunningHash {
  update(bytes: Uint8Array): void;
  /** 32 bytes; nothing can be added after it. */
  finish(): Uint8Array;
}

/** Of what does not fit into memory at once. */
export function createSha256(): RunningHash {
  const running = nobleSha256.create();
  return { update: (bytes) => void running.update(bytes), finish: () => running.digest() };
}

/** 32 bytes. */
export function hmacSha256(key: Uint8Array, message: Uint8Array): Uint8Array {
  return hashes.hmacSha256(key, message);
}

export function hkdfSha256(secret: Uint8Array, salt: Uint8Array, info: Uint8Array, lengthBytes: number): Uint8Array {
  return hkdf(nobleSha256, secret, salt, info, lengthBytes);
}
