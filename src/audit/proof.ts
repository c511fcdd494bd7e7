/**
 * C2SP tlog-proof (https://c2sp.org/tlog-proof): a leaf's place, its inclusion proof and the checkpoint that it leads to, as one text.
 * Here is its form alone; `receipt.ts` asks whether it holds.
 */
import { fromBase64, toBase64 } from "../crypto/index.ts";
import { hashBytes } from "./tree.ts";

const firstLine = "c2sp.org/tlog-proof@v1";
/** Bounds what a file handed to the verifier may make it do. */
const proofTextMax = 262_144;
/** A tree of 2^53 leaves is no higher. */
const hashesMax = 53;

export interface LogProof {
  /** The application's own, which nobody signed. `null` = none. */
  readonly extra: Uint8Array | null;
  readonly index: number;
  /** From the leaf's sibling up. */
  readonly hashes: readonly Uint8Array[];
  /** The note, verbatim. */
  readonly checkpoint: string;
}

export function formatProof({ extra, index, hashes, checkpoint }: LogProof): string {
  const extraLine = extra === null ? [] : [`extra ${toBase64(extra)}`];
  return `${[firstLine, ...extraLine, `index ${index}`, ...hashes.map(toBase64)].join("\n")}\n\n${checkpoint}`;
}

/** `null` = not of the form. */
export function parseProof(text: string): LogProof | null {
  const end = text.indexOf("\n\n");
  if (end < 0 || text.length > proofTextMax) return null;
  const [first, ...lines] = text.slice(0, end).split("\n");
  const [, extra] = /^extra (.*)$/.exec(lines[0] ?? "") ?? [];
  const [indexLine = "", ...hashLines] = extra === undefined ? lines : lines.slice(1);
  const [, index] = /^index (0|[1-9][0-9]{0,15})$/.exec(indexLine) ?? [];
  if (first !== firstLine || index === undefined || !Number.isSafeInteger(Number(index)) || hashLines.length > hashesMax) return null;
  try {
    const hashes = hashLines.map(fromBase64);
    if (hashes.some(({ length }) => length !== hashBytes)) return null;
    return { extra: extra === undefined ? null : fromBase64(extra), index: Number(index), hashes, checkpoint: text.slice(end + 2) };
  } catch {
    return null;
  }
}
