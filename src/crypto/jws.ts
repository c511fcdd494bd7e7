/**
 * Compact JWS (RFC 7515) with one algorithm, EdDSA over Ed25519 (RFC 8037), for heads and certificates: our own signatures under keys we name.
 * Access tokens of other people's issuers are not read here (identity/).
 */
import { fromBase64Url, fromUtf8, toBase64Url, utf8 } from "./bytes.ts";
import type { Signer, VerifySignature } from "./ed25519.ts";
import { sha256 } from "./hash.ts";

/** `kid` of an Ed25519 key: 16 base64url characters of SHA-256 over the raw public key. */
export function keyId(publicKey: Uint8Array): string {
  return toBase64Url(sha256(publicKey)).slice(0, 16);
}

/** Signs `payload` (a JSON text). The header is fixed but for `typ`. */
export async function signJws(signer: Signer, typ: string, payload: string): Promise<string> {
  const header = `{"alg":"EdDSA","kid":"${keyId(signer.publicKey)}","typ":"${typ}"}`;
  const input = `${toBase64Url(utf8(header))}.${toBase64Url(utf8(payload))}`;
  return `${input}.${toBase64Url(await signer.sign(utf8(input)))}`;
}

export interface OpenedJws {
  readonly kid: string;
  readonly payload: string;
}

/** Verifies under the key that `keys` holds for the header's `kid`. `null` = not ours: bad form, other `typ` or algorithm, unknown key, wrong signature. */
export async function verifyJws(
  jws: string,
  typ: string,
  keys: ReadonlyMap<string, Uint8Array>,
  verify: VerifySignature,
): Promise<OpenedJws | null> {
  const [head, body, signature, ...rest] = jws.split(".");
  if (head === undefined || body === undefined || signature === undefined || rest.length > 0) return null;
  try {
    const header = JSON.parse(fromUtf8(fromBase64Url(head))) as { alg?: unknown; kid?: unknown; typ?: unknown };
    if (header.alg !== "EdDSA" || header.typ !== typ || typeof header.kid !== "string") return null;
    const key = keys.get(header.kid);
    if (!key || !(await verify(key, utf8(`${head}.${body}`), fromBase64Url(signature)))) return null;
    return { kid: header.kid, payload: fromUtf8(fromBase64Url(body)) };
  } catch {
    return null;
  }
}
