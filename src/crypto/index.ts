export { type Aead, keyBytes, open, portableAead, randomBytes, seal } from "./aead.ts";
export {
  concat,
  equalBytes,
  fromBase64,
  fromBase64Url,
  fromHex,
  fromUtf8,
  toBase32,
  toBase64,
  toBase64Url,
  toHex,
  utf8,
} from "./bytes.ts";
export { canonicalBase64 } from "./canonical-base64.ts";
export { createSigner, type Signer, type VerifySignature, verifySignature } from "./ed25519.ts";
export { createSha256, type Hashes, hkdfSha256, hmacSha256, portableHashes, type RunningHash, sha256, useHashes } from "./hash.ts";
export { type NamedKey, type SealingKey, sealJwe, thumbprintOf } from "./jwe.ts";
export { keyId, type OpenedJws, signJws, verifyJws } from "./jws.ts";
export { hmacMd5, md5 } from "./md5.ts";
