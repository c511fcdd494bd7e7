/**
 * The claims we rely on (RFC 7519, RFC 9068 §2.2), and no others. Roles, groups and scopes in a token give nothing here; an issuer's profile
 * may demand some of them, and the one tenant whose tokens count, of every token.
 */
import * as z from "zod";
import { type Json, type JsonObject, ok, refuse } from "../kernel/index.ts";
import type { Identified } from "./refusal.ts";

export const tokenLifeSecondsMax = 3600;
/** How far an issuer's clock may be ahead of ours, for `iat` and `nbf`. There is no grace after `exp`. */
const clockSkewSeconds = 60;

/** Non-empty, at most 255 characters, none of them a control character. */
export const nameClaim = z.string().regex(/^\P{Cc}{1,255}$/u);
export const secondsClaim = z.int().min(1);
const audience = z.string().min(1).max(512);
export const audienceClaim = z.union([audience, z.array(audience).min(1).max(32)]);

const claimsSchema = z.object({
  iss: z.string().min(1).max(512),
  sub: nameClaim,
  aud: audienceClaim,
  exp: secondsClaim,
  iat: secondsClaim,
  nbf: secondsClaim.optional(),
  jti: nameClaim,
  /** When its holder last proved who they are (RFC 9068 §2.2.1). */
  auth_time: secondsClaim.optional(),
  /** Some issuers say in the payload what kind of token this is: ID, Refresh and Logout are no access tokens. */
  typ: z
    .string()
    .regex(/^bearer$/i)
    .optional(),
  /** A logout token's. */
  events: z.undefined().optional(),
  /** Bound to a key: its RFC 7638 thumbprint (RFC 9449 §6.1). Any other binding is one whose possession nobody proves to us (RFC 8705 §3). */
  cnf: z.strictObject({ jkt: z.string().regex(/^[A-Za-z0-9_-]{43}$/) }).optional(),
});

export type Claims = z.infer<typeof claimsSchema>;

/** How an issuer's claims are read. */
export interface ClaimRules {
  /** One of them must be in `aud`. */
  readonly audiences: readonly string[];
  /** Which claim names the holder, and which the token, where that is not `sub` and `jti`. Names only: a mail address is reassigned. */
  readonly subjectClaim: string;
  readonly tokenIdClaim: string;
  /** Of each of these claims one of the values must be there. */
  readonly required: Readonly<Record<string, readonly string[]>>;
}

/** Shape only. A claim that is not there is not guessed from another one. */
export function readClaims(payload: JsonObject, { subjectClaim, tokenIdClaim }: ClaimRules): Identified<Claims> {
  const parsed = claimsSchema.safeParse({ ...payload, sub: claimOf(payload, subjectClaim), jti: claimOf(payload, tokenIdClaim) });
  return parsed.success ? ok(parsed.data) : refuse("token_invalid");
}

/** What does not depend on the time of day: is it for us, has it what its issuer's profile demands, and does it live no longer than allowed. */
export function isAcceptable(claims: Claims, payload: JsonObject, { audiences, required }: ClaimRules): boolean {
  const lifeSeconds = claims.exp - claims.iat;
  const named = typeof claims.aud === "string" ? [claims.aud] : claims.aud;
  return named.some(isOneOf(audiences)) && meetsDemands(payload, required) && lifeSeconds > 0 && lifeSeconds <= tokenLifeSecondsMax;
}

/** Has a token what its issuer's profile demands of it? */
export function meetsDemands(payload: JsonObject, required: ClaimRules["required"]): boolean {
  return Object.entries(required).every(([name, values]) => valuesOf(name, claimOf(payload, name)).some(isOneOf(values)));
}

function claimOf(payload: JsonObject, name: string): Json | undefined {
  return Object.hasOwn(payload, name) ? payload[name] : undefined;
}

/** A list's texts, or the one text; RFC 8693 §4.2: a scope is several, with a blank between them. */
function valuesOf(name: string, value: Json | undefined): readonly unknown[] {
  if (typeof value === "string") return name === "scope" || name === "scp" ? value.split(" ") : [value];
  return Array.isArray(value) ? value : [];
}

function isOneOf(values: readonly string[]): (value: unknown) => boolean {
  return (value) => typeof value === "string" && values.includes(value);
}

/** RFC 7519 §4.1.4: on `exp` itself it is over. */
export function checkTime<Timed extends Pick<Claims, "iat" | "exp" | "nbf">>(claims: Timed, nowMs: number): Identified<Timed> {
  const latestStart = nowMs / 1000 + clockSkewSeconds;
  if (claims.iat > latestStart) return refuse("token_invalid");
  if (nowMs >= claims.exp * 1000 || (claims.nbf ?? 0) > latestStart) return refuse("token_expired");
  return ok(claims);
}
