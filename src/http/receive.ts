/** The door for requests: path, query, headers and body are held to their grammar before anything else looks at them. */
import type * as z from "zod";
import { type Json, JsonSyntaxError, ok, parseJson, type Refusal, type Result, refuse } from "../kernel/index.ts";
import { type BodySchema, parameters, type Route } from "./route.ts";

export function readParams(raw: Readonly<Record<string, string>>): Result<Readonly<Record<string, string>>, Refusal> {
  for (const [name, value] of Object.entries(raw)) {
    if (!parameters[name]?.test(value)) return refuse({ code: "bad_id", errors: [{ pointer: `path:${name}`, code: "grammar" }] });
  }
  return ok(raw);
}

/** An id as a path names it. `null` = none, or not of its grammar. */
export function readId(text: string | undefined): string | null {
  return text !== undefined && parameters.contract?.test(text) ? text : null;
}

/** Unknown and repeated parameters are refused: what a caller believes to have filtered by must not be ignored. */
export function readQuery(url: URL, schema: Route["query"]): Result<Readonly<Record<string, string>>, Refusal> {
  const query: Record<string, string> = Object.create(null);
  for (const [name, value] of url.search === "" ? [] : url.searchParams) {
    const known = schema !== undefined && (schema === "any" || Object.hasOwn(schema.shape, name));
    if (!known || name in query) {
      return refuse({
        code: "bad_query",
        errors: [{ pointer: known && schema !== "any" ? `query:${name}` : "query", code: known ? "repeated" : "unknown" }],
      });
    }
    // Nothing that anybody filters by holds one, and the database takes no NUL.
    if (/\p{Cc}/u.test(value)) return refuse({ code: "bad_query", errors: [{ pointer: `query:${name}`, code: "grammar" }] });
    query[name] = value;
  }
  const parsed = schema === "any" ? undefined : schema?.safeParse(query);
  if (parsed && !parsed.success) {
    return refuse({
      code: "bad_query",
      errors: parsed.error.issues.map((issue) => ({ pointer: `query:${issue.path.join(".")}`, code: issue.code })),
    });
  }
  return ok(query);
}

const reasonTextMax = 4_500;
/** 1 to 500 characters that can be seen, or stand between such. */
const reasonPattern = /^(?=.*\S)[^\p{Cc}\p{Cf}\p{Co}\p{Cs}]{1,500}$/u;

/** Postern-Reason: why, in the caller's own words, as UTF-8 percent-encoded. `undefined` = not said; `null` = not of that grammar. */
export function readReason(text: string | null): string | null | undefined {
  if (text === null) return undefined;
  if (text.length > reasonTextMax || !/^[\x21-\x7e]*$/.test(text)) return null;
  try {
    const reason = decodeURIComponent(text).trim();
    return reasonPattern.test(reason) ? reason : null;
  } catch {
    return null;
  }
}

/** `null` = absent. */
export type HeaderReader = (name: string) => string | null;

export function checkHeaders(header: HeaderReader): Result<void, Refusal> {
  const authorization = header("authorization");
  if (authorization?.includes(",")) return refuse({ code: "bad_header", errors: [{ pointer: "header:authorization", code: "repeated" }] });
  if (header("content-encoding"))
    return refuse({ code: "wrong_media_type", errors: [{ pointer: "header:content-encoding", code: "unknown" }] });
  if (readReason(header("postern-reason")) === null)
    return refuse({ code: "bad_header", errors: [{ pointer: "header:postern-reason", code: "grammar" }] });
  return ok(undefined);
}

/** The media type without parameters must be one of these; a charset other than UTF-8 is refused. */
export function checkMedia(contentType: string | null, accepted: readonly string[]): Result<void, Refusal> {
  const [type, ...rest] = (contentType ?? "")
    .toLowerCase()
    .split(";")
    .map((part) => part.trim());
  const charset = rest.find((part) => part.startsWith("charset="));
  const fits = type !== undefined && accepted.includes(type) && (charset === undefined || /^charset="?utf-8"?$/.test(charset));
  return fits ? ok(undefined) : refuse({ code: "wrong_media_type" });
}

/** Of an Idempotency-Key: 16 to 128 characters, or the same in quotes (RFC 9651 §3.3.3). */
export const idempotencyKeyPattern = /^(?:[A-Za-z0-9._~-]{16,128}|"[A-Za-z0-9._~-]{16,128}")$/;

/** Reads and parses JSON, with the digits of its numbers. */
export async function readJson(
  stream: ReadableStream<Uint8Array> | null,
  bytesMax: number,
  limits?: Parameters<typeof parseJson>[1],
): Promise<Result<Json, Refusal>> {
  const bytes = await readBounded(stream, bytesMax);
  if (bytes === null) return refuse({ code: "too_large" });
  try {
    return ok(parseJson(new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes), limits));
  } catch (error) {
    const at = error instanceof JsonSyntaxError ? `body:${error.at}` : "body";
    return refuse({ code: "bad_json", errors: [{ pointer: at, code: "syntax" }] });
  }
}

/** Reads, parses and checks a JSON body. */
export async function readJsonBody(request: Request, body: BodySchema): Promise<Result<unknown, Refusal>> {
  const read = await readJson(request.body, body.bytesMax);
  if (!read.ok || !body.schema) return read;
  const parsed = body.schema.safeParse(read.value);
  if (parsed.success) return ok(parsed.data);
  return refuse({ code: "unacceptable", errors: parsed.error.issues.slice(0, 20).map(describeIssue) });
}

/** Keys that a client made up are not repeated to it. */
function describeIssue(issue: z.core.$ZodIssue): { pointer: string; code: string } {
  return {
    pointer: `/${issue.path
      .map(String)
      .filter((part) => /^[a-z0-9_]{1,40}$/.test(part))
      .join("/")}`,
    code: issue.code,
  };
}

/** `null` = more than `bytesMax`, or bytes that `mayHold` does not let be kept; reading stops there. */
export async function readBounded(
  stream: ReadableStream<Uint8Array> | null,
  bytesMax: number,
  mayHold: (bytes: number) => boolean = () => true,
): Promise<Uint8Array | null> {
  if (!stream) return new Uint8Array();
  const chunks: Uint8Array[] = [];
  let total = 0;
  const reader = stream.getReader();
  for (;;) {
    const { done, value } = await reader.read();
    if (done) break;
    total += value.length;
    if (total > bytesMax || !mayHold(value.length)) {
      await reader.cancel().catch(() => undefined);
      return null;
    }
    chunks.push(value);
  }
  const bytes = new Uint8Array(total);
  let at = 0;
  for (const chunk of chunks) {
    bytes.set(chunk, at);
    at += chunk.length;
  }
  return bytes;
}

/** Routes that share a path, so that another method is answered 405 with what is allowed. A literal segment comes before a parameter in its place. */
export function byPath(routes: readonly Route[]): [string, Route[]][] {
  const groups = new Map<string, Route[]>();
  for (const route of routes) {
    const group = groups.get(route.path) ?? [];
    group.push(route);
    groups.set(route.path, group);
  }
  const rank = (path: string) => path.replaceAll(/\{\w+\}/g, "\uffff");
  return [...groups].sort(([a], [b]) => (rank(a) < rank(b) ? -1 : 1));
}
