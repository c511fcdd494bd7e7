/**
 * Routes onto Hono:  request id → headers → method → path → query → media → body → handler → answer or problem.
 * Built once; what differs per request (address, dependencies on Workers) comes in with it.
 */
import { type Context, Hono } from "hono";
import { ok, type Refusal, type Result, refuse } from "../kernel/index.ts";
import { baseHeaders, type Language, languageOf, problem } from "./problem.ts";
import { byPath, checkHeaders, checkMedia, type HeaderReader, readJsonBody, readParams, readQuery } from "./receive.ts";
import { type Answer, parameters, pathTails, type Received, type Route } from "./route.ts";

export interface ServeOptions {
  readonly routes: readonly Route[];
  readonly newRequestId: () => string;
  /** The peer's address, where the runtime knows it. */
  readonly addressOf: (c: Context) => string | undefined;
  /** A header by its lower-case name; repeated ones joined by `, `, as Fetch does. Where the runtime has them without building a Headers object. */
  readonly headerOf?: ((c: Context, name: string) => string | null) | undefined;
  /** From a thrown fault to what the caller is told; reports what it does not know. */
  readonly describeFault: (fault: unknown) => Refusal;
}

export function serve(options: ServeOptions): Hono {
  const app = new Hono({ strict: true });
  for (const [path, group] of byPath(options.routes)) {
    for (const name of path.matchAll(/\{(\w+)\}/g)) {
      if (!parameters[name[1] ?? ""]) throw new Error(`no grammar for path parameter ${name[0]}`);
    }
    const allow = group.map((route) => route.method).join(", ");
    app.all(routerPath(path), (c) => {
      const route = group.find((candidate) => candidate.method === c.req.raw.method);
      return respond(
        options,
        c,
        () => (route ? run(c, route, options) : Promise.resolve(refuse({ code: "method_not_allowed" } as const))),
        { allow },
      );
    });
  }
  app.notFound((c) => respond(options, c, () => Promise.resolve(refuse({ code: "not_found" } as const)), {}));
  return app;
}

function routerPath(path: string): string {
  return path.replaceAll(/\{(\w+)\}/g, (_, name: string) => (pathTails.has(name) ? `:${name}{.+}` : `:${name}`));
}

const requestIds = new WeakMap<Request, string>();

async function run(c: Context, route: Route, options: ServeOptions): Promise<Result<Answer, Refusal>> {
  const request = c.req.raw;
  const url = new URL(request.url);
  if (url.pathname.includes("%")) return refuse({ code: "bad_id", errors: [{ pointer: "path", code: "grammar" }] });
  const header = headerReader(options, c);
  const headers = checkHeaders(header);
  if (!headers.ok) return headers;
  const params = readParams(c.req.param());
  if (!params.ok) return params;
  const query = readQuery(url, route.query);
  if (!query.ok) return query;
  const body = await readBody(request, header, route);
  if (!body.ok) return body;
  const received: Received = {
    params: params.value,
    query: query.value,
    body: body.value,
    stream: route.body && !route.body.schema ? request.body : null,
    header,
    id: requestIds.get(request) ?? "",
    route: `${route.method} ${route.path}`,
    address: options.addressOf(c),
    userAgent: header("user-agent") ?? undefined,
  };
  return route.handle(received);
}

function headerReader({ headerOf }: ServeOptions, c: Context): HeaderReader {
  return headerOf ? (name) => headerOf(c, name) : (name) => c.req.raw.headers.get(name);
}

async function readBody(request: Request, header: HeaderReader, route: Route): Promise<Result<unknown, Refusal>> {
  if (!route.body) return ok(undefined);
  const length = Number(header("content-length") ?? 0);
  if (length > route.body.bytesMax) return refuse({ code: "too_large" });
  const media = checkMedia(header("content-type"), route.body.media);
  if (!media.ok) return media;
  return route.body.schema ? readJsonBody(request, route.body) : ok(undefined);
}

async function respond(
  options: ServeOptions,
  c: Context,
  work: () => Promise<Result<Answer, Refusal>>,
  { allow }: { allow?: string },
): Promise<Response> {
  const { newRequestId, describeFault } = options;
  const requestId = newRequestId();
  requestIds.set(c.req.raw, requestId);
  const language: Language = languageOf(headerReader(options, c)("accept-language"));
  const result = await work().catch((fault: unknown) => refuse(describeFault(fault)));
  if (!result.ok) {
    const headers = result.refusal.code === "method_not_allowed" && allow ? { allow } : {};
    return problem(result.refusal, { requestId, language, headers });
  }
  const { status, media, body, headers } = result.value;
  return new Response(body, { status, headers: { ...baseHeaders, ...headers, "content-type": media, "x-request-id": requestId } });
}
