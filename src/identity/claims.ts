/**
 * The claims we rely on (RFC 7519, RFC 9068 §2.2), and no others: roles, groups and scopes in a token say nothing here.
 */
import * as z from "zod";
import { type JsonObject, ok, refuse } from "../kernel/index.ts";
import type { Identified } from "./refusal.ts";

export const tokenLifeSecondsMax = 3600;
/** How far an issuer's clock may be ahead of ours, for `iat` and `nbf`. There is no grace after `exp`. */
const clockSkewSeconds = 60;

/** Non-empty, at most 255 characters, none of them a control character. */
const name = z.string().regex(/^\P{Cc}{1,255}$/u);
const seconds = z.int().min(1);
const audience = z.string().min(1).max(512);

const claimsSchema = z.object({
  iss: z.string().min(1).max(512),
  sub: name,
  aud: z.union([audience, z.array(audience).min(1).max(32)]),
  exp: seconds,
  iat: seconds,
  nbf: seconds.optional(),
  jti: name,
  /** Some issuers say in the payload what kind of token this is: ID, Refresh and Logout are no access tokens. */
  typ: z
    .string()
    .regex(/^bearer$/i)
    .optional(),
  /** A logout token's. */
  events: z.undefined().optional(),
  /** Bound to a key whose possession a bearer does not prove (RFC 9449 §7.2, RFC 8705 §3). */
  cnf: z.undefined().optional(),
});

export type Claims = z.infer<typeof claimsSchema>;

/** Shape only. */
export function readClaims(payload: JsonObject): Identified<Claims> {
  const parsed = claimsSchema.safeParse(payload);
  return parsed.success ? ok(parsed.data) : refuse("token_invalid");
}

/** What does not depend on the time of day: is it for us, and does it live no longer than allowed. */
export function isAcceptable(claims: Claims, audience: string): boolean {
  const lifeSeconds = claims.exp - claims.iat;
  const forUs = typeof claims.aud === "string" ? claims.aud === audience : claims.aud.includes(audience);
  return forUs && lifeSeconds > 0 && lifeSeconds <= tokenLifeSecondsMax;
}

/** RFC 7519 §4.1.4: on `exp` itself it is over. */
export function checkTime(claims: Claims, nowMs: number): Identified<Claims> {
  const latestStart = nowMs / 1000 + clockSkewSeconds;
  if (claims.iat > latestStart) return refuse("token_invalid");
  if (nowMs >= claims.exp * 1000 || (claims.nbf ?? 0) > latestStart) return refuse("token_expired");
  return ok(claims);
}
