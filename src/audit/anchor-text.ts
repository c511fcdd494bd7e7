/** How an anchored head is written: five lines of text that an operator can read. Origin, the epoch's beginning, size, then the range's hashes in base64. */
import { fromBase64, toBase64 } from "../crypto/index.ts";
import type { AnchoredHead } from "./anchor.ts";
import { hashesToBytes, parseRange } from "./tree.ts";

const first = "postern-anchor/1";

export function formatAnchor({ origin, begun, range }: AnchoredHead): string {
  return `${first}\n${origin}\n${begun}\n${range.size}\n${toBase64(hashesToBytes(range.hashes))}\n`;
}

/** Throws: an anchor that cannot be read must not pass for one that is not there. */
export function parseAnchor(text: string): AnchoredHead {
  const [format, origin = "", begun = "", size = "", hashes = "", ...rest] = text.split("\n");
  const range = /^[1-9][0-9]{0,15}$/.test(size) ? parseRange(Number(size), fromBase64(hashes)) : null;
  const isBegun = /^(0|[1-9][0-9]{0,15})$/.test(begun);
  if (format !== first || origin === "" || !isBegun || range === null || rest.length !== 1)
    throw new Error("the anchor holds what is not a head");
  return { origin, begun: Number(begun), range };
}
