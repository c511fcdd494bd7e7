/**
 * Where an issuer's keys come from: its profile, or its key set over https. What was fetched counts for ten minutes; while the issuer cannot be
 * asked, the set had last goes on counting until it is an hour old. A key that is not in it may be a new one: then nothing can be said.
 */
import { createLocalJWKSet, createRemoteJWKSet, customFetch, errors, type JSONWebKeySet, type JWTVerifyGetKey } from "jose";
import { createBoundedFetch, type FetchJwks, type JwksLimits } from "./jwks-fetch.ts";
import { usableKeys } from "./key-set.ts";

export type IssuerKeys = { readonly jwks: URL } | { readonly local: JSONWebKeySet };

export interface KeySourceSettings {
  readonly now: () => number;
  readonly fetchJwks: FetchJwks;
  readonly limits: JwksLimits;
}

export interface KeySource {
  /** Throws what `isAboutToken` tells apart: no such key in the set, or no set. */
  readonly find: JWTVerifyGetKey;
  /** When the set was last fetched, in milliseconds since 1970; `null` = not yet. Absent where it is not. */
  readonly hadAt?: () => number | null;
}

interface KeptKeys {
  readonly find: JWTVerifyGetKey;
  readonly atMs: number;
}

/** Throws a RangeError on an address that is neither https nor this machine. */
export function createKeySource(id: string, keys: IssuerKeys, { fetchJwks, limits, now }: KeySourceSettings): KeySource {
  if ("local" in keys) return { find: createLocalJWKSet(usableKeys(keys.local)) };
  const url = keys.jwks;
  if (url.protocol !== "https:" && !(url.protocol === "http:" && isLoopback(url.hostname))) {
    throw new RangeError(`issuer ${id}: the key set must be fetched by https`);
  }
  let kept: KeptKeys | null = null;
  const remote = createRemoteJWKSet(url, {
    cooldownDuration: limits.cooldownMs,
    cacheMaxAge: limits.ageMaxMs,
    timeoutDuration: limits.timeoutMs,
    [customFetch]: createBoundedFetch({
      ...{ fetchJwks, limits, now },
      keep: (had) => {
        kept = { find: createLocalJWKSet(had), atMs: now() };
      },
    }),
  });
  const findOrStale: JWTVerifyGetKey = async (header, token) => {
    try {
      return await remote(header, token);
    } catch (error) {
      if (isAboutToken(error) || kept === null || now() - kept.atMs >= limits.staleMaxMs) throw error;
      const stale = await Promise.resolve(kept.find(header, token)).catch(() => null);
      if (stale === null) throw error;
      return stale;
    }
  };
  return { find: findOrStale, hadAt: () => kept?.atMs ?? null };
}

/** The key set was there, and has no (single, usable) key for this header. */
export function isAboutToken(error: unknown): boolean {
  return (
    error instanceof errors.JWKSNoMatchingKey ||
    error instanceof errors.JWKSMultipleMatchingKeys ||
    error instanceof errors.JOSENotSupported
  );
}

function isLoopback(host: string): boolean {
  return host === "localhost" || host === "[::1]" || /^127(\.\d{1,3}){3}$/.test(host);
}
