/**
 * C2SP signed-note (https://c2sp.org/signed-note): a text and Ed25519 signatures of named keys under it.
 * A note is a string here; whoever reads bytes decodes them strictly first. What is signed here is of algorithm 0x01 (Ed25519), other lines are passed
 * over; witnesses' lines, of another algorithm, are `cosignature.ts`'s.
 */
import { concat, fromBase64, fromHex, type Signer, sha256, toBase64, toHex, utf8, type VerifySignature } from "../crypto/index.ts";
import { ok, type Result, refuse } from "../kernel/index.ts";

const ed25519Algorithm = 0x01;
const publicKeyBytes = 32;
const keyHashBytes = 4;
const signaturesMax = 100;
const dash = "— ";

/** A key under its name. `hash`: 8 hex digits, that a signature line carries. */
export interface NoteKey {
  readonly name: string;
  readonly hash: string;
  readonly publicKey: Uint8Array;
}

/** `name` may hold neither white space nor `+`. Throws a RangeError. */
export function noteKey(name: string, publicKey: Uint8Array): NoteKey {
  return namedKey(ed25519Algorithm, name, publicKey);
}

/** The text form of a verifier key: `name+hash+base64`. */
export function formatVkey(key: NoteKey): string {
  return formatKey(ed25519Algorithm, key);
}

/** `null` = not a vkey, or not of an Ed25519 key, or its hash does not belong to it. */
export function parseVkey(text: string): NoteKey | null {
  return parseKey(ed25519Algorithm, text);
}

/** The same for a 32-byte key of any algorithm, which the hash commits to. */
export function namedKey(algorithm: number, name: string, publicKey: Uint8Array): NoteKey {
  if (!isKeyName(name) || publicKey.length !== publicKeyBytes) throw new RangeError("not a name and key that can sign notes");
  const digest = sha256(concat(utf8(`${name}\n`), Uint8Array.of(algorithm), publicKey));
  return { name, hash: toHex(digest.subarray(0, keyHashBytes)), publicKey };
}

export function formatKey(algorithm: number, key: NoteKey): string {
  return `${key.name}+${key.hash}+${toBase64(concat(Uint8Array.of(algorithm), key.publicKey))}`;
}

export function parseKey(algorithm: number, text: string): NoteKey | null {
  const match = /^([^+]+)\+([0-9a-f]{8})\+([A-Za-z0-9+/]+=*)$/u.exec(text);
  const [, name, hash, encoded] = match ?? [];
  if (name === undefined || hash === undefined || encoded === undefined || !isKeyName(name)) return null;
  const bytes = decoded(encoded);
  if (bytes === null || bytes.length !== 1 + publicKeyBytes || bytes[0] !== algorithm) return null;
  const key = namedKey(algorithm, name, bytes.slice(1));
  return key.hash === hash ? key : null;
}

/** Signs `text`, which must end in a newline, under `name`. Ed25519 is deterministic: a repeat gives the same note. */
export async function signNote(text: string, name: string, signer: Signer): Promise<string> {
  if (!isNoteText(text) || !text.endsWith("\n")) throw new RangeError("not a text that a note can hold");
  const key = noteKey(name, signer.publicKey);
  const signature = await signer.sign(utf8(text));
  return `${text}\n${dash}${name} ${toBase64(concat(fromHex(key.hash), signature))}\n`;
}

export interface OpenedNote {
  readonly text: string;
  /** Those of the given keys whose signature stands and holds, each once. */
  readonly signedBy: readonly NoteKey[];
}

/** `malformed`: not a note. `unsigned`: by none of these keys. `wrong_signature`: one of these keys is named, and did not sign this. `ambiguous_key`: two of the given keys cannot be told apart. */
export type NoteRefusal = "malformed" | "unsigned" | "wrong_signature" | "ambiguous_key";

/** Verifies every signature line of a given key; one wrong line spoils the note. Lines of keys that were not given are passed over. */
export async function openNote(note: string, keys: readonly NoteKey[], verify: VerifySignature): Promise<Result<OpenedNote, NoteRefusal>> {
  const parts = signatureLines(note);
  if (parts === null) return refuse("malformed");
  const message = utf8(parts.text);
  const signedBy: NoteKey[] = [];
  for (const line of parts.lines) {
    const [key, ...others] = keys.filter((known) => known.name === line.name && known.hash === line.hash);
    if (others.length > 0) return refuse("ambiguous_key");
    if (key === undefined || signedBy.includes(key)) continue;
    if (!(await verify(key.publicKey, message, line.signature))) return refuse("wrong_signature");
    signedBy.push(key);
  }
  return signedBy.length > 0 ? ok({ text: parts.text, signedBy }) : refuse("unsigned");
}

/** The text that a note signs, without asking who signed it. `null` = not a note. */
export function noteText(note: string): string | null {
  return signatureLines(note)?.text ?? null;
}

export interface SignatureLine {
  readonly name: string;
  readonly hash: string;
  readonly signature: Uint8Array;
  /** The line as it stands, without its newline. */
  readonly row: string;
}

/** The text, and what stands under it. `null` = not a note. */
export function signatureLines(note: string): { readonly text: string; readonly lines: readonly SignatureLine[] } | null {
  const split = note.lastIndexOf("\n\n");
  if (split < 0 || !isNoteText(note) || !note.endsWith("\n")) return null;
  const rows = note.slice(split + 2, -1).split("\n");
  if (rows.length > signaturesMax) return null;
  const lines: SignatureLine[] = [];
  for (const row of rows) {
    const line = signatureLine(row);
    if (line === null) return null;
    lines.push(line);
  }
  return { text: note.slice(0, split + 1), lines };
}

function signatureLine(row: string): SignatureLine | null {
  if (!row.startsWith(dash)) return null;
  const [name, encoded, ...rest] = row.slice(dash.length).split(" ");
  if (name === undefined || encoded === undefined || rest.length > 0 || !isKeyName(name)) return null;
  const bytes = decoded(canonicalEnd(encoded));
  if (bytes === null || bytes.length <= keyHashBytes) return null;
  return { name, hash: toHex(bytes.subarray(0, keyHashBytes)), signature: bytes.slice(keyHashBytes), row };
}

const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/** The specification lets the unused last bits of a signature's base64 be anything; this clears them. */
function canonicalEnd(text: string): string {
  const padding = text.length - text.replace(/=+$/, "").length;
  if (padding !== 1 && padding !== 2) return text;
  const at = text.length - padding - 1;
  const value = alphabet.indexOf(text[at] ?? "");
  const unused = padding === 1 ? 4 : 16;
  return value < 0 ? text : text.slice(0, at) + alphabet[value - (value % unused)] + "=".repeat(padding);
}

function decoded(text: string): Uint8Array | null {
  try {
    return fromBase64(text);
  } catch {
    return null;
  }
}

function isKeyName(name: string): boolean {
  return name !== "" && name.isWellFormed() && !/[\s+\u0085]/u.test(name);
}

/** Well-formed, and no control character but the newline. */
function isNoteText(text: string): boolean {
  return text.isWellFormed() && !/[\u0000-\u0009\u000b-\u001f]/.test(text);
}
