/**
 * Who is asking:  header → token's form → issuer → kind of token → claims → signature → time → principal
 * Says who holds the token, not what they may do: seats, roles and revocation are read with the data. Role claims are ignored.
 * Trusted: the configured issuers, each for its own subjects. Not trusted: every byte of the token before its signature holds.
 */
import { sha256, toBase64Url, utf8 } from "../crypto/index.ts";
import { ok, refuse } from "../kernel/index.ts";
import { type Claims, checkTime, isAcceptable, readClaims } from "./claims.ts";
import { createIssuers, type Issuer, type IssuerProfile } from "./issuers.ts";
import { type FetchJwks, type JwksLimits, jwksLimits } from "./jwks-fetch.ts";
import type { Identified } from "./refusal.ts";
import { readBearer, readToken } from "./token-form.ts";
import { isAccessToken } from "./token-type.ts";
import { createVerifiedTokens, type Digest, type VerifiedTokens, verifiedTokensMax } from "./verified-tokens.ts";

export interface Principal {
  /** The issuer profile's id, not its `iss`. */
  readonly issuer: string;
  readonly subject: string;
  /** `jti`: what a revocation names, together with the issuer. */
  readonly tokenId: string;
  /** `kid` of the key that signed it. */
  readonly keyId: string;
  /** Milliseconds since 1970. */
  readonly expiresAt: number;
}

export interface Identity {
  /** `authorization`: the header's value, `null` where there is none. Never throws for anything a client sends, nor for an issuer that fails. */
  identify(authorization: string | null): Promise<Identified<Principal>>;
  /** By issuer, of those whose keys are fetched: seconds since they last could be; `null` = not fetched yet. */
  keyAges(): Readonly<Record<string, number | null>>;
}

export interface IdentityOptions {
  readonly issuers: readonly IssuerProfile[];
  /** What `aud` must hold, unless the issuer's profile says otherwise. */
  readonly audience: string;
  /** Milliseconds since 1970. */
  readonly now: () => number;
  readonly fetchJwks?: FetchJwks | undefined;
  readonly jwksLimits?: Partial<JwksLimits> | undefined;
  readonly digest?: Digest | undefined;
  readonly verifiedTokensMax?: number | undefined;
}

/** Throws a RangeError on issuer profiles that cannot be used. */
export function createIdentity(options: IdentityOptions): Identity {
  const { audience, now, digest = portableDigest } = options;
  const limits = { ...jwksLimits, ...options.jwksLimits };
  const fetchJwks: FetchJwks = options.fetchJwks ?? ((url, init) => fetch(url, init));
  const issuers = createIssuers(options.issuers, { audience, now, fetchJwks, limits });
  const verified = createVerifiedTokens<Principal>(options.verifiedTokensMax ?? verifiedTokensMax);
  return {
    identify: (authorization) => identify({ issuers, verified, digest, now }, authorization),
    keyAges: () => Object.fromEntries([...issuers.values()].flatMap((issuer) => ageOf(issuer, now()))),
  };
}

const portableDigest: Digest = (text) => toBase64Url(sha256(utf8(text)));

interface Identification {
  readonly issuers: ReadonlyMap<string, Issuer>;
  readonly verified: VerifiedTokens<Principal>;
  readonly digest: Digest;
  readonly now: () => number;
}

async function identify(deps: Identification, authorization: string | null): Promise<Identified<Principal>> {
  const token = readBearer(authorization);
  if (!token.ok) return token;

  const digest = deps.digest(token.value);
  const seen = deps.verified.get(digest);
  if (seen) return deps.now() < seen.expiresAt ? ok(seen) : refuse("token_expired");

  const principal = await verify(deps, token.value);
  if (principal.ok) deps.verified.put(digest, principal.value);
  return principal;
}

/** Cheap checks come before the signature; the time comes after it, so that only an issuer's own token is ever called expired. */
async function verify({ issuers, now }: Identification, token: string): Promise<Identified<Principal>> {
  const form = readToken(token);
  if (!form.ok) return form;

  const issuer = typeof form.value.payload.iss === "string" ? issuers.get(form.value.payload.iss) : undefined;
  if (!issuer) return refuse("token_unknown_issuer");

  if (!isAccessToken(form.value, issuer.tokenType)) return refuse("token_malformed");
  const claims = readClaims(form.value.payload, issuer.rules);
  if (!claims.ok) return claims;
  if (!isAcceptable(claims.value, form.value.payload, issuer.rules)) return refuse("token_invalid");

  const signature = await issuer.checkSignature(token, form.value.header);
  if (!signature.ok) return signature;

  const current = checkTime(claims.value, now());
  return current.ok ? ok(principalOf(issuer, current.value, form.value.header.kid)) : current;
}

function ageOf({ id, keysHadAt }: Issuer, nowMs: number): [string, number | null][] {
  if (!keysHadAt) return [];
  const atMs = keysHadAt();
  return [[id, atMs === null ? null : Math.max(0, Math.floor((nowMs - atMs) / 1000))]];
}

function principalOf(issuer: Issuer, claims: Claims, keyId: string): Principal {
  return { issuer: issuer.id, subject: claims.sub, tokenId: claims.jti, keyId, expiresAt: claims.exp * 1000 };
}
