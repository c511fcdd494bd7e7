/**
 * Ed25519 (RFC 8032) by WebCrypto. Keys at rest are raw: a 32-byte seed, a 32-byte public key.
 */
import { concat, fromBase64Url, fromHex, toHex } from "./bytes.ts";

export interface Signer {
  /** 32 bytes. */
  readonly publicKey: Uint8Array;
  /** 64 bytes; deterministic: the same message gives the same signature. */
  sign(message: Uint8Array): Promise<Uint8Array>;
}

export type VerifySignature = (publicKey: Uint8Array, message: Uint8Array, signature: Uint8Array) => Promise<boolean>;

/** PKCS #8 header of an Ed25519 private key (RFC 8410 §7). */
const pkcs8Header = fromHex("302e020100300506032b657004220420");

/** The private key in PKCS #8. */
export function pkcs8Of(seed: Uint8Array): Uint8Array {
  return concat(pkcs8Header, seed);
}

/** `seed`: 32 bytes. Throws on another length. */
export async function createSigner(seed: Uint8Array): Promise<Signer> {
  if (seed.length !== 32) throw new RangeError("an Ed25519 seed has 32 bytes");
  const key = await crypto.subtle.importKey("pkcs8", pkcs8Of(seed) as Uint8Array<ArrayBuffer>, "Ed25519", true, ["sign"]);
  const jwk = await crypto.subtle.exportKey("jwk", key);
  return {
    publicKey: fromBase64Url(jwk.x ?? ""),
    sign: async (message) => new Uint8Array(await crypto.subtle.sign("Ed25519", key, message as Uint8Array<ArrayBuffer>)),
  };
}

/** False for a wrong signature and for a key that is none; never throws. */
export const verifySignature: VerifySignature = async (publicKey, message, signature) => {
  try {
    const key = await importedKey(publicKey);
    return await crypto.subtle.verify("Ed25519", key, signature as Uint8Array<ArrayBuffer>, message as Uint8Array<ArrayBuffer>);
  } catch {
    return false;
  }
};

const importedKeysMax = 256;
const importedKeys = new Map<string, Promise<CryptoKey>>();

/** Imported keys are inert, so they are kept; the oldest goes when the table is full. */
function importedKey(publicKey: Uint8Array): Promise<CryptoKey> {
  const name = toHex(publicKey);
  const known = importedKeys.get(name);
  if (known) return known;
  const imported = crypto.subtle.importKey("raw", publicKey as Uint8Array<ArrayBuffer>, "Ed25519", false, ["verify"]);
  imported.catch(() => importedKeys.delete(name));
  importedKeys.set(name, imported);
  if (importedKeys.size > importedKeysMax) {
    const oldest = importedKeys.keys().next();
    if (!oldest.done) importedKeys.delete(oldest.value);
  }
  return imported;
}
