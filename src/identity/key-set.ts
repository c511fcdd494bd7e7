/**
 * Which keys of an issuer's set (RFC 7517) we use at all. A key that is published whole, is a shared secret, or was made by a generator
 * whose keys can be factored (ROCA, CVE-2017-15361) proves nothing; jose would take the last kind.
 */
import type { JSONWebKeySet } from "jose";
import * as z from "zod";
import { fromBase64Url, toHex } from "../crypto/index.ts";

const issuerKeysMax = 100;

const keySetSchema = z.object({ keys: z.array(z.looseObject({ kty: z.string() })).max(issuerKeysMax) });

/** Throws where `value` is no key set; leaves out the keys that prove nothing. */
export function usableKeys(value: unknown): JSONWebKeySet {
  const { keys } = keySetSchema.parse(value);
  return { keys: keys.filter((key) => !("d" in key) && !("k" in key) && !(key.kty === "RSA" && isFactorable(key.n))) };
}

const smallPrimes = [
  3, 5, 7, 11, 13, 17, 19, 23, 29, 31, 37, 41, 43, 47, 53, 59, 61, 67, 71, 73, 79, 83, 89, 97, 101, 103, 107, 109, 113, 127, 131, 137, 139,
  149, 151, 157, 163, 167,
];
const rocaGenerator = 65537;

/** For each small prime: the residues that a modulus of the broken generator can have (the powers of 65537). */
const rocaResidues = smallPrimes.map((prime) => ({ prime: BigInt(prime), residues: powersModulo(rocaGenerator % prime, prime) }));

function powersModulo(base: number, prime: number): ReadonlySet<number> {
  const powers = new Set<number>();
  for (let power = 1; !powers.has(power); power = (power * base) % prime) powers.add(power);
  return powers;
}

/** True for a modulus with the ROCA fingerprint, and for one that cannot be read. A sound key has it about once in 200 million. */
function isFactorable(modulus: unknown): boolean {
  if (typeof modulus !== "string") return true;
  try {
    const n = BigInt(`0x${toHex(fromBase64Url(modulus))}`);
    return rocaResidues.every(({ prime, residues }) => residues.has(Number(n % prime)));
  } catch {
    return true;
  }
}
