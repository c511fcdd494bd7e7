/** The body of `add-checkpoint` (https://c2sp.org/tlog-witness): an old size, a consistency proof from it, and the checkpoint that is to be cosigned. */
import { fromBase64, toBase64 } from "../crypto/index.ts";
import { hashBytes } from "./tree.ts";

const proofHashesMax = 63;
/** A checkpoint with a hundred signatures and a proof of that length have less. */
export const addCheckpointBytesMax = 65_536;

export interface AddCheckpoint {
  readonly old: number;
  readonly proof: readonly Uint8Array[];
  /** The checkpoint with its signatures. */
  readonly note: string;
}

export function formatAddCheckpoint({ old, proof, note }: AddCheckpoint): string {
  return `old ${old}\n${proof.map((hash) => `${toBase64(hash)}\n`).join("")}\n${note}`;
}

/** `null` = not of the form. */
export function parseAddCheckpoint(text: string): AddCheckpoint | null {
  const end = text.indexOf("\n\n");
  if (end < 0) return null;
  const [first = "", ...rows] = text.slice(0, end).split("\n");
  const [, size] = /^old (0|[1-9][0-9]{0,15})$/.exec(first) ?? [];
  const old = Number(size);
  if (size === undefined || !Number.isSafeInteger(old) || rows.length > proofHashesMax) return null;
  const proof: Uint8Array[] = [];
  for (const row of rows) {
    const hash = decoded(row);
    if (hash?.length !== hashBytes) return null;
    proof.push(hash);
  }
  return { old, proof, note: text.slice(end + 2) };
}

function decoded(text: string): Uint8Array | null {
  try {
    return fromBase64(text);
  } catch {
    return null;
  }
}
