/**
 * A proof that the holder of a bound token has its key (DPoP, RFC 9449 §4.3):  form → what it is about → key → signature
 * Fresh for each request; that it was not shown before is for `spent-proofs.ts`. We hand out no nonces: the window is short, and every proof is spent.
 */
import { compactVerify } from "jose";
import * as z from "zod";
import { type NamedKey, sha256, thumbprintOf, toBase64Url, utf8 } from "../crypto/index.ts";
import { ok, type PresentedWithProof, proofAlgorithms, refuse } from "../kernel/index.ts";
import { usableKeys } from "./key-set.ts";
import type { Identified } from "./refusal.ts";
import { readCompact, readObject } from "./token-form.ts";

const proofCharactersMax = 4096;
/** How old a proof may be, and how far ahead: clients' clocks are nobody's. */
const windowSeconds = 60;
/** Longer than any proof can be fresh. */
export const spentSeconds = 180;

const headerSchema = z.object({
  typ: z.literal("dpop+jwt"),
  alg: z.enum(proofAlgorithms),
  jwk: z.looseObject({ kty: z.enum(["EC", "OKP", "RSA"]) }),
  crit: z.undefined().optional(),
});
const claimsSchema = z.object({
  jti: z.string().regex(/^\P{Cc}{1,255}$/u),
  htm: z.string(),
  htu: z.url({ protocol: /^https?$/ }).max(2048),
  iat: z.number(),
  ath: z.string(),
});

export interface ProofQuestion {
  readonly shown: PresentedWithProof;
  readonly token: string;
  /** RFC 7638 thumbprint of the key that the token is bound to. */
  readonly thumbprint: string;
  /** Where the gateway is reached; the request's own host may be a proxy's name for it. */
  readonly origin: string;
  readonly nowMs: number;
}

/** Answers the proof's name: the same for the same proof, and for no other. */
export async function checkProof({ shown, token, thumbprint, origin, nowMs }: ProofQuestion): Promise<Identified<string>> {
  const proof = shown.proof !== null && shown.proof.length <= proofCharactersMax ? shown.proof : null;
  const compact = proof === null ? null : readCompact(proof);
  const header = headerSchema.safeParse(compact?.header);
  const claims = claimsSchema.safeParse(compact && readObject(compact.payload));
  if (proof === null || !header.success || !claims.success) return refuse("proof_invalid");
  const { jti, htm, htu, iat, ath } = claims.data;
  const about =
    htm === shown.method &&
    isAddress(htu, origin, shown.path) &&
    Math.abs(nowMs / 1000 - iat) <= windowSeconds &&
    ath === toBase64Url(sha256(utf8(token)));
  if (!about) return refuse("proof_invalid");
  const { alg, jwk } = header.data;
  return (await isSignedBy(proof, alg, jwk, thumbprint)) ? ok(toBase64Url(sha256(utf8(`${thumbprint} ${jti}`)))) : refuse("proof_invalid");
}

/** RFC 9449 §4.3: query and fragment do not count. */
function isAddress(htu: string, origin: string, path: string): boolean {
  const said = new URL(htu);
  return said.origin === new URL(origin).origin && said.pathname === path && said.username === "" && said.password === "";
}

async function isSignedBy(proof: string, algorithm: string, jwk: NamedKey, thumbprint: string): Promise<boolean> {
  try {
    const [key] = usableKeys({ keys: [jwk] }).keys;
    if (!key || thumbprintOf(jwk) !== thumbprint) return false;
    await compactVerify(proof, key, { algorithms: [algorithm] });
    return true;
  } catch {
    return false;
  }
}
