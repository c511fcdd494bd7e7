/**
 * Who is asking:  header → token's form → issuer → kind of token → claims → signature → time → proof of possession → principal
 * Says who holds the token, not what they may do: seats, roles and revocation are read with the data. Role claims are ignored.
 * Trusted: the configured issuers, each for its own subjects. Not trusted: every byte of the token before its signature holds.
 */
import { sha256, toBase64Url, utf8 } from "../crypto/index.ts";
import { type ContractId, isProven, isSession, ok, type Presented, refuse } from "../kernel/index.ts";
import { type Claims, checkTime, isAcceptable, readClaims } from "./claims.ts";
import { createIssuers, type Issuer, type IssuerProfile } from "./issuers.ts";
import { type FetchJwks, type JwksLimits, jwksLimits } from "./jwks-fetch.ts";
import { type LoggedOut, readLogoutToken } from "./logout-token.ts";
import { checkProof } from "./proof.ts";
import type { Identified } from "./refusal.ts";
import { readAuthorization, readToken, type TokenShown } from "./token-form.ts";
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
  /** The name of the proof of possession that was shown with the token, where it is bound to a key. */
  readonly proof?: string;
  /** When they last proved to their provider who they are, in milliseconds. Absent = their token does not say. */
  readonly provenAt?: number;
  /** Came by a session, and showed a passkey within it just now. */
  readonly isSteppedUp?: boolean;
  /** No person: a merchant's own system, at one contract. `scopes`: with a space between. */
  readonly service?: { readonly contract: ContractId; readonly scopes: string };
}

export interface Identity {
  /** `null`: nothing was shown. Never throws for anything a client sends, nor for an issuer that fails. */
  identify(shown: Presented | null): Promise<Identified<Principal>>;
  /** By issuer, of those whose keys are fetched: seconds since they last could be; `null` = not fetched yet. */
  keyAges(): Readonly<Record<string, number | null>>;
}

/** An identity that reads what issuers sign. */
export interface TokenIdentity extends Identity {
  readLogout(token: string): Promise<Identified<LoggedOut>>;
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
export function createIdentity(options: IdentityOptions): TokenIdentity {
  const { audience, now, digest = portableDigest } = options;
  const limits = { ...jwksLimits, ...options.jwksLimits };
  const fetchJwks: FetchJwks = options.fetchJwks ?? ((url, init) => fetch(url, init));
  const issuers = createIssuers(options.issuers, { audience, now, fetchJwks, limits });
  const verified = createVerifiedTokens<Known>(options.verifiedTokensMax ?? verifiedTokensMax);
  return {
    identify: (shown) => identify({ issuers, verified, digest, now, origin: audience }, shown),
    readLogout: (token) => readLogoutToken(issuers, token, now()),
    keyAges: () => Object.fromEntries([...issuers.values()].flatMap((issuer) => ageOf(issuer, now()))),
  };
}

const portableDigest: Digest = (text) => toBase64Url(sha256(utf8(text)));

/** What stays true of a token until it expires; a proof is of one request. */
interface Known {
  readonly principal: Principal;
  /** Of the key that it is bound to. `null` = none: whoever has it may show it. */
  readonly thumbprint: string | null;
  readonly expiresAt: number;
}

interface Identification {
  readonly issuers: ReadonlyMap<string, Issuer>;
  readonly verified: VerifiedTokens<Known>;
  readonly digest: Digest;
  readonly now: () => number;
  readonly origin: string;
}

async function identify(deps: Identification, shown: Presented | null): Promise<Identified<Principal>> {
  const read = readAuthorization(isProven(shown) ? shown.authorization : isSession(shown) ? null : shown);
  if (!read.ok) return read;
  const known = await knownOf(deps, read.value.token);
  if (!known.ok) return known;
  if (read.value.scheme === "bearer" && known.value.thumbprint === null) return ok(known.value.principal);
  return prove(deps, shown, read.value, known.value);
}

async function knownOf(deps: Identification, token: string): Promise<Identified<Known>> {
  const digest = deps.digest(token);
  const seen = deps.verified.get(digest);
  if (seen) return deps.now() < seen.expiresAt ? ok(seen) : refuse("token_expired");

  const known = await verify(deps, token);
  if (known.ok) deps.verified.put(digest, known.value);
  return known;
}

/** RFC 9449 §7.1, §7.2: a bound token is no bearer's, and one that is bound to nothing has nothing to prove. */
async function prove(
  { origin, now }: Identification,
  shown: Presented | null,
  { scheme, token }: TokenShown,
  { principal, thumbprint }: Known,
): Promise<Identified<Principal>> {
  if (thumbprint === null) return refuse("token_invalid");
  if (scheme === "bearer" || !isProven(shown)) return refuse("proof_invalid");
  const proof = await checkProof({ shown, token, thumbprint, origin, nowMs: now() });
  return proof.ok ? ok({ ...principal, proof: proof.value }) : proof;
}

/** Cheap checks come before the signature; the time comes after it, so that only an issuer's own token is ever called expired. */
async function verify({ issuers, now }: Identification, token: string): Promise<Identified<Known>> {
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
  if (!current.ok) return current;
  const { cnf, exp } = current.value;
  if (issuer.proof === "required" && cnf === undefined) return refuse("proof_invalid");
  const principal = principalOf(issuer, current.value, form.value.header.kid);
  return ok({ principal, thumbprint: cnf?.jkt ?? null, expiresAt: exp * 1000 });
}

function ageOf({ id, keysHadAt }: Issuer, nowMs: number): [string, number | null][] {
  if (!keysHadAt) return [];
  const atMs = keysHadAt();
  return [[id, atMs === null ? null : Math.max(0, Math.floor((nowMs - atMs) / 1000))]];
}

function principalOf(issuer: Issuer, claims: Claims, keyId: string): Principal {
  const { sub: subject, jti: tokenId, exp, auth_time: provenAt } = claims;
  const principal = { issuer: issuer.id, subject, tokenId, keyId, expiresAt: exp * 1000 };
  return provenAt === undefined ? principal : { ...principal, provenAt: provenAt * 1000 };
}
