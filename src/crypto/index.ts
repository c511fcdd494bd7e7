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
export { createSigner, type Signer, type VerifySignature, verifySignature } from "./ed25519.ts";
export { type Hashes, hkdfSha256, hmacSha256, portableHashes, sha256, useHashes } from "./hash.ts";
export { keyId, type OpenedJws, signJws, verifyJws } from "./jws.ts";
