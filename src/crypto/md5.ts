/** RFC 1321 and HMAC-MD5 (RFC 2104), for a merchant's API that takes no better. Broken for anything where somebody may choose what is digested. */
import { hmac } from "@noble/hashes/hmac.js";
import { md5 as nobleMd5 } from "@noble/hashes/legacy.js";

/** 16 bytes. */
export function md5(bytes: Uint8Array): Uint8Array {
  return nobleMd5(bytes);
}

/** 16 bytes. */
export function hmacMd5(key: Uint8Array, message: Uint8Array): Uint8Array {
  return hmac(nobleMd5, key, message);
}
