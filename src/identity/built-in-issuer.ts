/**
 * An issuer of our own, so that the demo and development need no identity provider. Whoever holds its key is anybody: production refuses it.
 * Where its key lies, and who may ask it for a token, is decided elsewhere.
 */
import { calculateJwkThumbprint, exportJWK, generateKeyPair, SignJWT } from "jose";
import * as z from "zod";
import { randomBytes, toBase64Url } from "../crypto/index.ts";
import { tokenLifeSecondsMax } from "./claims.ts";
import type { IssuerProfile } from "./issuers.ts";

/** In `seats.csv` and `postern.yaml`. */
export const builtInIssuerId = "demo";
/** `.invalid` never resolves (RFC 2606). */
const builtInIssuerUrl = "https://issuer.postern.invalid";

const tokenIdBytes = 16;
const algorithm = "EdDSA";

const coordinate = z.string().regex(/^[A-Za-z0-9_-]{43}$/);
const privateKeySchema = z.strictObject({
  kty: z.literal("OKP"),
  crv: z.literal("Ed25519"),
  alg: z.literal(algorithm),
  use: z.literal("sig"),
  kid: coordinate,
  x: coordinate,
  d: coordinate,
});

/** An Ed25519 private JWK whose `kid` is its RFC 7638 thumbprint. A secret. */
export type BuiltInKey = z.infer<typeof privateKeySchema>;

export interface TokenRequest {
  readonly subject: string;
  readonly audience: string;
  /** 1 to 3600. */
  readonly ttlSeconds: number;
  /** Milliseconds since 1970. */
  readonly now: number;
}

export interface BuiltInIssuer {
  readonly profile: IssuerProfile;
  sign(request: TokenRequest): Promise<string>;
}

export async function generateBuiltInKey(): Promise<BuiltInKey> {
  const { privateKey } = await generateKeyPair(algorithm, { crv: "Ed25519", extractable: true });
  const jwk = await exportJWK(privateKey);
  return privateKeySchema.parse({ ...jwk, alg: algorithm, use: "sig", kid: await calculateJwkThumbprint(jwk) });
}

/** `privateJwk`: what `generateBuiltInKey` made, read back. Throws a RangeError on anything else; the message quotes none of it. */
export function createBuiltInIssuer(privateJwk: unknown): BuiltInIssuer {
  const parsed = privateKeySchema.safeParse(privateJwk);
  if (!parsed.success) throw new RangeError("the built-in issuer's key is not an Ed25519 private JWK");
  const { d: _secret, ...publicJwk } = parsed.data;
  const profile: IssuerProfile = {
    id: builtInIssuerId,
    issuer: builtInIssuerUrl,
    keys: { local: { keys: [publicJwk] } },
    algorithms: [algorithm],
  };
  return { profile, sign: (request) => sign(parsed.data, request) };
}

async function sign(key: BuiltInKey, { subject, audience, ttlSeconds, now }: TokenRequest): Promise<string> {
  if (!Number.isSafeInteger(ttlSeconds) || ttlSeconds < 1 || ttlSeconds > tokenLifeSecondsMax) {
    throw new RangeError(`a token lives 1 to ${tokenLifeSecondsMax} seconds`);
  }
  const issuedAt = Math.floor(now / 1000);
  return new SignJWT({})
    .setProtectedHeader({ alg: algorithm, kid: key.kid, typ: "at+jwt" })
    .setIssuer(builtInIssuerUrl)
    .setSubject(subject)
    .setAudience(audience)
    .setIssuedAt(issuedAt)
    .setExpirationTime(issuedAt + ttlSeconds)
    .setJti(toBase64Url(randomBytes(tokenIdBytes)))
    .sign(key);
}
