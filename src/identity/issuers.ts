/**
 * Whose tokens count, and their keys. An issuer is trusted for its own subjects and nothing else: whoever holds its key can be any of them.
 */
import { compactVerify, type JWTVerifyGetKey } from "jose";
import { isId, ok, refuse } from "../kernel/index.ts";
import type { ClaimRules } from "./claims.ts";
import { createKeySource, type IssuerKeys, isAboutToken, type KeySourceSettings } from "./key-source.ts";
import type { Identified } from "./refusal.ts";
import type { TokenHeader } from "./token-form.ts";
import type { TokenType } from "./token-type.ts";

/** Public-key signatures only: with a shared secret whoever verifies could also sign. */
export const signatureAlgorithms = [
  "ES256",
  "ES384",
  "ES512",
  "RS256",
  "RS384",
  "RS512",
  "PS256",
  "PS384",
  "PS512",
  "EdDSA",
  "Ed25519",
] as const;
export type SignatureAlgorithm = (typeof signatureAlgorithms)[number];
export const defaultAlgorithms: readonly SignatureAlgorithm[] = ["ES256", "RS256", "PS256", "EdDSA"];

export interface IssuerProfile {
  /** Our short name: what seats and `postern.yaml` say. */
  readonly id: string;
  /** `iss`, to the letter. */
  readonly issuer: string;
  /** Instead of the gateway's own; one of them is enough. */
  readonly audiences?: readonly string[] | undefined;
  readonly keys: IssuerKeys;
  readonly algorithms?: readonly SignatureAlgorithm[] | undefined;
  /** Default: `at+jwt`. */
  readonly tokenType?: TokenType | undefined;
  /** Default: `sub` and `jti`. */
  readonly subjectClaim?: string | undefined;
  readonly tokenIdClaim?: string | undefined;
  /** By claim, the values of which a token must have one: its tenant, a group. */
  readonly required?: ClaimRules["required"] | undefined;
  /** `required`: none of its tokens counts without a proof that its holder has the key that it is bound to. */
  readonly proof?: "required" | undefined;
  /** Where its people log in to a page, and as which client of its (public, with PKCE). */
  readonly login?: { readonly clientId: string; readonly authorization: URL; readonly token: URL } | undefined;
}

export interface Issuer {
  readonly id: string;
  readonly tokenType: TokenType;
  readonly rules: ClaimRules;
  readonly proof: "required" | undefined;
  /** As which client of its people log in. `null` = they do not. */
  readonly loginClient: string | null;
  /** Whether the token's signature is the issuer's. The form of `token` was checked before. */
  checkSignature(token: string, header: TokenHeader): Promise<Identified<string>>;
  /** When its keys could last be fetched, in milliseconds since 1970: `null` = not yet. `undefined` for keys that are not fetched. */
  keysHadAt?(): number | null;
}

export interface IssuerSettings extends KeySourceSettings {
  readonly audience: string;
}

/** By `iss`. Throws a RangeError on profiles that contradict each other or would fetch keys in the clear. */
export function createIssuers(profiles: readonly IssuerProfile[], settings: IssuerSettings): ReadonlyMap<string, Issuer> {
  const issuers = new Map<string, Issuer>();
  const ids = new Set<string>();
  for (const profile of profiles) {
    if (!isId(profile.id)) throw new RangeError("an issuer's id does not follow the grammar of ids");
    if (ids.has(profile.id) || issuers.has(profile.issuer)) throw new RangeError(`issuer ${profile.id} is there twice`);
    ids.add(profile.id);
    issuers.set(profile.issuer, createIssuer(profile, settings));
  }
  return issuers;
}

function createIssuer(profile: IssuerProfile, settings: IssuerSettings): Issuer {
  const known: readonly string[] = signatureAlgorithms;
  const algorithms = profile.algorithms ?? defaultAlgorithms;
  if (algorithms.length === 0 || !algorithms.every((name) => known.includes(name))) {
    throw new RangeError(`issuer ${profile.id}: algorithms must be among ${known.join(", ")}`);
  }
  const source = createKeySource(profile.id, profile.keys, settings);
  return {
    id: profile.id,
    tokenType: profile.tokenType ?? "at+jwt",
    proof: profile.proof,
    loginClient: profile.login?.clientId ?? null,
    rules: {
      audiences: profile.audiences ?? [settings.audience],
      subjectClaim: profile.subjectClaim ?? "sub",
      tokenIdClaim: profile.tokenIdClaim ?? "jti",
      required: profile.required ?? {},
    },
    checkSignature: createSignatureCheck(source.find, algorithms),
    ...(source.hadAt ? { keysHadAt: source.hadAt } : {}),
  };
}

/** The key is looked up before the signature is checked, so that "no such key", "no key set" and "wrong signature" stay apart. */
export function createSignatureCheck(findKey: JWTVerifyGetKey, algorithms: readonly SignatureAlgorithm[]): Issuer["checkSignature"] {
  const allowed = [...algorithms];
  return async (token, header) => {
    if (!allowed.some((name) => name === header.alg)) return refuse("token_invalid");
    const [protectedPart = "", payload = "", signature = ""] = token.split(".");
    try {
      const key = await findKey({ alg: header.alg, kid: header.kid }, { protected: protectedPart, payload, signature });
      return (await verifies(token, key, allowed)) ? ok(token) : refuse("token_invalid");
    } catch (error) {
      return refuse(isAboutToken(error) ? "token_invalid" : "issuer_unavailable");
    }
  };
}

/** Whatever goes wrong here (a signature, a key too short for its algorithm), the token is not verified. */
async function verifies(token: string, key: Awaited<ReturnType<JWTVerifyGetKey>>, algorithms: string[]): Promise<boolean> {
  try {
    await compactVerify(token, key, { algorithms });
    return true;
  } catch {
    return false;
  }
}
