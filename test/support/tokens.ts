/**
 * A token smith that signs whatever it is given, well-formed or not, so that only the verifier's checks stand between a text and a principal.
 */
import type { JWK } from "jose";
import type { IssuerProfile } from "../../src/identity/index.ts";

export const audience = "https://gw.example";
/** Milliseconds; on a whole second. */
export const noon = Date.UTC(2026, 6, 1, 12);

export interface Smith {
  readonly jwk: JWK;
  readonly profile: IssuerProfile;
  /** A good token, but for what is put over its header and claims; `undefined` takes a member away. */
  token(claims?: Record<string, unknown>, header?: Record<string, unknown>): Promise<string>;
  /** Signs these texts as they are. */
  mint(header: string, payload: string): Promise<string>;
}

export async function createSmith(id = "linxi", issuer = "https://id.linxi.example", kid = "k1"): Promise<Smith> {
  const { privateKey, publicKey } = await crypto.subtle.generateKey({ name: "ECDSA", namedCurve: "P-256" }, true, ["sign", "verify"]);
  const { kty, crv, x, y } = await crypto.subtle.exportKey("jwk", publicKey);
  const jwk = { kty, crv, x, y, kid, alg: "ES256", use: "sig" } as JWK;
  const mint = async (header: string, payload: string): Promise<string> => {
    const input = `${base64Url(header)}.${base64Url(payload)}`;
    const signature = await crypto.subtle.sign({ name: "ECDSA", hash: "SHA-256" }, privateKey, Buffer.from(input));
    return `${input}.${Buffer.from(signature).toString("base64url")}`;
  };
  return {
    jwk,
    profile: { id, issuer, keys: { local: { keys: [jwk] } } },
    mint,
    token: (claims, header) => mint(JSON.stringify({ ...headerOf(kid), ...header }), JSON.stringify({ ...claimsOf(issuer), ...claims })),
  };
}

export function headerOf(kid: string): Record<string, unknown> {
  return { alg: "ES256", typ: "at+jwt", kid };
}

export function claimsOf(issuer: string): Record<string, unknown> {
  const iat = noon / 1000;
  return { iss: issuer, sub: "agent-1", aud: audience, iat, exp: iat + 900, jti: "t-1" };
}

export function base64Url(text: string): string {
  return Buffer.from(text).toString("base64url");
}
