/**
 * What our own functions make of Wycheproof's vectors, as data in and data out, so that the same question is asked of every runtime.
 * Bytes are hex. This file runs in workerd too: nothing of Node's here.
 */
import { createLocalJWKSet, type JSONWebKeySet } from "jose";
import { type Aead, concat, equalBytes, fromHex, hkdfSha256, hmacSha256, toHex, verifySignature } from "../../src/crypto/index.ts";
import { createSignatureCheck, signatureAlgorithms } from "../../src/identity/issuers.ts";
import { usableKeys } from "../../src/identity/key-set.ts";
import { readCompact } from "../../src/identity/token-form.ts";

export interface Vectors {
  readonly xchacha: {
    readonly key: string;
    readonly iv: string;
    readonly aad: string;
    readonly msg: string;
    readonly ct: string;
    readonly tag: string;
  };
  readonly hkdf: { readonly ikm: string; readonly salt: string; readonly info: string; readonly size: number };
  readonly hmac: { readonly key: string; readonly msg: string; readonly tag: string };
  readonly ed25519: { readonly pk: string; readonly msg: string; readonly sig: string };
  /** What signs access tokens: the runtime's WebCrypto, which jose asks. `der`: a SubjectPublicKeyInfo. */
  readonly token: { readonly alg: keyof typeof tokenAlgorithms; readonly der: string; readonly msg: string; readonly sig: string };
  readonly jws: { readonly text: string; readonly alg: string; readonly kid: string; readonly keys: JSONWebKeySet };
}

export interface Answers {
  /** `opened`: `null` where it does not open. `seals`: whether sealing gives just these bytes. */
  readonly xchacha: { readonly opened: string | null; readonly seals: boolean };
  /** `null`: no such output. */
  readonly hkdf: string | null;
  readonly hmac: boolean;
  readonly ed25519: boolean;
  readonly token: boolean;
  /** `formed`: it has the form of a token at all. */
  readonly jws: { readonly formed: boolean; readonly holds: boolean };
}

const tokenAlgorithms = {
  ES256: { name: "ECDSA", namedCurve: "P-256", hash: "SHA-256" },
  RS256: { name: "RSASSA-PKCS1-v1_5", hash: "SHA-256" },
  PS256: { name: "RSA-PSS", hash: "SHA-256", saltLength: 32 },
} as const;

export type Primitive = keyof Vectors;

/** Answers in the order of the vectors. */
export type AskAll = <Name extends Primitive>(primitive: Name, vectors: readonly Vectors[Name][]) => Promise<Answers[Name][]>;

/** This runtime's. */
export function answersBy(aead: Aead): AskAll {
  const answers: { readonly [Name in Primitive]: (vector: Vectors[Name]) => Answers[Name] | Promise<Answers[Name]> } = {
    xchacha({ key, iv, aad, msg, ct, tag }) {
      const sealed = concat(fromHex(ct), fromHex(tag));
      const opened = aead.decrypt(fromHex(key), fromHex(iv), fromHex(aad), sealed);
      const made = orNull(() => aead.encrypt(fromHex(key), fromHex(iv), fromHex(aad), fromHex(msg)));
      return { opened: opened && toHex(opened), seals: made !== null && equalBytes(made, sealed) };
    },
    hkdf({ ikm, salt, info, size }) {
      const made = orNull(() => hkdfSha256(fromHex(ikm), fromHex(salt), fromHex(info), size));
      return made && toHex(made);
    },
    /** Some tags are cut to 128 bits. */
    hmac: ({ key, msg, tag }) => equalBytes(hmacSha256(fromHex(key), fromHex(msg)).subarray(0, tag.length / 2), fromHex(tag)),
    ed25519: ({ pk, msg, sig }) => verifySignature(fromHex(pk), fromHex(msg), fromHex(sig)),
    async token({ alg, der, msg, sig }) {
      const algorithm = tokenAlgorithms[alg];
      try {
        const key = await crypto.subtle.importKey("spki", bytesOf(der), algorithm, false, ["verify"]);
        return await crypto.subtle.verify(algorithm, key, bytesOf(sig), bytesOf(msg));
      } catch {
        return false;
      }
    },
    async jws({ text, alg, kid, keys }) {
      const check = createSignatureCheck(createLocalJWKSet(usableKeys(keys)), signatureAlgorithms);
      return { formed: readCompact(text) !== null, holds: (await check(text, { alg, kid })).ok };
    },
  };
  return (primitive, vectors) => Promise.all(vectors.map((vector) => answers[primitive](vector)));
}

function bytesOf(hex: string): Uint8Array<ArrayBuffer> {
  return new Uint8Array(fromHex(hex));
}

function orNull(make: () => Uint8Array): Uint8Array | null {
  try {
    return make();
  } catch {
    return null;
  }
}
