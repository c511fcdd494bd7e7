/**
 * By Node's own sockets: the name is resolved here, every address that it leads to has to be public, and the socket goes to the one that was looked at,
 * whatever the name says a moment later.
 */
import type { IncomingMessage } from "node:http";
import { Agent, type RequestOptions, request as requestOverTls } from "node:https";
import type { LookupFunction } from "node:net";
import { Readable } from "node:stream";
import { type Address, type AddressRules, publicAddressOf } from "./node-address.ts";
import type { Incoming, Outgoing, Reach } from "./reach.ts";

export interface NodeReachOptions extends AddressRules {
  /** In tests: another socket than TLS. */
  readonly request?: typeof requestOverTls;
}

const connectionsPerHostMax = 64;
const headerBytesMax = 16_384;

export function createNodeReach({ request = requestOverTls, ...rules }: NodeReachOptions = {}): Reach {
  const agent = new Agent({ keepAlive: true, maxSockets: connectionsPerHostMax, maxFreeSockets: 8, timeout: 60_000 });
  return async ({ host, path, method, headers, body }: Outgoing, signal) => {
    const address = await publicAddressOf(host, rules);
    const { promise, resolve: answer, reject } = Promise.withResolvers<IncomingMessage>();
    const options: RequestOptions = { host, servername: host, path, method, headers: { ...headers, "accept-encoding": "gzip" } };
    request({ ...options, agent, signal, lookup: pinnedTo(address), maxHeaderSize: headerBytesMax }, answer)
      .on("error", reject)
      .end(body);
    return incomingOf(await promise);
  };
}

function pinnedTo({ address, family }: Address): LookupFunction {
  return (_host, { all }, answer) => (all ? answer(null, [{ address, family }]) : answer(null, address, family));
}

function incomingOf(message: IncomingMessage): Incoming {
  const { "content-encoding": encoding = "identity", "content-type": media = null } = message.headers;
  // What stands twice is joined by Node, but for a few that stand once.
  const { link = null, "retry-after": retryAfter = null } = message.headers as Readonly<Record<string, string | undefined>>;
  if (encoding !== "identity" && encoding !== "gzip") {
    message.destroy();
    throw new Error("an encoding that was not asked for");
  }
  const body = Readable.toWeb(message) as ReadableStream<Uint8Array<ArrayBuffer>>;
  const unpacked = encoding === "gzip" ? body.pipeThrough(new DecompressionStream("gzip")) : body;
  return { status: message.statusCode ?? 0, media, link, retryAfter, body: unpacked };
}
