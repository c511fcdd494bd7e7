/**
 * Tokens that were verified, until they expire, by the SHA-256 of their exact text: no live credential is kept, and another text of the same token is another token.
 * Holds no refusals, so nobody can fill it without an issuer's signature. Revocation is read with every request's load, never here.
 */
export interface Verified {
  readonly expiresAt: number;
}

/** SHA-256 of ASCII text, as a string fit for a key. Two implementations: `portableDigest`, and `node-digest.ts` (OpenSSL). */
export type Digest = (text: string) => string;

export interface VerifiedTokens<Value extends Verified> {
  /** `null` = not seen, or thrown out. A value may have expired: the caller looks. */
  get(digest: string): Value | null;
  put(digest: string, value: Value): void;
}

export const verifiedTokensMax = 10_000;

/** The least recently used goes first when `max` are there. */
export function createVerifiedTokens<Value extends Verified>(max: number): VerifiedTokens<Value> {
  const values = new Map<string, Value>();
  return {
    get(digest) {
      const value = values.get(digest);
      if (value === undefined) return null;
      values.delete(digest);
      values.set(digest, value);
      return value;
    },
    put(digest, value) {
      values.delete(digest);
      values.set(digest, value);
      if (values.size <= max) return;
      const oldest = values.keys().next();
      if (!oldest.done) values.delete(oldest.value);
    },
  };
}
