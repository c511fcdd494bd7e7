/**
 * A merchant's credential at rest: sealed under a key that follows from the contract's locator key, which never leaves the contract, is never rotated and
 * dies at the purge. It is bound to the contract, the connector's name and the connector's own text: whoever changes where a connector leads, in the
 * database, has a connector whose credential does not open.
 */
import { type Aead, fromUtf8, hkdfSha256, keyBytes, open, seal, sha256, toHex, utf8 } from "../crypto/index.ts";
import { type ContractId, canonicalJson } from "../kernel/index.ts";

export interface CredentialPlace {
  readonly contract: ContractId;
  readonly name: string;
  readonly compiled: string;
}

const bucketBytes = 256;

export function sealCredential(aead: Aead, locatorKey: Uint8Array, place: CredentialPlace, credential: string): Uint8Array {
  const text = utf8(JSON.stringify(credential));
  const padded = new Uint8Array(Math.ceil(text.length / bucketBytes) * bucketBytes).fill(0x20);
  padded.set(text);
  return withKey(locatorKey, place, (key) => seal(aead, key, aadOf(place), padded));
}

/** `null` = it does not open. */
export function openCredential(aead: Aead, locatorKey: Uint8Array, place: CredentialPlace, sealed: Uint8Array): string | null {
  const padded = withKey(locatorKey, place, (key) => open(aead, key, aadOf(place), sealed));
  return padded && (JSON.parse(fromUtf8(padded)) as string);
}

function withKey<Made>(locatorKey: Uint8Array, { contract }: CredentialPlace, use: (key: Uint8Array) => Made): Made {
  const key = hkdfSha256(locatorKey, utf8(contract), utf8("connector"), keyBytes);
  try {
    return use(key);
  } finally {
    key.fill(0);
  }
}

function aadOf({ contract, name, compiled }: CredentialPlace): Uint8Array {
  return utf8(canonicalJson([contract, "connector", name, toHex(sha256(utf8(compiled)))]));
}
