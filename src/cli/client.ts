/** A client of a running gateway: where it is, who asks, and what its problems say. */
import * as z from "zod";
import { type Environment, readSettings } from "../config.ts";
import { signBuiltIn } from "./built-in-token.ts";
import { exitCodes, Failure } from "./failure.ts";
import { plain, printJson } from "./output.ts";

const answerWithinMs = 60_000;
const tokenSeconds = 900;
/** Long work (an import, a watch) signs again for each request. */
const problemSchema = z.looseObject({
  title: z.string(),
  code: z.string(),
  request_id: z.string(),
  errors: z.array(z.object({ pointer: z.string(), code: z.string(), message: z.string().optional() })).default([]),
});

export interface ClientOptions {
  readonly as?: string | undefined;
  /** Problems are printed as the gateway sent them. */
  readonly json?: boolean | undefined;
  /** Why, in the caller's own words. */
  readonly why?: string | undefined;
  /** RFC 7240: said with every request. */
  readonly prefer?: string | undefined;
}

export interface Upload {
  readonly media: string;
  readonly body: string | ReadableStream<Uint8Array>;
}

export interface Client {
  readonly origin: string;
  /** Answers only what succeeded. Throws Failure with the problem otherwise. */
  send(method: "GET" | "POST" | "PUT" | "DELETE", path: string, upload?: Upload): Promise<Response>;
  /** A GET whose answer may take as long as it has to say something; only its beginning is waited for like any other's. */
  stream(path: string, more?: Readonly<Record<string, string>>): Promise<Response>;
  get<Value>(schema: z.ZodType<Value>, path: string): Promise<Value>;
  /** `body` goes as JSON. */
  post<Value>(schema: z.ZodType<Value>, path: string, body?: unknown): Promise<Value>;
  put<Value>(schema: z.ZodType<Value>, path: string, body: unknown): Promise<Value>;
}

/** Reads POSTERN_ORIGIN and POSTERN_TOKEN. */
export function createClient({ as, json = false, prefer, why }: ClientOptions): Client {
  const settings = readSettings(process.env);
  const origin = settings.POSTERN_ORIGIN.replace(/\/+$/, "");
  const send: Client["send"] = async (method, path, upload) => {
    const said = {
      ...(prefer !== undefined && { prefer }),
      ...(why !== undefined && { "postern-reason": encodeURIComponent(why.toWellFormed()) }),
    };
    const headers = { authorization: `Bearer ${await tokenOf(settings, as)}`, "accept-language": "en", ...said };
    const response = await reach(origin, path, { method, headers, redirect: "error", ...contentOf(headers, upload) });
    if (!response.ok) throw await problemOf(response, json);
    return response;
  };
  const stream: Client["stream"] = async (path, more = {}) => {
    const headers = { authorization: `Bearer ${await tokenOf(settings, as)}`, "accept-language": "en", ...more };
    const begun = new AbortController();
    const timer = setTimeout(() => begun.abort(), answerWithinMs);
    const response = await reach(origin, path, { headers, redirect: "error", signal: begun.signal }).finally(() => clearTimeout(timer));
    if (!response.ok) throw await problemOf(response, json);
    return response;
  };
  return {
    origin,
    send,
    stream,
    get: async (schema, path) => answerOf(schema, await send("GET", path)),
    post: async (schema, path, body) =>
      answerOf(
        schema,
        await send("POST", path, body === undefined ? undefined : { media: "application/json", body: JSON.stringify(body) }),
      ),
    put: async (schema, path, body) => answerOf(schema, await send("PUT", path, { media: "application/json", body: JSON.stringify(body) })),
  };
}

async function tokenOf(settings: Environment, as: string | undefined): Promise<string> {
  if (as !== undefined) return signBuiltIn(settings, as, tokenSeconds);
  const token = settings.POSTERN_TOKEN?.trim();
  if (!token) throw new Failure("who asks? set POSTERN_TOKEN, or in the demo say --as PRINCIPAL", exitCodes.usage);
  if (!/^[\x21-\x7e]+$/.test(token)) throw new Failure("POSTERN_TOKEN is not a token", exitCodes.usage);
  return token;
}

function contentOf(headers: Readonly<Record<string, string>>, upload: Upload | undefined): RequestInit {
  if (upload === undefined) return { signal: AbortSignal.timeout(answerWithinMs) };
  const content = { body: upload.body, headers: { ...headers, "content-type": upload.media } };
  return typeof upload.body === "string"
    ? { ...content, signal: AbortSignal.timeout(answerWithinMs) }
    : Object.assign(content, { duplex: "half" });
}

async function reach(origin: string, path: string, init: RequestInit): Promise<Response> {
  try {
    return await fetch(`${origin}${path}`, init);
  } catch (error) {
    if (error instanceof Failure) throw error;
    const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error;
    const code = cause instanceof Error && "code" in cause ? String(cause.code) : cause instanceof Error ? cause.name : "no answer";
    throw new Failure(
      `no gateway answers at ${origin} (${code}); start one with \`npx postern serve\`, or set POSTERN_ORIGIN`,
      exitCodes.unavailable,
    );
  }
}

async function answerOf<Value>(schema: z.ZodType<Value>, response: Response): Promise<Value> {
  const parsed = schema.safeParse(await response.json().catch(() => null));
  if (!parsed.success) throw new Failure(`${new URL(response.url).origin} does not answer like a gateway of this version`);
  return parsed.data;
}

async function problemOf(response: Response, json: boolean): Promise<Failure> {
  const parsed = problemSchema.safeParse(await response.json().catch(() => null));
  if (!parsed.success) return new Failure(`the gateway answered ${response.status} without saying why; is POSTERN_ORIGIN a Postern?`);
  if (json) printJson(parsed.data);
  const { title, code, request_id, errors } = parsed.data;
  return new Failure(`${plain(title)} (${plain(code)})`, exitCodes.failed, [...errors.map(errorLine), `request ${plain(request_id)}`]);
}

/** Messages about a file begin with the place already. */
function errorLine({ pointer, code, message }: z.infer<typeof problemSchema>["errors"][number]): string {
  if (message === undefined) return plain(`${pointer}: ${code}`);
  return plain(message.startsWith(pointer) ? message : `${pointer}: ${message}`);
}
