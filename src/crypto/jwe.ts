/**
 * Compact JWE (RFC 7516) to somebody else's public key: what leaves with its owner, and what we cannot open again. Encrypting only.
 * ECDH-ES+A256KW (RFC 7518 §4.6) to a NIST curve, RSA-OAEP-256 (§4.3) to an RSA key; content always A256GCM under a key of its own.
 */
import { concat, toBase64Url, utf8 } from "./bytes.ts";
import { sha256 } from "./hash.ts";

export type SealingKey =
  | { readonly kty: "EC"; readonly crv: "P-256" | "P-384"; readonly x: string; readonly y: string }
  | { readonly kty: "RSA"; readonly n: string; readonly e: string };

/** What of a public JWK names it. */
export interface NamedKey {
  readonly kty: string;
  readonly crv?: unknown;
  readonly x?: unknown;
  readonly y?: unknown;
  readonly n?: unknown;
  readonly e?: unknown;
}

/** RFC 7638 §3.2, RFC 8037 §2: of the members that make the key, in their order; SHA-256, base64url. */
export function thumbprintOf({ kty, crv, x, y, n, e }: NamedKey): string {
  const members = kty === "EC" ? { crv, kty, x, y } : kty === "OKP" ? { crv, kty, x } : { e, kty, n };
  return toBase64Url(sha256(utf8(JSON.stringify(members))));
}

/** `typ` names what is inside. Throws a DOMException where the key is not one (a point that is not on its curve). */
export async function sealJwe(to: SealingKey, typ: string, plaintext: Uint8Array): Promise<string> {
  const { subtle } = crypto;
  const content = await subtle.generateKey({ name: "AES-GCM", length: 256 }, true, ["encrypt"]);
  const wrapped = to.kty === "EC" ? await agreeAndWrap(to, asKey(content)) : await encryptKey(to, asKey(content));
  const header = toBase64Url(utf8(JSON.stringify({ ...wrapped.header, enc: "A256GCM", kid: thumbprintOf(to), typ })));
  const iv = crypto.getRandomValues(new Uint8Array(12));
  const sealed = new Uint8Array(
    await subtle.encrypt({ name: "AES-GCM", iv, additionalData: copied(utf8(header)) }, asKey(content), copied(plaintext)),
  );
  const body = sealed.subarray(0, -tagBytes);
  return [header, ...[wrapped.key, iv, body, sealed.subarray(-tagBytes)].map(toBase64Url)].join(".");
}

const tagBytes = 16;

interface WrappedContentKey {
  readonly header: Readonly<Record<string, unknown>>;
  readonly key: Uint8Array;
}

async function encryptKey({ kty, n, e }: Extract<SealingKey, { kty: "RSA" }>, content: CryptoKey): Promise<WrappedContentKey> {
  const { subtle } = crypto;
  const key = await subtle.importKey("jwk", { kty, n, e }, { name: "RSA-OAEP", hash: "SHA-256" }, false, ["wrapKey"]);
  return { header: { alg: "RSA-OAEP-256" }, key: new Uint8Array(await subtle.wrapKey("raw", content, key, { name: "RSA-OAEP" })) };
}

async function agreeAndWrap({ kty, crv, x, y }: Extract<SealingKey, { kty: "EC" }>, content: CryptoKey): Promise<WrappedContentKey> {
  const { subtle } = crypto;
  const curve = { name: "ECDH", namedCurve: crv };
  const theirs = await subtle.importKey("jwk", { kty, crv, x, y }, curve, false, []);
  const ours = (await subtle.generateKey(curve, false, ["deriveBits"])) as CryptoKeyPair;
  const shared = new Uint8Array(await subtle.deriveBits(ecdhWith(theirs), ours.privateKey, crv === "P-256" ? 256 : 384));
  const wrapping = await subtle.importKey("raw", concatKdf(shared), "AES-KW", false, ["wrapKey"]);
  const epk = (await subtle.exportKey("jwk", ours.publicKey)) as JsonWebKey;
  return {
    header: { alg, epk: { kty, crv, x: epk.x, y: epk.y } },
    key: new Uint8Array(await subtle.wrapKey("raw", content, wrapping, "AES-KW")),
  };
}

const alg = "ECDH-ES+A256KW";

/** NIST SP 800-56A, one round of SHA-256: counter ‖ Z ‖ AlgorithmID ‖ PartyUInfo ‖ PartyVInfo ‖ key length in bits. */
function concatKdf(shared: Uint8Array): Uint8Array<ArrayBuffer> {
  const nobody = new Uint8Array(4);
  return copied(sha256(concat(number32(1), shared, number32(alg.length), utf8(alg), nobody, nobody, number32(256))));
}

function number32(value: number): Uint8Array {
  const bytes = new Uint8Array(4);
  new DataView(bytes.buffer).setUint32(0, value);
  return bytes;
}

function copied(bytes: Uint8Array): Uint8Array<ArrayBuffer> {
  return new Uint8Array(bytes);
}

/** A secret key, which the platform's types do not tell from a pair. */
function asKey(generated: CryptoKey | CryptoKeyPair): CryptoKey {
  return generated as CryptoKey;
}

/** Workers' types call the member `$public`; both runtimes read `public`. */
function ecdhWith(theirs: CryptoKey) {
  return { name: "ECDH", public: theirs } as unknown as AlgorithmIdentifier;
}
