/**
 * People of organisations come by a page:  away to their provider → back with a code → who it is → a session, by an entry.
 * What has to come back with the browser lies sealed in its cookie, so nothing is stored for who never comes back. A session is new with each login, and its
 * secret is in the browser alone.
 */

import * as z from "zod";
import { gatewayLog } from "../audit/index.ts";
import { type Aead, fromBase64Url, fromUtf8, hkdfSha256, keyBytes, open, randomBytes, seal, toBase64Url, utf8 } from "../crypto/index.ts";
import type { TokenIdentity } from "../identity/index.ts";
import { isSession, ok, type Presented, type Refusal, type RefusalCode, type Result, refuse } from "../kernel/index.ts";
import type { AuditKeys } from "../keys/index.ts";
import type { OfficeDoor, Visit } from "../offices/index.ts";
import { endSession, endSessions, insertSession, type SessionLimits, selectSessionsOf, sessionId } from "../sessions/index.ts";
import type { LoginProvider, Pending } from "./login-provider.ts";

/** How long somebody may be away to log in. */
export const awaySeconds = 600;

export interface LoginDesk extends OfficeDoor {
  readonly aead: Aead;
  readonly auditKeys: AuditKeys;
  readonly providers: ReadonlyMap<string, LoginProvider>;
  readonly readLogout: TokenIdentity["readLogout"];
  readonly limits: SessionLimits;
  /** The gateway's own: where providers send people back to. */
  readonly origin: string;
  /** Milliseconds. */
  readonly now: () => number;
}

export const callbackPath = "/v1/session/callback";

const awaySchema = z.strictObject({
  issuer: z.string(),
  state: z.string(),
  nonce: z.string(),
  verifier: z.string(),
  returnTo: z.string(),
  until: z.number(),
});

/** `cookie`: sealed, base64url. */
export async function beginLogin(
  desk: LoginDesk,
  { issuer, returnTo }: { readonly issuer: string; readonly returnTo: string },
): Promise<Result<{ readonly url: URL; readonly cookie: string }, Refusal>> {
  const provider = desk.providers.get(issuer);
  if (!provider) return refuse({ code: "not_found" });
  const { url, pending } = await provider.begin(desk.origin + callbackPath);
  const away = { ...pending, returnTo, until: desk.now() + awaySeconds * 1_000 };
  return ok({ url, cookie: toBase64Url(seal(desk.aead, await awayKey(desk), awayPlace, utf8(JSON.stringify(away)))) });
}

/** `query`: as the browser brought it. `cookie`: as `beginLogin` made it; `null` = the browser has none. */
export async function finishLogin(
  desk: LoginDesk,
  visit: Visit,
  { query, cookie }: { readonly query: string; readonly cookie: string | null },
): Promise<Result<{ readonly secret: string; readonly returnTo: string }, Refusal>> {
  const away = cookie === null ? null : await openAway(desk, cookie);
  const provider = away && desk.providers.get(away.issuer);
  if (!away || !provider || away.until <= desk.now()) return turnAway(desk, visit, "login_refused");
  const found = await provider.finish(desk.origin + callbackPath, new URL(callbackPath + query, desk.origin), away);
  if (!found.ok) return turnAway(desk, visit, found.refusal === "unavailable" ? "issuer_unavailable" : "login_refused");
  const { subject, ...theirs } = found.value;
  const person = { issuer: away.issuer, subject };
  const secret = toBase64Url(randomBytes(32));
  const actor = { role: "unknown", ...person } as const;
  const outcome = { effect: "allow", code: "opened" } as const;
  await desk.audit.append(await desk.logs.gateway(desk.database), { event: "session.opened", actor, request: visit.request, outcome });
  await insertSession(desk.database, { id: sessionId(secret), ...person, ...theirs }, desk.limits);
  return ok({ secret, returnTo: away.returnTo });
}

/** Whatever was shown, afterwards it is no session. */
export async function logout(desk: LoginDesk, visit: Visit): Promise<void> {
  const who = await desk.identity.identify(visit.authorization);
  const id = sessionOf(visit.authorization);
  if (!who.ok || id === null) return;
  const { issuer, subject } = who.value;
  const actor = { role: "unknown", issuer, subject } as const;
  const outcome = { effect: "allow", code: "closed" } as const;
  await desk.audit.append(await desk.logs.gateway(desk.database), { event: "session.closed", actor, request: visit.request, outcome });
  await endSession(desk.database, id);
}

/** What a provider says is over: each session of its, by an entry. `token`: as it sent it. */
export async function logoutByProvider(desk: LoginDesk, visit: Visit, token: string): Promise<Result<void, Refusal>> {
  const said = await desk.readLogout(token);
  if (!said.ok) return turnAway(desk, visit, said.refusal === "issuer_unavailable" ? "issuer_unavailable" : "logout_refused");
  const { issuer } = said.value;
  const over = await selectSessionsOf(desk.database, said.value);
  const log = await desk.logs.gateway(desk.database);
  for (const subject of new Set(over.map((session) => session.subject))) {
    const sessions = over.filter((session) => session.subject === subject).length;
    const outcome = { effect: "allow", code: "closed_by_provider" } as const;
    const draft = { event: "session.closed", actor: { role: "unknown", issuer, subject }, outcome, facts: { sessions } } as const;
    await desk.audit.append(log, { ...draft, request: visit.request });
  }
  await endSessions(
    desk.database,
    over.map(({ id }) => id),
  );
  return ok(undefined);
}

function sessionOf(shown: Presented | null): Uint8Array | null {
  return isSession(shown) ? sessionId(shown.session) : null;
}

async function openAway(desk: LoginDesk, cookie: string): Promise<(Pending & { returnTo: string; until: number }) | null> {
  try {
    const text = open(desk.aead, await awayKey(desk), awayPlace, fromBase64Url(cookie));
    return text === null ? null : awaySchema.parse(JSON.parse(fromUtf8(text)));
  } catch {
    return null;
  }
}

const awayPlace = utf8("postern/login/1");

async function awayKey({ auditKeys, database }: LoginDesk): Promise<Uint8Array> {
  return hkdfSha256(await auditKeys.keyOf(database, gatewayLog, "pseudonym"), new Uint8Array(), awayPlace, keyBytes);
}

async function turnAway(desk: LoginDesk, { request }: Visit, code: RefusalCode): Promise<Result<never, Refusal>> {
  const outcome = { effect: "deny", code } as const;
  await desk.strangers.refused(code, () => Promise.resolve({ event: "request.refused", actor: { role: "unknown" }, request, outcome }));
  return refuse({ code });
}
