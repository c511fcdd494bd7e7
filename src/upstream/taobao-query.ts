/**
 * Taobao's TOP, as its documentation has it: the parameters sorted by name, name and value one behind the other, and a digest of that in upper-case hex:
 *   md5          MD5(secret ‖ text ‖ secret)
 *   hmac         HMAC-MD5(secret, text)
 *   hmac-sha256  HMAC-SHA256(secret, text)
 * MD5 is here because that is what TOP takes; nothing of ours rests on it.
 */
import { hmacMd5, hmacSha256, md5, toHex, utf8 } from "../crypto/index.ts";

export interface TaobaoCredential {
  readonly key: string;
  readonly secret: string;
  /** The seller's authorization. `null` = what is asked needs none. */
  readonly session: string | null;
}

export type TaobaoDigest = "md5" | "hmac" | "hmac-sha256";

/** app_key:app_secret:session, the last of which may be left out. `null` = another form. */
export function readTaobaoCredential(credential: string): TaobaoCredential | null {
  const [, key, secret, session = null] = /^([^:]+):([^:]+)(?::([^:]+))?$/.exec(credential) ?? [];
  return key === undefined || secret === undefined ? null : { key, secret, session };
}

/** With all that TOP wants of every question, and the signature. */
export function signedForTaobao(
  query: Readonly<Record<string, string>>,
  { key, secret, session }: TaobaoCredential,
  { digest, nowMs }: { readonly digest: TaobaoDigest; readonly nowMs: number },
): Record<string, string> {
  const asked: Record<string, string> = {
    ...query,
    ...{ app_key: key, format: "json", sign_method: digest, timestamp: beijingTime(nowMs), v: "2.0" },
    ...(session !== null && { session }),
  };
  return { ...asked, sign: signatureOf(asked, secret, digest) };
}

function signatureOf(asked: Readonly<Record<string, string>>, secret: string, digest: TaobaoDigest): string {
  const names = Object.keys(asked).sort();
  const text = names.map((name) => `${name}${asked[name]}`).join("");
  return toHex(digests[digest](secret, text)).toUpperCase();
}

const digests = {
  md5: (secret, text) => md5(utf8(`${secret}${text}${secret}`)),
  hmac: (secret, text) => hmacMd5(utf8(secret), utf8(text)),
  "hmac-sha256": (secret, text) => hmacSha256(utf8(secret), utf8(text)),
} as const satisfies Record<TaobaoDigest, (secret: string, text: string) => Uint8Array>;

const hoursAhead = 8;

/** 2026-11-27 21:30:00, by Beijing's clocks, which know no summer. */
function beijingTime(nowMs: number): string {
  return new Date(nowMs + hoursAhead * 3_600_000).toISOString().slice(0, 19).replace("T", " ");
}
