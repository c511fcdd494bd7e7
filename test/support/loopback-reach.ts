/** The way to merchants' APIs as it is on Node, but that every name leads to one port of this machine, in the clear. */
import { Agent, request as requestInClear } from "node:http";
import type { request as requestOverTls } from "node:https";
import type { Reach } from "../../src/upstream/index.ts";
import { createNodeReach } from "../../src/upstream/node-reach.ts";

/** `resolved`: is told each name. */
export function createLoopbackReach(
  port: number,
  { resolved, keepAlive = false }: { resolved?: string[]; keepAlive?: boolean } = {},
): Reach {
  const agent = new Agent({ keepAlive, maxSockets: 64 });
  const request = ((outgoing: object, answer: (message: never) => void) =>
    requestInClear({ ...outgoing, agent, port }, answer as never)) as typeof requestOverTls;
  const resolve = (host: string) => {
    resolved?.push(host);
    return Promise.resolve([{ address: "127.0.0.1", family: 4 }]);
  };
  return createNodeReach({ resolve, isAllowed: () => true, request });
}
