/**
 * A merchant's public key in a contract file (RFC 7517), to which its records are sealed when they are returned.
 * What a purge would fail at years later is refused when the file is read: private parts, weak keys, points that lie on no curve.
 */
import * as z from "zod";
import { fromBase64Url, type SealingKey, toBase64Url, toHex } from "../crypto/index.ts";
import { refusing } from "./shape.ts";

const privateMembers = ["d", "p", "q", "dp", "dq", "qi", "oth", "k"] as const;
const rsaBytes = { min: 256, max: 1024 };

/** y² = x³ − 3x + b over p (FIPS 186-5, SP 800-186). */
const curves = {
  "P-256": {
    bytes: 32,
    p: 2n ** 256n - 2n ** 224n + 2n ** 192n + 2n ** 96n - 1n,
    b: 0x5ac635d8aa3a93e7b3ebbd55769886bc651d06b0cc53b0f63bce3c3e27d2604bn,
  },
  "P-384": {
    bytes: 48,
    p: 2n ** 384n - 2n ** 128n - 2n ** 96n + 2n ** 32n - 1n,
    b: 0xb3312fa7e23ee7e4988e056be3f82d19181d9c6efe8141120314088f5013875ac656398d8a2ed19d2a85c8edd3ec2aefn,
  },
} as const;

/** As it stands in a contract file, or in the request for a purge. Members that say nothing of the key itself (`kid`, `use`, `alg`) are dropped. */
export const sealingKeySchema = z
  .looseObject({ kty: z.enum(["EC", "RSA"]) })
  .superRefine((key, context) => {
    const wrong = problemOf(key);
    if (wrong !== null) context.addIssue({ code: "custom", ...refusingKey(wrong) });
  })
  .transform((key) => bare(key as unknown as SealingKey))
  .describe("A public key as JWK: EC on P-256 or P-384, or RSA of at least 2048 bits");

function bare(key: SealingKey): SealingKey {
  const { kty } = key;
  return kty === "EC" ? { kty, crv: key.crv, x: key.x, y: key.y } : { kty, n: key.n, e: key.e };
}

function refusingKey(wrong: string) {
  const { error, params } = refusing("wrong_value", wrong, "EC on P-256 or P-384, or RSA of at least 2048 bits; public members alone");
  return { message: error, params };
}

/** `null` = nothing is wrong with it. */
function problemOf(key: Readonly<Record<string, unknown>>): string | null {
  if (privateMembers.some((name) => name in key)) return "a private key: whoever reads this file could open what is sealed to it";
  return key.kty === "RSA" ? problemOfRsa(key) : problemOfCurve(key);
}

function problemOfRsa({ n, e }: Readonly<Record<string, unknown>>): string | null {
  const modulus = bytesOf(n);
  if (!modulus || e !== "AQAB") return "not an RSA public key with the exponent 65537";
  const [first = 0] = modulus;
  if (modulus.length > rsaBytes.max || first === 0) return "not an RSA modulus";
  if (modulus.length < rsaBytes.min || (modulus.length === rsaBytes.min && first < 0x80)) return "an RSA key of less than 2048 bits";
  return ((modulus.at(-1) ?? 0) & 1) === 0 ? "not an RSA modulus" : null;
}

function problemOfCurve({ crv, x, y }: Readonly<Record<string, unknown>>): string | null {
  if (crv !== "P-256" && crv !== "P-384") return "a curve that is not accepted";
  const { bytes, p, b } = curves[crv];
  const [left, top] = [bytesOf(x), bytesOf(y)];
  if (left?.length !== bytes || top?.length !== bytes) return `not a point of ${crv}`;
  const [px, py] = [BigInt(`0x${toHex(left)}`), BigInt(`0x${toHex(top)}`)];
  const lies = px < p && py < p && (py * py - (px * px * px - 3n * px + b)) % p === 0n;
  return lies ? null : `not a point of ${crv}`;
}

/** `null` = not base64url as RFC 7515 writes it. */
function bytesOf(member: unknown): Uint8Array | null {
  if (typeof member !== "string") return null;
  try {
    const bytes = fromBase64Url(member);
    return bytes.length > 0 && toBase64Url(bytes) === member ? bytes : null;
  } catch {
    return null;
  }
}
