/**
 * The form of a signed token, before any key is touched: RFC 7515 compact serialization.
 * Stricter than jose on purpose: one token has one text (canonical base64url, no duplicate key), so that nobody reads it otherwise than we do.
 * Does not look at claims, issuers or signatures, nor at what kind of token it is: that depends on whose it is.
 */
import { fromBase64Url, fromUtf8 } from "../crypto/index.ts";
import { isJsonObject, type JsonObject, JsonSyntaxError, parseJson, refuse } from "../kernel/index.ts";
import type { Identified } from "./refusal.ts";

const tokenCharactersMax = 8192;
const jsonLimits = { depthMax: 8, breadthMax: 512 };

/** `scheme SP token`, RFC 6750 §2.1, RFC 9449 §7.1; the scheme in any case (RFC 9110 §11.1). Two tokens joined by a proxy have a comma, and fail. */
const credentialPattern = /^(bearer|dpop) +([A-Za-z0-9_.-]+)$/i;
const algorithmPattern = /^[A-Za-z0-9]{3,16}$/;
/** Base64, base64url, hex, UUIDs, dates: what issuers use. Never begins with a dot, holds no quote, blank or control character. */
const keyIdPattern = /^[A-Za-z0-9_-][A-Za-z0-9._~:+/=@-]{0,127}$/;
/** Parameters that bring their own key, change what is signed, or demand an extension we do not have. */
const forbiddenParameters = ["crit", "jku", "jwk", "x5u", "x5c", "b64", "zip", "enc"] as const;

export interface Compact {
  readonly header: JsonObject;
  /** Decoded, not yet parsed. */
  readonly payload: string;
}

export interface TokenHeader {
  readonly alg: string;
  readonly kid: string;
  readonly typ?: string | undefined;
}

export interface TokenForm {
  readonly header: TokenHeader;
  readonly payload: JsonObject;
}

export interface TokenShown {
  readonly scheme: "bearer" | "dpop";
  readonly token: string;
}

/** Of an Authorization header's value. */
export function readAuthorization(authorization: string | null): Identified<TokenShown> {
  if (authorization === null) return refuse("token_missing");
  if (authorization.length > tokenCharactersMax + "Bearer ".length) return refuse("token_malformed");
  const [, scheme, token] = credentialPattern.exec(authorization) ?? [];
  if (scheme === undefined || token === undefined) return refuse("token_malformed");
  return { ok: true, value: { scheme: scheme.toLowerCase() === "dpop" ? "dpop" : "bearer", token } };
}

export function readToken(token: string): Identified<TokenForm> {
  const compact = readCompact(token);
  const header = compact && readHeader(compact.header);
  const payload = compact && header && readObject(compact.payload);
  return payload && header ? { ok: true, value: { header, payload } } : refuse("token_malformed");
}

/** Three canonical parts, the first a JSON object. `null` = not that. The caller bounds the length. */
export function readCompact(token: string): Compact | null {
  const [head, body, signature, ...rest] = token.split(".");
  if (head === undefined || body === undefined || signature === undefined || rest.length > 0) return null;
  const headText = decode(head);
  const payload = decode(body);
  if (headText === null || payload === null || bytesOf(signature) === null) return null;
  const header = readObject(headText);
  return header && { header, payload };
}

/** `null` = not the header of a token that names its key. */
function readHeader(header: JsonObject): TokenHeader | null {
  const { alg, kid, typ } = header;
  if (forbiddenParameters.some((name) => name in header)) return null;
  if (typ !== undefined && typeof typ !== "string") return null;
  if (typeof alg !== "string" || !algorithmPattern.test(alg)) return null;
  if (typeof kid !== "string" || !keyIdPattern.test(kid)) return null;
  return { alg, kid, typ };
}

/** `null` = no JSON object. */
export function readObject(text: string): JsonObject | null {
  try {
    const value = parseJson(text, jsonLimits);
    return isJsonObject(value) ? value : null;
  } catch (error) {
    if (error instanceof JsonSyntaxError) return null;
    throw error;
  }
}

function decode(part: string): string | null {
  const bytes = bytesOf(part);
  if (bytes === null) return null;
  try {
    return fromUtf8(bytes);
  } catch {
    return null;
  }
}

/** Canonical base64url only (RFC 4648 §3.5, unused bits zero): otherwise one token had several texts. */
function bytesOf(part: string): Uint8Array | null {
  if (part === "") return null;
  try {
    return fromBase64Url(part);
  } catch {
    return null;
  }
}
