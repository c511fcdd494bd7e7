/** The way to a merchant's API. Two of them: by Node's own sockets (`node-reach.ts`), and by the platform's fetch on Workers. */

import { readBounded } from "../http/index.ts";

export interface Outgoing {
  readonly host: string;
  /** With its query. */
  readonly path: string;
  readonly method: "GET" | "POST" | "PUT" | "PATCH";
  /** Of a write. */
  readonly body?: string;
  /** All that go up, by lower-case name. */
  readonly headers: Readonly<Record<string, string>>;
}

export interface Incoming {
  readonly status: number;
  readonly media: string | null;
  /** RFC 8288. */
  readonly link: string | null;
  readonly retryAfter: string | null;
  /** Its body, decompressed, to its end. `null` = more than `bytesMax`, or bytes that `mayHold` does not let be kept; reading stops there. */
  read(bytesMax: number, mayHold: (bytes: number) => boolean): Promise<Uint8Array | null>;
}

/**
 * A request over https to that host alone; a redirect is an answer like another. Throws where there is no answer, and where the name leads into
 * a network that is not public. `signal` ends it, and what it answered.
 */
export type Reach = (outgoing: Outgoing, signal: AbortSignal) => Promise<Incoming>;

/** By which a request leaves: the platform's own `fetch`, or that of a service that is bound to a network. */
export type Leave = (url: string, init: RequestInit) => Promise<Response>;

/** Where the runtime lets nobody look where a name leads: the connector's own host, and a network that has no private part. */
export function createFetchReach(leave: Leave): Reach {
  return async ({ host, path, method, headers, body }, signal) => {
    const init = { method, headers: { ...headers }, redirect: "manual", signal, ...(body !== undefined && { body }) } as const;
    const { status, headers: said, body: answer } = await leave(`https://${host}${path}`, init);
    return {
      ...{ status, media: said.get("content-type"), link: said.get("link"), retryAfter: said.get("retry-after") },
      read: (bytesMax, mayHold) => readBounded(answer, bytesMax, mayHold),
    };
  };
}
