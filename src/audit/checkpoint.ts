/**
 * C2SP tlog-checkpoint (https://c2sp.org/tlog-checkpoint): a signed note that says how long a log is and what its root is.
 * We write no extension lines; those of others are kept.
 */
import { fromBase64, type Signer, toBase64, type VerifySignature } from "../crypto/index.ts";
import { ok, type Result, refuse } from "../kernel/index.ts";
import { type NoteKey, type NoteRefusal, noteText, openNote, signNote } from "./note.ts";
import { hashBytes } from "./tree.ts";

export interface Checkpoint {
  readonly origin: string;
  readonly size: number;
  readonly root: Uint8Array;
  /** Lines after the root, each without its newline. */
  readonly extensions: readonly string[];
}

/** The note's text. */
export function formatCheckpoint(checkpoint: Checkpoint): string {
  const lines = [checkpoint.origin, String(checkpoint.size), toBase64(checkpoint.root), ...checkpoint.extensions];
  return `${lines.join("\n")}\n`;
}

/** `null` = not a checkpoint: a size with a leading zero or past 2^53, a root that is not canonical base64 of 32 bytes, an empty line. */
export function parseCheckpoint(text: string): Checkpoint | null {
  if (!text.endsWith("\n")) return null;
  const [origin, size, root, ...extensions] = text.slice(0, -1).split("\n");
  if (origin === undefined || size === undefined || root === undefined) return null;
  if (origin === "" || extensions.includes("") || !/^(0|[1-9][0-9]{0,15})$/.test(size) || !Number.isSafeInteger(Number(size))) return null;
  try {
    const bytes = fromBase64(root);
    return bytes.length === hashBytes ? { origin, size: Number(size), root: bytes, extensions } : null;
  } catch {
    return null;
  }
}

/** Signs under the log's own name, which is its origin. */
export function signCheckpoint(checkpoint: Checkpoint, signer: Signer): Promise<string> {
  return signNote(formatCheckpoint(checkpoint), checkpoint.origin, signer);
}

/** Opens the note under `keys`, then reads it. */
export async function openCheckpoint(
  note: string,
  keys: readonly NoteKey[],
  verify: VerifySignature,
): Promise<Result<Checkpoint, NoteRefusal>> {
  const opened = await openNote(note, keys, verify);
  if (!opened.ok) return opened;
  const checkpoint = parseCheckpoint(opened.value.text);
  return checkpoint === null ? refuse("malformed") : ok(checkpoint);
}

/** What the note says, whoever signed it. `null` = not a checkpoint. */
export function peekCheckpoint(note: string): Checkpoint | null {
  const text = noteText(note);
  return text === null ? null : parseCheckpoint(text);
}
