/**
 * A service key as its holder has it: `psk_`, its id (80 bits), `_`, its secret (256 bits), and six characters that tell a mistyped one from one that was
 * never made. Base32, so that it is one word everywhere; scanners for leaked secrets find it by `psk_[a-z2-7]{16}_[a-z2-7]{58}`.
 */
import { randomBytes, sha256, toBase32, utf8 } from "../crypto/index.ts";

/** What stands where others have the name of their issuer; no issuer may be called so. */
export const serviceIssuer = "service-key";

const pattern = /^psk_([a-z2-7]{16})_([a-z2-7]{52})([a-z2-7]{6})$/;
const checkCharacters = 6;

export interface ShownKey {
  readonly id: string;
  /** Of the whole text. Its preimage has 256 random bits, so it needs no salt and no slow hash. */
  readonly digest: Uint8Array;
}

/** `id` absent: a new one. */
export function mintKey(id = toBase32(randomBytes(10))): ShownKey & { readonly text: string } {
  const body = `psk_${id}_${toBase32(randomBytes(32))}`;
  const text = body + checkOf(body);
  return { id, text, digest: sha256(utf8(text)) };
}

/** `null` = no service key, or one that was mistyped. */
export function readKey(text: string): ShownKey | null {
  const [, id] = pattern.exec(text) ?? [];
  const body = text.slice(0, -checkCharacters);
  return id !== undefined && text === body + checkOf(body) ? { id, digest: sha256(utf8(text)) } : null;
}

function checkOf(body: string): string {
  return toBase32(sha256(utf8(body))).slice(0, checkCharacters);
}
