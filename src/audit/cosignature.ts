/**
 * C2SP tlog-cosignature v1 (https://c2sp.org/tlog-cosignature): a witness's word that, at a time, a checkpoint was the longest it had seen of a log
 * that only grows. A signature line under the checkpoint's note: key hash ‖ time (64 bits, big-endian) ‖ Ed25519 over the text below. No ML-DSA.
 */
import { concat, fromHex, type Signer, toBase64, utf8, type VerifySignature } from "../crypto/index.ts";
import { formatKey, type NoteKey, namedKey, parseKey, signatureLines } from "./note.ts";

const cosignatureAlgorithm = 0x04;
const timeBytes = 8;
const signatureBytes = 64;

/** A witness's key under its name. Its hash differs from that of the same key as a log's: the one cannot be taken for the other. */
export interface WitnessKey extends NoteKey {
  readonly signs: "cosignature/v1";
}

/** Throws a RangeError for a name that no note can hold. */
export function witnessKey(name: string, publicKey: Uint8Array): WitnessKey {
  return { ...namedKey(cosignatureAlgorithm, name, publicKey), signs: "cosignature/v1" };
}

export function formatWitnessVkey(key: WitnessKey): string {
  return formatKey(cosignatureAlgorithm, key);
}

/** `null` = not a verifier key of cosignatures v1. */
export function parseWitnessVkey(text: string): WitnessKey | null {
  const key = parseKey(cosignatureAlgorithm, text);
  return key && { ...key, signs: "cosignature/v1" };
}

/** The signature line, with its newline. `text`: the checkpoint's, without signatures. `time`: seconds since 1970. */
export async function cosign(text: string, { name, signer, time }: { name: string; signer: Signer; time: number }): Promise<string> {
  const { hash } = witnessKey(name, signer.publicKey);
  const stamp = new Uint8Array(timeBytes);
  new DataView(stamp.buffer).setBigUint64(0, BigInt(time));
  return `— ${name} ${toBase64(concat(fromHex(hash), stamp, await signer.sign(messageOf(text, String(time)))))}\n`;
}

export interface Cosignature {
  readonly key: WitnessKey;
  /** Seconds since 1970. */
  readonly time: number;
  /** The line as it stood, with its newline. */
  readonly line: string;
}

/** Those of `keys` that cosigned the note, each once. A line that does not hold counts for nothing: whoever carries a note could have added it. */
export async function openCosignatures(note: string, keys: readonly WitnessKey[], verify: VerifySignature): Promise<Cosignature[]> {
  const parts = signatureLines(note);
  const found: Cosignature[] = [];
  for (const { name, hash, signature, row } of parts?.lines ?? []) {
    const key = keys.find((known) => known.name === name && known.hash === hash);
    if (parts === null || key === undefined || found.some((other) => other.key === key)) continue;
    if (signature.length !== timeBytes + signatureBytes) continue;
    const time = new DataView(signature.buffer, signature.byteOffset).getBigUint64(0);
    if (time > BigInt(Number.MAX_SAFE_INTEGER)) continue;
    const holds = await verify(key.publicKey, messageOf(parts.text, String(time)), signature.subarray(timeBytes));
    if (holds) found.push({ key, time: Number(time), line: `${row}\n` });
  }
  return found;
}

function messageOf(text: string, time: string): Uint8Array {
  return utf8(`cosignature/v1\ntime ${time}\n${text}`);
}
