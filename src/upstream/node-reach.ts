/**
 * By Node's own sockets: the name is resolved here, every address that it leads to has to be public, and the socket goes to the one that was looked at,
 * whatever the name says a moment later. A connection that stands leads where it was made to, so nothing is looked at again for what goes over it.
 */
import type { IncomingMessage, Agent as PlainAgent } from "node:http";
import { Agent, type RequestOptions, request as requestOverTls } from "node:https";
import type { LookupFunction } from "node:net";
import { pipeline, type Readable } from "node:stream";
import { createGunzip } from "node:zlib";
import { type Address, type AddressRules, publicAddressOf } from "./node-address.ts";
import type { Incoming, Outgoing, Reach } from "./reach.ts";

export interface NodeReachOptions extends AddressRules {
  /** In tests: another socket than TLS, of another port. */
  readonly request?: typeof requestOverTls;
  readonly agent?: PlainAgent;
  readonly port?: number;
}

const httpsPort = 443;
const connectionsPerHostMax = 64;
/** Each costs memory; a new one costs a handshake. */
const restingPerHostMax = 32;
const restingMs = 60_000;
const headerBytesMax = 16_384;

export function createNodeReach({
  request = requestOverTls,
  agent = ourAgent(),
  port = httpsPort,
  ...rules
}: NodeReachOptions = {}): Reach {
  return async ({ host, path, method, headers, body }: Outgoing, signal) => {
    const address = hasConnection(agent, host, port) ? null : await publicAddressOf(host, rules);
    const { promise, resolve: answer, reject } = Promise.withResolvers<IncomingMessage>();
    const lookup = address ? pinnedTo(address) : lookedAt(rules);
    const options: RequestOptions = { host, port, servername: host, path, method, headers: { ...headers, "accept-encoding": "gzip" } };
    request({ ...options, agent, signal, lookup, maxHeaderSize: headerBytesMax }, answer)
      .on("error", reject)
      .end(body);
    return incomingOf(await promise);
  };
}

function ourAgent(): Agent {
  return new Agent({ keepAlive: true, maxSockets: connectionsPerHostMax, maxFreeSockets: restingPerHostMax, timeout: restingMs });
}

/** One that rests, and is taken unless it ends before. */
function hasConnection(agent: PlainAgent, host: string, port: number): boolean {
  return (agent.freeSockets[agent.getName({ host, port })] ?? []).some((socket) => !socket.destroyed);
}

function pinnedTo({ address, family }: Address): LookupFunction {
  return (_host, { all }, answer) => (all ? answer(null, [{ address, family }]) : answer(null, address, family));
}

/** Where there is no connection after all. */
function lookedAt(rules: AddressRules): LookupFunction {
  return (host, options, answer) => {
    publicAddressOf(host, rules).then(
      (address) => pinnedTo(address)(host, options, answer),
      (fault: Error) => answer(fault, ""),
    );
  };
}

function incomingOf(message: IncomingMessage): Incoming {
  const { "content-encoding": encoding = "identity", "content-type": media = null } = message.headers;
  // What stands twice is joined by Node, but for a few that stand once.
  const { link = null, "retry-after": retryAfter = null } = message.headers as Readonly<Record<string, string | undefined>>;
  if (encoding !== "identity" && encoding !== "gzip") {
    message.destroy();
    throw new Error("an encoding that was not asked for");
  }
  const body = encoding === "gzip" ? pipeline(message, createGunzip(), () => undefined) : message;
  const announced = Number(message.headers["content-length"] ?? 0);
  return {
    ...{ status: message.statusCode ?? 0, media, link, retryAfter },
    async read(bytesMax, mayHold) {
      if (announced <= bytesMax) return readWhole(body, bytesMax, mayHold);
      message.destroy();
      return null;
    },
  };
}

/** As its pieces come: a stream of the web's, or an iteration over it, costs more than the body. */
function readWhole(body: Readable, bytesMax: number, mayHold: (bytes: number) => boolean): Promise<Uint8Array | null> {
  return new Promise((resolve, reject) => {
    const pieces: Buffer[] = [];
    let total = 0;
    body.on("data", (piece: Buffer) => {
      total += piece.length;
      if (total <= bytesMax && mayHold(piece.length)) return void pieces.push(piece);
      body.destroy();
      resolve(null);
    });
    body.once("end", () => {
      const [only = Buffer.alloc(0), second] = pieces;
      resolve(second === undefined ? only : Buffer.concat(pieces));
    });
    body.once("error", reject);
    body.once("close", () => body.readableEnded || reject(new Error("it broke off")));
  });
}
