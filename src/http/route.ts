/**
 * A route as data: what is served, what is documented and what is refused come from the same row.
 * Handlers see parsed parts only; a path, query or body outside its schema never reaches them.
 */
import type * as z from "zod";
import type { Presented, Refusal, RefusalCode, Result } from "../kernel/index.ts";

export interface Route {
  readonly method: "GET" | "POST" | "PUT" | "PATCH" | "DELETE";
  /** OpenAPI form: `/v1/contracts/{contract}`. Each parameter has its grammar in `parameters`. */
  readonly path: string;
  readonly summary: string;
  /** It is asked by whoever watches this process, by whatever name or address it has there. */
  readonly anyHost?: true;
  /** String parameters; anything else in the query is refused. `any`: which there may be is the handler's to say; none stands twice. */
  readonly query?: z.ZodObject | "any";
  /** That may be sent beside those which all routes have. For the document: their grammar is checked by whoever reads them. */
  readonly headers?: readonly HeaderSchema[];
  readonly body?: BodySchema;
  readonly answers: Readonly<Record<number, AnswerSchema>>;
  /** Beyond those that every route of its kind has. */
  readonly refusals: readonly RefusalCode[];
  /** Where a protocol has a form of its own for refusals. Default: RFC 9457 problems. */
  readonly refusalForm?: RefusalForm;
  readonly handle: (request: Received) => Promise<Result<Answer, Refusal>>;
}

export interface RefusalForm {
  readonly media: string;
  readonly body: (refusal: Refusal) => string;
}

export interface HeaderSchema {
  readonly name: string;
  readonly pattern: string;
  readonly description: string;
}

/** `schema` absent: the handler reads the stream itself, within `bytesMax`. */
export interface BodySchema {
  readonly media: string;
  /** Other names that clients give the same. */
  readonly alsoAs?: readonly string[];
  readonly bytesMax: number;
  readonly schema?: z.ZodType;
  readonly description: string;
}

export interface AnswerSchema {
  readonly media: string;
  /** Of a 200. Present, even if empty: the client's `Accept` counts, and `Received.media` is what it would rather have of these and `media`. */
  readonly alsoAs?: readonly string[];
  readonly description: string;
  readonly schema?: z.ZodType;
}

export interface Received {
  readonly params: Readonly<Record<string, string>>;
  readonly query: Readonly<Record<string, string>>;
  /** Parsed by the route's body schema; `undefined` where the route has none. */
  readonly body: unknown;
  /** The unread body, for a route whose body has no schema. */
  readonly stream: ReadableStream<Uint8Array> | null;
  /** In which of its forms a 200 is wanted; the only one, where there is one. */
  readonly media: string;
  /** `null` = absent. */
  readonly header: (name: string) => string | null;
  readonly caller: Caller;
  /** For what a route refuses before a use case has it: leaves the entry, and is the answer. */
  readonly turnAway: (refusal: Refusal) => Promise<Result<never, Refusal>>;
}

/** A request that no use case saw to its end: refused at the door, or lost to a fault. */
export interface TurnedAway {
  readonly refusal: Refusal;
  readonly caller: Caller;
  /** As the path names it. `null` = it names none, or nothing that could be one. */
  readonly contract: string | null;
  /** The same. */
  readonly vendor: string | null;
}

/** Who calls, as the use cases take it. */
export interface Caller {
  readonly authorization: Presented | null;
  readonly request: {
    readonly id: string;
    /** `GET /v1/contracts/{contract}`: the pattern, never the path. */
    readonly route: string;
    readonly address: string | undefined;
    readonly userAgent: string | undefined;
    /** Why, in the caller's own words. */
    readonly reason: string | undefined;
  };
}

export interface Answer {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly media: string;
  /** `null`: of a 204. */
  readonly body: string | Uint8Array<ArrayBuffer> | ReadableStream<Uint8Array> | null;
}

export function json(body: string, headers: Readonly<Record<string, string>> = {}, status = 200): Answer {
  return { status, headers, media: "application/json", body };
}

const idPattern = /^[A-Za-z0-9][A-Za-z0-9._~-]{0,127}$/;

/** The grammar of every path parameter; a route with another one does not start. */
export const parameters: Readonly<Record<string, RegExp>> = {
  contract: idPattern,
  type: /^[a-z][a-z0-9_]{0,31}$/,
  locator: /^r_[a-z2-7]{26}$/,
  job: idPattern,
  attestation: idPattern,
  part: /^([0-9]{6}|keys|manifest)$/,
  request: idPattern,
  erasure: idPattern,
  approval: idPattern,
  glass: idPattern,
  hold: idPattern,
  revocation: idPattern,
  key: idPattern,
  vendor: idPattern,
  token: idPattern,
  user: idPattern,
  group: /^[A-Za-z0-9][A-Za-z0-9._~-]{0,255}$/,
  log: idPattern,
  leaf: /^(0|[1-9][0-9]{0,14})$/,
  entry: /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/,
  tile: /^[0-9]{1,2}\/(x[0-9]{3}\/){0,4}[0-9]{3}(\.p\/[0-9]{1,3})?$/,
  passkey: /^[A-Za-z0-9_-]{1,1366}$/,
  connector: /^[a-z][a-z0-9-]{0,63}$/,
  path: /^[A-Za-z0-9][A-Za-z0-9._~-]{0,127}(\/[A-Za-z0-9][A-Za-z0-9._~-]{0,127}){0,7}$/,
  bundle: /^(x[0-9]{3}\/){0,4}[0-9]{3}(\.p\/[0-9]{1,3})?$/,
};

/** Of those, the ones that reach over slashes to the end of the path. */
export const pathTails: ReadonlySet<string> = new Set(["tile", "bundle", "path"]);
