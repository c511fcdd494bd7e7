/**
 * A record is a few ciphertexts, one per sensitivity level of its fields, each under its data subject's key.
 * Plaintext: one flag byte (`j`: JSON.parse reads it exactly; `l`: it holds numbers that need the lossless reader), the JSON text,
 * then ISO/IEC 7816-4 padding (0x80 0x00…) up to a bucket, so that a length says little.
 */
import { type Aead, fromUtf8, open, seal, utf8 } from "../crypto/index.ts";
import { type ContractId, canonicalJson, holdsNumberText, type JsonObject, type Locator, parseJson, printJson } from "../kernel/index.ts";

const format = 1;
export const levelsMax = 4;

/** What the AAD binds: a ciphertext moved to another place does not open. */
export interface Place {
  readonly contract: ContractId;
  readonly subject: string;
  readonly type: string;
  readonly locator: Locator;
  readonly level: number;
  readonly version: number;
}

export function sealLevel(aead: Aead, subjectKey: Uint8Array, place: Place, document: JsonObject): Uint8Array {
  const text = utf8(`${holdsNumberText(document) ? "l" : "j"}${printJson(document)}`);
  const padded = new Uint8Array(bucketOf(text.length + 1));
  padded.set(text);
  padded[text.length] = 0x80;
  return seal(aead, subjectKey, aadOf(place), padded);
}

/** `null` = it does not open: another key, another place, an older version of the row, or changed bytes. */
export function openLevel(aead: Aead, subjectKey: Uint8Array, place: Place, sealed: Uint8Array): JsonObject | null {
  const padded = open(aead, subjectKey, aadOf(place), sealed);
  if (!padded) return null;
  const text = fromUtf8(padded.subarray(0, padded.lastIndexOf(0x80)));
  return (text[0] === "j" ? JSON.parse(text.slice(1)) : parseJson(text.slice(1))) as JsonObject;
}

function aadOf({ contract, subject, type, locator, level, version }: Place): Uint8Array {
  return utf8(canonicalJson([contract, subject, type, locator, level, format, version]));
}

/** Bytes: steps of 32 up to 256, of 128 up to 2 KiB, then of 1 KiB. */
function bucketOf(length: number): number {
  const step = length <= 256 ? 32 : length <= 2048 ? 128 : 1024;
  return Math.ceil(length / step) * step;
}
