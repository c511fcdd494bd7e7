/** Routes by which a browser gets a session, and loses it. */
import * as z from "zod";
import {
  type Answer,
  json,
  loginCookie,
  noCookie,
  type Received,
  type Route,
  readBounded,
  readLoginCookie,
  sessionCookie,
} from "../http/index.ts";
import { isId, ok, type Refusal, type Result, refuse } from "../kernel/index.ts";
import { awaySeconds, beginLogin, callbackPath, finishLogin, type LoginDesk, logout, logoutByProvider } from "./login.ts";

/** A path of ours, in characters that mean the same to every browser: no other host, no scheme, no climbing. */
const localPath = z
  .string()
  .regex(/^\/[A-Za-z0-9._~/?=&-]{0,200}$/)
  .refine((path) => !path.includes("..") && !path.includes("//"));
/** The provider's words, of which the code and its state are read by whoever speaks its protocol. */
const word = z.string().max(2_048).optional();
const logoutBytesMax = 16_384;
const sessionSchema = z.object({ session: z.object({ issuer: z.string(), subject: z.string(), ends_at: z.iso.datetime() }).nullable() });

export function sessionRoutes(desk: LoginDesk): Route[] {
  return [
    {
      method: "GET",
      path: "/v1/session/login",
      summary: "Away to an organisation's provider, and back with a session",
      query: z.object({ issuer: z.string().refine(isId), return_to: localPath.optional() }),
      answers: { 303: { media: "text/plain; charset=utf-8", description: "To the provider" } },
      refusals: ["not_found", "keys_unavailable", "database_unavailable"],
      handle: async (received) => {
        const { issuer = "", return_to: returnTo = "/v1/session" } = received.query;
        const begun = await beginLogin(desk, { issuer, returnTo });
        if (!begun.ok) return received.turnAway(begun.refusal);
        return ok(away(begun.value.url.href, loginCookie(begun.value.cookie, awaySeconds)));
      },
    },
    {
      method: "GET",
      path: callbackPath,
      summary: "Where providers send people back to",
      query: z.object({ code: word, state: word, iss: word, session_state: word, error: word, error_description: word, error_uri: word }),
      answers: { 303: { media: "text/plain; charset=utf-8", description: "To the page, with a session" } },
      refusals: ["login_refused", "issuer_unavailable", "audit_unavailable", "keys_unavailable", "database_unavailable"],
      handle: async (received) => {
        const query = `?${new URLSearchParams(received.query)}`;
        const done = await finishLogin(desk, received.caller, { query, cookie: readLoginCookie(received.header("cookie")) });
        if (!done.ok) return done;
        return ok(away(done.value.returnTo, sessionCookie(done.value.secret, desk.limits.hours * 3_600)));
      },
    },
    {
      method: "GET",
      path: "/v1/session",
      summary: "Who has logged in, and until when",
      answers: { 200: { media: "application/json", description: "null: nobody", schema: sessionSchema } },
      refusals: ["database_unavailable", "issuer_unavailable"],
      handle: async (received) => {
        const who = received.caller.authorization === null ? null : await desk.identity.identify(received.caller.authorization);
        const session = who?.ok
          ? { issuer: who.value.issuer, subject: who.value.subject, ends_at: new Date(who.value.expiresAt).toISOString() }
          : null;
        return ok(json(JSON.stringify({ session })));
      },
    },
    {
      method: "POST",
      path: "/v1/session/logout",
      summary: "End the session that comes with this request",
      answers: { 200: { media: "application/json", description: "There is none any more", schema: sessionSchema } },
      refusals: ["audit_unavailable", "database_unavailable", "issuer_unavailable"],
      handle: async (received) => {
        await logout(desk, received.caller);
        const headers = { "set-cookie": noCookie, "clear-site-data": '"cache", "cookies", "storage"' };
        return ok(json('{"session":null}', headers));
      },
    },
    {
      method: "POST",
      path: "/v1/session/backchannel-logout",
      summary: "Where providers say that a session of theirs is over",
      body: {
        media: "application/x-www-form-urlencoded",
        bytesMax: logoutBytesMax,
        description: "`logout_token`, as OpenID Connect Back-Channel Logout 1.0 has it.",
      },
      answers: { 200: { media: "application/json", description: "None of its sessions counts any more", schema: z.object({}) } },
      refusals: ["logout_refused", "audit_unavailable", "database_unavailable", "issuer_unavailable"],
      handle: async (received) => {
        const token = await readLogoutForm(received);
        if (!token.ok) return received.turnAway(token.refusal);
        const done = await logoutByProvider(desk, received.caller, token.value);
        return done.ok ? ok(json("{}")) : done;
      },
    },
  ];
}

async function readLogoutForm({ stream }: Received): Promise<Result<string, Refusal>> {
  const bytes = await readBounded(stream, logoutBytesMax);
  if (bytes === null) return refuse({ code: "too_large" });
  const [token, ...others] = new URLSearchParams(new TextDecoder().decode(bytes)).getAll("logout_token");
  return token === undefined || others.length > 0 ? refuse({ code: "logout_refused" }) : ok(token);
}

function away(location: string, cookie: string): Answer {
  return { status: 303, media: "text/plain; charset=utf-8", headers: { location, "set-cookie": cookie }, body: "" };
}
