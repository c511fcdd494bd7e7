/**
 * How an issuer's key set comes in: bounded in bytes and time, and after a failure not asked again for a while.
 * jose keeps the cooldown for unknown keys, but it asks again at every request while the issuer is down, and it would read an endless body.
 */
import type { JSONWebKeySet } from "jose";
import { usableKeys } from "./key-set.ts";

export interface JwksLimits {
  /** Between two fetches because of an unknown `kid`. */
  readonly cooldownMs: number;
  /** After a failed fetch. Below the five seconds in which we heal. */
  readonly failureCooldownMs: number;
  /** After this age keys are fetched anew: how long a key that the issuer withdrew still counts. */
  readonly ageMaxMs: number;
  /** While they cannot be fetched, the keys had last still count until they are this old; then none does. */
  readonly staleMaxMs: number;
  readonly timeoutMs: number;
  readonly bodyBytesMax: number;
}

export const jwksLimits: JwksLimits = {
  cooldownMs: 30_000,
  failureCooldownMs: 2_000,
  ageMaxMs: 600_000,
  staleMaxMs: 3_600_000,
  timeoutMs: 3_000,
  bodyBytesMax: 262_144,
};

/** What is asked of `fetch`: a GET that follows no redirect and honours the signal. */
export type FetchJwks = (url: string, init: RequestInit) => Promise<Response>;

export interface BoundedFetch {
  readonly fetchJwks: FetchJwks;
  readonly limits: JwksLimits;
  readonly now: () => number;
  /** Told of each set that could be had. */
  readonly keep: (keys: JSONWebKeySet) => void;
}

/** Throws where the key set could not be had: an error page, a redirect or another document is none. */
export function createBoundedFetch({ fetchJwks, limits, now, keep }: BoundedFetch): FetchJwks {
  let quietUntilMs = Number.NEGATIVE_INFINITY;
  return async (url, init) => {
    if (now() < quietUntilMs) throw new Error("the issuer's key set failed a moment ago");
    try {
      const response = await fetchJwks(url, { ...init, redirect: "manual" });
      if (response.status !== 200) {
        await response.body?.cancel();
        throw new Error(`the issuer's key set answers ${response.status}`);
      }
      const keys = usableKeys(JSON.parse(await boundedText(response, limits.bodyBytesMax)));
      keep(keys);
      return Response.json(keys);
    } catch (error) {
      quietUntilMs = now() + limits.failureCooldownMs;
      throw error;
    }
  };
}

async function boundedText(response: Response, bytesMax: number): Promise<string> {
  const decoder = new TextDecoder("utf-8", { fatal: true });
  let text = "";
  let bytes = 0;
  for await (const chunk of response.body ?? []) {
    bytes += chunk.length;
    if (bytes > bytesMax) throw new Error("the issuer's key set is too large");
    text += decoder.decode(chunk, { stream: true });
  }
  return text + decoder.decode();
}
