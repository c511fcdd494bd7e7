/**
 * The little that src/crypto takes from every runtime (WebCrypto, Encoding). tsconfig.pure.json reads it in place of a runtime's own types,
 * so that pure folders may import crypto's functions. A lint rule keeps `crypto` itself out of them: randomness is passed in.
 */
interface CryptoKey {
  readonly type: "private" | "public" | "secret";
}

interface CryptoKeyPair {
  readonly publicKey: CryptoKey;
  readonly privateKey: CryptoKey;
}

interface JsonWebKey {
  readonly x?: string;
  readonly y?: string;
}

type AlgorithmIdentifier = object;

declare const crypto: {
  getRandomValues(bytes: Uint8Array<ArrayBuffer>): Uint8Array<ArrayBuffer>;
  readonly subtle: {
    importKey(
      format: "pkcs8" | "raw",
      key: Uint8Array<ArrayBuffer>,
      algorithm: "Ed25519",
      extractable: boolean,
      usages: readonly ("sign" | "verify")[],
    ): Promise<CryptoKey>;
    importKey(
      format: "jwk" | "raw",
      key: object,
      algorithm: object | "AES-KW",
      extractable: boolean,
      usages: readonly "wrapKey"[],
    ): Promise<CryptoKey>;
    exportKey(format: "jwk", key: CryptoKey): Promise<JsonWebKey>;
    generateKey(algorithm: object, extractable: boolean, usages: readonly ("encrypt" | "deriveBits")[]): Promise<CryptoKey | CryptoKeyPair>;
    deriveBits(algorithm: AlgorithmIdentifier, key: CryptoKey, bits: number): Promise<ArrayBuffer>;
    wrapKey(format: "raw", key: CryptoKey, under: CryptoKey, algorithm: object | "AES-KW"): Promise<ArrayBuffer>;
    encrypt(algorithm: object, key: CryptoKey, plaintext: Uint8Array<ArrayBuffer>): Promise<ArrayBuffer>;
    sign(algorithm: "Ed25519", key: CryptoKey, message: Uint8Array<ArrayBuffer>): Promise<ArrayBuffer>;
    verify(algorithm: "Ed25519", key: CryptoKey, signature: Uint8Array<ArrayBuffer>, message: Uint8Array<ArrayBuffer>): Promise<boolean>;
  };
};

declare class TextEncoder {
  encode(text: string): Uint8Array<ArrayBuffer>;
  encodeInto(text: string, into: Uint8Array): { readonly read: number; readonly written: number };
}

declare class TextDecoder {
  constructor(encoding: "utf-8", options: { readonly fatal: boolean; readonly ignoreBOM: boolean });
  decode(bytes: Uint8Array): string;
}
