/**
 * The `Audit-Promise` header: what an answer's reader keeps, to hold the log to it later. An RFC 9651 dictionary:
 * `jws="…", id="…", i=3, path=:base64:` — the flush head, the entry's id, its position in the flush, and its path to the head's root.
 */
import { fromBase64, toBase64 } from "../crypto/index.ts";
import { hashBytes } from "./tree.ts";

export interface AuditPromise {
  readonly jws: string;
  readonly id: string;
  readonly position: number;
  /** Concatenated hashes, from the leaf up. */
  readonly path: Uint8Array;
}

/** Bounds what a file handed to the verifier may make it do. */
const promiseTextMax = 16_384;

/** `jws` and `id` are ours: base64url, dots, hyphens; nothing in them needs escaping. */
export function formatPromise(promise: AuditPromise): string {
  return `jws="${promise.jws}", id="${promise.id}", i=${promise.position}, path=:${toBase64(promise.path)}:`;
}

const memberPattern = /^([a-z*][a-z0-9_.*-]*)=(?:"([A-Za-z0-9_.~-]*)"|(-?[0-9]{1,15})|:([A-Za-z0-9+/]*={0,2}):)$/;

/** Members in any order; those that we do not know are passed over. `null` = not a promise. */
export function parsePromise(text: string): AuditPromise | null {
  if (text.length > promiseTextMax) return null;
  let jws: string | undefined;
  let id: string | undefined;
  let position: string | undefined;
  let path: string | undefined;
  for (const member of text.trim().split(/[ \t]*,[ \t]*/)) {
    const [, key, string, integer, bytes] = memberPattern.exec(member) ?? [];
    if (key === undefined) return null;
    if (key === "jws") jws = string;
    if (key === "id") id = string;
    if (key === "i") position = integer;
    if (key === "path") path = bytes;
  }
  if (jws === undefined || id === undefined || position === undefined || path === undefined || Number(position) < 0) return null;
  try {
    const hashes = fromBase64(path);
    return hashes.length % hashBytes === 0 ? { jws, id, position: Number(position), path: hashes } : null;
  } catch {
    return null;
  }
}
