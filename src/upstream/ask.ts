/**
 * One question to a merchant's API:  credential → reach → status → media → bytes, bounded → JSON, lossless → no error inside
 *
 * Nothing that a client sent goes up but the path and the parameters that the connector names. Nothing that came down leaves this file but a whole body
 * that was read to its end; what the upstream says of an error is dropped.
 */
import { type Authentication, type Connector, type ErrorKind, errorIn } from "../connectors/index.ts";
import { toBase64, utf8 } from "../crypto/index.ts";
import { readBounded } from "../http/index.ts";
import { type Json, JsonSyntaxError, parseJson, type RefusalCode } from "../kernel/index.ts";
import type { Incoming, Reach } from "./reach.ts";
import { readTaobaoCredential, signedForTaobao } from "./taobao-query.ts";

export interface Question {
  readonly path: string;
  readonly query: Readonly<Record<string, string>>;
  readonly credential: string;
  readonly nowMs: number;
}

/** `status`: the upstream's; absent where there was no answer. */
export type Asked =
  | { readonly ok: true; readonly status: number; readonly body: Json; readonly link: string | null }
  | { readonly ok: false; readonly status?: number; readonly refusal: UpstreamRefusal };

export type UpstreamRefusal = Extract<
  RefusalCode,
  "not_found" | "upstream_failed" | "upstream_late" | "upstream_busy" | "upstream_limited"
>;

const jsonLimits = { depthMax: 32, breadthMax: 10_000 };

export async function askUpstream(reach: Reach, connector: Connector, question: Question): Promise<Asked> {
  const ending = new AbortController();
  const { promise: late, resolve } = Promise.withResolvers<Asked>();
  const timer = setTimeout(() => resolve({ ok: false, refusal: "upstream_late" }), connector.limits.seconds * 1_000);
  try {
    return await Promise.race([ask(reach, connector, question, ending.signal), late]);
  } finally {
    clearTimeout(timer);
    // Whatever is still under way, in either direction, ends with the answer.
    ending.abort();
  }
}

async function ask(reach: Reach, connector: Connector, question: Question, signal: AbortSignal): Promise<Asked> {
  let status: number | undefined;
  try {
    const incoming = await reach(outgoingOf(connector, question), signal);
    status = incoming.status;
    const body = status === 200 ? await readBody(incoming, connector.limits.bytes) : undefined;
    if (body === undefined) return { ok: false, status, refusal: refusalOf(status) };
    const error = errorIn(body, connector);
    return error === null ? { ok: true, status, body, link: incoming.link } : { ok: false, status, refusal: refusalOfError[error] };
  } catch {
    // A socket, a name, a certificate, a stream that broke: what it says may quote what it failed on.
    return { ok: false, ...(status !== undefined && { status }), refusal: "upstream_failed" };
  }
}

function outgoingOf({ host, base, authentication }: Connector, { path, query, credential, nowMs }: Question) {
  const { headers = {}, asked = query } = carried(authentication, credential, { query, nowMs });
  const parameters = new URLSearchParams(asked).toString();
  const sent = { accept: "application/json", "user-agent": "postern", ...headers };
  return { host, path: `${base}${path}${parameters === "" ? "" : `?${parameters}`}`, headers: sent };
}

interface Carried {
  readonly headers?: Readonly<Record<string, string>>;
  /** With what the credential adds to it. */
  readonly asked?: Question["query"];
}

function carried(authentication: Authentication, credential: string, { query, nowMs }: Pick<Question, "query" | "nowMs">): Carried {
  if (authentication === "bearer") return { headers: { authorization: `Bearer ${credential}` } };
  if (authentication === "basic") return { headers: { authorization: `Basic ${toBase64(utf8(credential))}` } };
  if ("header" in authentication) return { headers: { [authentication.header.toLowerCase()]: credential } };
  const read = readTaobaoCredential(credential);
  if (!read) throw new Error("a credential of another form");
  return { asked: signedForTaobao(query, read, { digest: authentication.taobao, nowMs }) };
}

const refusalOfError = {
  limited: "upstream_limited",
  missing: "not_found",
  refused: "upstream_failed",
  other: "upstream_failed",
} as const satisfies Record<ErrorKind, UpstreamRefusal>;

/** Of an answer that is none. A credential that is refused is the merchant's matter, not the agent's. */
function refusalOf(status: number): UpstreamRefusal {
  if (status === 404 || status === 410) return "not_found";
  if (status === 429) return "upstream_limited";
  return status === 503 ? "upstream_busy" : "upstream_failed";
}

/** `undefined` = not JSON that we accept, or too much of it. */
async function readBody({ media, body }: Incoming, bytesMax: number): Promise<Json | undefined> {
  if (!/^application\/([a-z0-9.+-]+\+)?json\s*(;|$)/i.test(media ?? "")) return undefined;
  const bytes = await readBounded(body, bytesMax);
  if (bytes === null) return undefined;
  try {
    return parseJson(new TextDecoder("utf-8", { fatal: true }).decode(bytes), jsonLimits);
  } catch (fault) {
    if (fault instanceof JsonSyntaxError || fault instanceof TypeError) return undefined;
    throw fault;
  }
}
