/**
 * Logout tokens (OpenID Connect Back-Channel Logout 1.0 §2.4, §2.6): a provider says that a session of its, or every one of a person's, is over.
 * Whoever shows one twice ends what has ended, so none is remembered; each lives for minutes.
 */
import * as z from "zod";
import { ok, refuse } from "../kernel/index.ts";
import { audienceClaim, checkTime, nameClaim, secondsClaim } from "./claims.ts";
import type { Issuer } from "./issuers.ts";
import type { Identified } from "./refusal.ts";
import { readToken, type TokenForm } from "./token-form.ts";
import type { TokenType } from "./token-type.ts";

const lifeSecondsMax = 600;
const event = "http://schemas.openid.net/event/backchannel-logout";
const logoutTypes: readonly string[] = ["logout+jwt", "application/logout+jwt"];

const claimsSchema = z
  .object({
    iss: z.string(),
    aud: audienceClaim,
    iat: secondsClaim,
    exp: secondsClaim,
    nbf: secondsClaim.optional(),
    jti: nameClaim,
    sub: nameClaim.optional(),
    sid: nameClaim.optional(),
    events: z.looseObject({ [event]: z.looseObject({}) }),
    /** An ID token's. */
    nonce: z.undefined().optional(),
  })
  .refine(({ sub, sid }) => sub !== undefined || sid !== undefined);

/** In the provider's own words. One of the two is there. */
export interface LoggedOut {
  /** The issuer profile's id. */
  readonly issuer: string;
  readonly providerSubject: string | null;
  readonly providerSession: string | null;
}

/** Never throws for what anybody sends. */
export async function readLogoutToken(issuers: ReadonlyMap<string, Issuer>, token: string, nowMs: number): Promise<Identified<LoggedOut>> {
  const form = readToken(token);
  if (!form.ok) return form;
  const issuer = typeof form.value.payload.iss === "string" ? issuers.get(form.value.payload.iss) : undefined;
  if (!issuer || issuer.loginClient === null) return refuse("token_unknown_issuer");
  if (!isLogoutToken(form.value, issuer.tokenType)) return refuse("token_malformed");
  const claims = claimsSchema.safeParse(form.value.payload);
  if (!claims.success) return refuse("token_invalid");
  const { aud, iat, exp, sub = null, sid = null } = claims.data;
  const isForUs = (typeof aud === "string" ? [aud] : aud).includes(issuer.loginClient);
  if (!isForUs || exp <= iat || exp - iat > lifeSecondsMax) return refuse("token_invalid");
  const signature = await issuer.checkSignature(token, form.value.header);
  if (!signature.ok) return signature;
  const current = checkTime(claims.data, nowMs);
  return current.ok ? ok({ issuer: issuer.id, providerSubject: sub, providerSession: sid }) : current;
}

/** Its header says so; where the profile allows what providers wrote before there was a name for it, its event does. */
function isLogoutToken({ header: { typ } }: TokenForm, allowed: TokenType): boolean {
  const named = typ?.toLowerCase();
  if (named !== undefined && logoutTypes.includes(named)) return true;
  return allowed === "jwt" && (named === undefined || named === "jwt");
}
