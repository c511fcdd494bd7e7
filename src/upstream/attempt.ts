/**
 * One attempt at a merchant's API:  credential → reach → status → media → bytes, bounded → JSON, lossless → no error inside
 *
 * Nothing that a client sent goes up but the path and the parameters that the connector names. Nothing that came down leaves this file but a whole body
 * that was read to its end; what the upstream says of an error is dropped.
 */
import { type ApiConnector, type Authentication, type ErrorKind, errorIn, type WriteMethod } from "../connectors/index.ts";
import { toBase64, utf8 } from "../crypto/index.ts";
import { type Json, JsonSyntaxError, parseJson } from "../kernel/index.ts";
import type { Gate } from "./gates.ts";
import type { Incoming, Reach } from "./reach.ts";
import { readTaobaoCredential, signedForTaobao } from "./taobao-query.ts";

export interface Question {
  readonly path: string;
  readonly query: Readonly<Record<string, string>>;
  readonly credential: string;
  readonly nowMs: number;
  /** Absent: it is asked and nothing is written. */
  readonly write?: UpstreamWrite;
}

export interface UpstreamWrite {
  readonly method: WriteMethod;
  /** JSON. */
  readonly body: string;
  /** By which the upstream knows it, should it come again; absent where it knows none. */
  readonly repeat?: { readonly header: string; readonly key: string };
}

/**
 * `unreached`: a name, a socket, a certificate, a stream that broke. `broken`: a gateway's 502 or 504 in front of it, or a 503 that does not say until when.
 * `unusable`: an answer, and none that can be used. `rejected`: of a write, for what is in it.
 */
type Fault = "unreached" | "rejected" | "broken" | "unusable" | "limited" | "busy" | "missing" | "credential_refused";

/** `status`: an API's; absent where there was no answer. `retryAfter`: its own word. `detail`: in words of ours, for the log alone. */
export type Attempt =
  | { readonly ok: true; readonly status?: number; readonly body: Json; readonly link: string | null }
  | {
      readonly ok: false;
      readonly status?: number;
      readonly fault: Fault;
      readonly retryAfter?: string | null;
      readonly detail?: string;
    };

export const jsonLimits = { depthMax: 32, breadthMax: 10_000 };

interface Bounds {
  readonly signal: AbortSignal;
  readonly mayHold: Gate["mayHold"];
}

export async function attempt(reach: Reach, connector: ApiConnector, question: Question, { signal, mayHold }: Bounds): Promise<Attempt> {
  let status: number | undefined;
  try {
    const incoming = await reach(outgoingOf(connector, question), signal);
    status = incoming.status;
    const { retryAfter } = incoming;
    const isWrite = question.write !== undefined;
    if (!(isWrite ? written : [200]).includes(status))
      return { ok: false, status, fault: faultOf(status, { retryAfter, isWrite }), retryAfter };
    const read = await readBody(incoming, connector.limits.bytes, mayHold);
    if (read === crowded && !isWrite) return { ok: false, status, fault: "limited" };
    // What was written is written, whatever can be read of the answer.
    const body = read === crowded ? null : (read ?? (isWrite ? null : undefined));
    if (body === undefined) return { ok: false, status, fault: "unusable" };
    const error = errorIn(body, connector);
    return error === null ? { ok: true, status, body, link: incoming.link } : { ok: false, status, fault: faults[error], retryAfter };
  } catch {
    // What it says may quote what it failed on.
    return { ok: false, ...(status !== undefined && { status }), fault: "unreached" };
  }
}

const written = [200, 201, 202, 204];

function outgoingOf({ host, base, authentication }: ApiConnector, { path, query, credential, nowMs, write }: Question) {
  const { headers = {}, asked = query } = carried(authentication, credential, { query, nowMs });
  const parameters = new URLSearchParams(asked).toString();
  const sent = { accept: "application/json", "user-agent": "postern", ...headers, ...(write && headersOf(write)) };
  const place = { host, path: `${base}${path}${parameters === "" ? "" : `?${parameters}`}`, headers: sent };
  return write ? { ...place, method: write.method, body: write.body } : { ...place, method: "GET" as const };
}

function headersOf({ repeat }: UpstreamWrite): Readonly<Record<string, string>> {
  return { "content-type": "application/json", ...(repeat && { [repeat.header.toLowerCase()]: repeat.key }) };
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

const faults = {
  limited: "limited",
  missing: "missing",
  refused: "credential_refused",
  other: "unusable",
} as const satisfies Record<ErrorKind, Fault>;

const rejections = [400, 409, 412, 422];

function faultOf(status: number, { retryAfter, isWrite }: { readonly retryAfter: string | null; readonly isWrite: boolean }): Fault {
  if (isWrite && rejections.includes(status)) return "rejected";
  if (status === 404 || status === 410) return "missing";
  if (status === 401 || status === 403) return "credential_refused";
  if (status === 429) return "limited";
  if (status === 503 && retryAfter !== null) return "busy";
  return status === 502 || status === 503 || status === 504 ? "broken" : "unusable";
}

/** Too much is being read for the contract at once. */
const crowded = Symbol("crowded");

const decoder = new TextDecoder("utf-8", { fatal: true });

/** `undefined` = not JSON that we accept, or too much of it. */
async function readBody(
  { media, read }: Incoming,
  bytesMax: number,
  mayHold: Bounds["mayHold"],
): Promise<Json | undefined | typeof crowded> {
  if (!/^application\/([a-z0-9.+-]+\+)?json\s*(;|$)/i.test(media ?? "")) return undefined;
  let isCrowded = false;
  const bytes = await read(bytesMax, (more) => {
    isCrowded = !mayHold(more);
    return !isCrowded;
  });
  if (bytes === null) return isCrowded ? crowded : undefined;
  try {
    return parseJson(decoder.decode(bytes), jsonLimits);
  } catch (fault) {
    if (fault instanceof JsonSyntaxError || fault instanceof TypeError) return undefined;
    throw fault;
  }
}
