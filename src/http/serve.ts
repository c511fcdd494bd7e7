/**
 * Routes onto Hono:  request id → headers → method → path → query → media → body → handler → answer or problem.
 * Built once; what differs per request (address, dependencies on Workers) comes in with it.
 */
import type { Context, Hono } from "hono";
import { HonoBase } from "hono/hono-base";
import { TrieRouter } from "hono/router/trie-router";
import { isProven, ok, type Presented, type Refusal, type RefusalCode, type Result, refusals, refuse } from "../kernel/index.ts";
import { preferredOf } from "./accept.ts";
import { readSessionCookie } from "./cookies.ts";
import { checkHost, checkTarget, type HostNames } from "./host.ts";
import { baseHeaders, type Language, languageOf, problem } from "./problem.ts";
import { byPath, checkHeaders, checkMedia, type HeaderReader, readId, readJsonBody, readParams, readQuery, readReason } from "./receive.ts";
import { type Answer, type Caller, parameters, pathTails, type Received, type Route, type TurnedAway } from "./route.ts";

export interface ServeOptions {
  readonly routes: readonly Route[];
  readonly newRequestId: () => string;
  readonly hosts: HostNames;
  /** The peer's address, where the runtime knows it. */
  readonly addressOf: (c: Context) => string | undefined;
  readonly countryOf?: ((c: Context) => string | undefined) | undefined;
  /** A header by its lower-case name; repeated ones joined by `, `, as Fetch does. Where the runtime has them without building a Headers object. */
  readonly headerOf?: ((c: Context, name: string) => string | null) | undefined;
  /** As the request line has it. Where the runtime knows. */
  readonly targetOf?: ((c: Context) => string | undefined) | undefined;
  /** From a thrown fault to what the caller is told; reports what it does not know. */
  readonly describeFault: (fault: unknown) => Refusal;
  /** Leaves the entry of a request that no use case saw. `route`: one that has the path; `null` = none has. */
  readonly turnedAway: (route: Route | null, away: TurnedAway) => Promise<void>;
  /** Once for every answer. `route`: `GET /v1/contracts/{contract}`, `none` where nothing is served. */
  readonly answered: (route: string, status: number) => void;
}

export function serve(options: ServeOptions): Hono {
  const app: Hono = new HonoBase({ router: new TrieRouter(), strict: true });
  for (const [path, group] of byPath(options.routes)) {
    for (const name of path.matchAll(/\{(\w+)\}/g)) {
      if (!parameters[name[1] ?? ""]) throw new Error(`no grammar for path parameter ${name[0]}`);
    }
    app.all(routerPath(path), (c) => respond(options, c, group));
  }
  app.notFound((c) => respond(options, c, []));
  return app;
}

function routerPath(path: string): string {
  return path.replaceAll(/\{(\w+)\}/g, (_, name: string) => (pathTails.has(name) ? `:${name}{.+}` : `:${name}`));
}

/** A request before anything of it was believed. */
interface Arrival {
  readonly c: Context;
  /** All methods of the path; none: no route has it. */
  readonly group: readonly Route[];
  readonly route: Route | undefined;
  readonly header: HeaderReader;
  readonly caller: Caller;
  readonly turnAway: Received["turnAway"];
}

async function respond(options: ServeOptions, c: Context, group: readonly Route[]): Promise<Response> {
  const arrival = arrivalOf(options, c, group);
  const requestId = arrival.caller.request.id;
  const result = await answerTo(options, arrival);
  const { route } = arrival;
  options.answered(
    route ? `${route.method} ${route.path}` : "none",
    result.ok ? result.value.status : refusals[result.refusal.code].status,
  );
  if (!result.ok) {
    const language: Language = languageOf(arrival.header("accept-language"));
    const allow = group.map((route) => route.method).join(", ");
    const headers = result.refusal.code === "method_not_allowed" ? { allow } : varying(route);
    const form = (route ?? group[0])?.refusalForm;
    return problem(result.refusal, { requestId, language, headers, form, proven: isProven(arrival.caller.authorization) });
  }
  const { status, media, body, headers } = result.value;
  return new Response(body, {
    status,
    headers: { ...baseHeaders, ...varying(route), ...headers, "content-type": media, "x-request-id": requestId },
  });
}

function arrivalOf(
  { headerOf, addressOf, countryOf, newRequestId, turnedAway }: ServeOptions,
  c: Context,
  group: readonly Route[],
): Arrival {
  const route = group.find((candidate) => candidate.method === c.req.raw.method);
  const header: HeaderReader = headerOf ? (name) => headerOf(c, name) : (name) => c.req.raw.headers.get(name);
  const name = route ? `${route.method} ${route.path}` : (group[0]?.path ?? "no route");
  const said = { userAgent: header("user-agent") ?? undefined, reason: readReason(header("postern-reason")) ?? undefined };
  const request = { id: newRequestId(), route: name, address: addressOf(c), country: countryOf?.(c), ...said };
  const caller: Caller = { authorization: credentialOf(c, header), request };
  const turnAway = async (refusal: Refusal): Promise<Result<never, Refusal>> => {
    const named = { contract: readId(c.req.param("contract") ?? c.req.param("log")), vendor: readId(c.req.param("vendor")) };
    await turnedAway(route ?? group[0] ?? null, { refusal, caller, ...named });
    return refuse(refusal);
  };
  return { c, group, route, header, caller, turnAway };
}

/** A proof of possession is about the request that it comes with. */
function credentialOf(c: Context, header: HeaderReader): Presented | null {
  const authorization = header("authorization");
  if (authorization === null) return sessionOf(c, header);
  if (!/^dpop /i.test(authorization)) return authorization;
  return { authorization, proof: header("dpop"), method: c.req.raw.method, path: new URL(c.req.raw.url).pathname };
}

/** What changes anything must come from a page of ours: another site's form brings the cookie as well, but cannot say so (Fetch Metadata). */
function sessionOf(c: Context, header: HeaderReader): Presented | null {
  const session = readSessionCookie(header("cookie"));
  return session !== null && (c.req.raw.method === "GET" || header("sec-fetch-site") === "same-origin") ? { session } : null;
}

/** Where the log cannot be written, no entry can say so. */
const speechless: readonly RefusalCode[] = ["audit_unavailable", "database_unavailable"];

async function answerTo({ describeFault, hosts, targetOf }: ServeOptions, arrival: Arrival): Promise<Result<Answer, Refusal>> {
  const { group, route, turnAway } = arrival;
  try {
    if (!route) return await turnAway({ code: group.length > 0 ? "method_not_allowed" : "not_found" });
    const received = await receive(arrival, route, { hosts, target: targetOf?.(arrival.c) });
    return received.ok ? await route.handle(received.value) : await turnAway(received.refusal);
  } catch (fault) {
    const refusal = describeFault(fault);
    if (speechless.includes(refusal.code)) return refuse(refusal);
    return turnAway(refusal).catch(() => refuse(refusal));
  }
}

interface Addressed {
  readonly hosts: HostNames;
  readonly target: string | undefined;
}

async function receive(
  { c, header, caller, turnAway }: Arrival,
  route: Route,
  { hosts, target }: Addressed,
): Promise<Result<Received, Refusal>> {
  const request = c.req.raw;
  const url = new URL(request.url);
  const host = route.anyHost ? ok(undefined) : checkHost(hosts, url, header("host"));
  if (!host.ok) return host;
  const asSent = checkTarget(url, target);
  if (!asSent.ok) return asSent;
  if (url.pathname.includes("%")) return refuse({ code: "bad_id", errors: [{ pointer: "path", code: "grammar" }] });
  const headers = checkHeaders(header);
  if (!headers.ok) return headers;
  const params = readParams(c.req.param());
  if (!params.ok) return params;
  const query = readQuery(url, route.query);
  if (!query.ok) return query;
  const media = chooseMedia(header("accept"), route);
  if (!media.ok) return media;
  const body = await readBody(request, header, route);
  if (!body.ok) return body;
  return ok({
    params: params.value,
    query: query.value,
    body: body.value,
    media: media.value,
    stream: route.body && !route.body.schema ? request.body : null,
    header,
    caller,
    turnAway,
  });
}

function chooseMedia(accept: string | null, { answers }: Route): Result<string, Refusal> {
  const { media = "", alsoAs } = answers[200] ?? {};
  if (!alsoAs) return ok(media);
  const offered = [media, ...alsoAs];
  const chosen = preferredOf(accept, offered);
  if (chosen !== null) return ok(chosen);
  return refuse({ code: "not_acceptable", errors: [{ pointer: "header:accept", code: "not_offered", message: offered.join(", ") }] });
}

function varying(route: Route | undefined): Readonly<Record<string, string>> {
  return route?.answers[200]?.alsoAs ? { vary: "accept" } : {};
}

async function readBody(request: Request, header: HeaderReader, route: Route): Promise<Result<unknown, Refusal>> {
  if (!route.body) return ok(undefined);
  const length = Number(header("content-length") ?? 0);
  if (length > route.body.bytesMax) return refuse({ code: "too_large" });
  const media = checkMedia(header("content-type"), [route.body.media, ...(route.body.alsoAs ?? [])]);
  if (!media.ok) return media;
  return route.body.schema ? readJsonBody(request, route.body) : ok(undefined);
}
