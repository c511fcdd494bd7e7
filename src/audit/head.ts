/**
 * A flush head: what a writer signs once for all entries that it hands in together. Signed before they are numbered, it fixes their bytes and their order.
 * A compact JWS of typ `postern-head` over canonical JSON.
 */
import * as z from "zod";
import { fromBase64, type Signer, signJws, toBase64, type VerifySignature, verifyJws } from "../crypto/index.ts";
import { canonicalJson } from "../kernel/index.ts";

const headTyp = "postern-head";

export interface Head {
  /** The log's origin. */
  readonly origin: string;
  /** `w_` + 16 base32 characters. */
  readonly writer: string;
  /** The writer's number of the flush's first entry. */
  readonly n: number;
  /** Entries in this flush. */
  readonly size: number;
  /** RFC 6962 root over their leaf hashes. */
  readonly root: Uint8Array;
  /** Milliseconds since 1970. */
  readonly t: number;
  /** Maximum merge delay in seconds: by then they are in the tree. */
  readonly mmd: number;
}

const count = z.number().int().min(0);
const payloadSchema = z.strictObject({
  origin: z.string().min(1).max(256),
  writer: z.string().regex(/^w_[a-z2-7]{16}$/),
  n: count,
  size: count.min(1),
  root: z.string().regex(/^[A-Za-z0-9+/]{43}=$/),
  t: count,
  mmd: count,
});

export function signHead(head: Head, signer: Signer): Promise<string> {
  const { origin, writer, n, size, root, t, mmd } = head;
  return signJws(signer, headTyp, canonicalJson({ mmd, n, origin, root: toBase64(root), size, t, writer }));
}

/** `keys`: by kid. `null` = not a head, or not signed by one of these keys. */
export async function openHead(jws: string, keys: ReadonlyMap<string, Uint8Array>, verify: VerifySignature): Promise<Head | null> {
  const opened = await verifyJws(jws, headTyp, keys, verify);
  if (opened === null) return null;
  try {
    const parsed = payloadSchema.safeParse(JSON.parse(opened.payload));
    // A second text of the same meaning would let one flush have two heads.
    if (!parsed.success || canonicalJson(parsed.data) !== opened.payload) return null;
    return { ...parsed.data, root: fromBase64(parsed.data.root) };
  } catch {
    return null;
  }
}
