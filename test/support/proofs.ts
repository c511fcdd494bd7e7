/** Somebody who has the key that a token is bound to, and proves it (DPoP, RFC 9449). */
import { calculateJwkThumbprint, exportJWK, generateKeyPair, type JWK, SignJWT } from "jose";
import { audience, noon } from "./tokens.ts";

export interface Holder {
  readonly jwk: JWK;
  readonly thumbprint: string;
  /** A good proof of `GET /v1/me` with `token`, but for what is put over its header and claims; `undefined` takes a member away. */
  proof(token: string, claims?: Record<string, unknown>, header?: Record<string, unknown>): Promise<string>;
}

let proofs = 0;
export async function createHolder(): Promise<Holder> {
  const { privateKey, publicKey } = await generateKeyPair("ES256", { extractable: true });
  const jwk = await exportJWK(publicKey);
  return {
    jwk,
    thumbprint: await calculateJwkThumbprint(jwk),
    async proof(of, claims, header) {
      proofs += 1;
      const ath = Buffer.from(await crypto.subtle.digest("SHA-256", Buffer.from(of))).toString("base64url");
      const good = { jti: `p-${proofs}`, htm: "GET", htu: `${audience}/v1/me`, iat: noon / 1000, ath };
      return new SignJWT({ ...good, ...claims })
        .setProtectedHeader({ alg: "ES256", typ: "dpop+jwt", jwk, ...header } as { alg: string })
        .sign(privateKey);
    },
  };
}
