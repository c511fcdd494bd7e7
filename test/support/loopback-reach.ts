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
  const resolve = (host: string) => {
    resolved?.push(host);
    return Promise.resolve([{ address: "127.0.0.1", family: 4 }]);
  };
  const request = requestInClear as typeof requestOverTls;
  return createNodeReach({ resolve, isAllowed: () => true, request, agent: new Agent({ keepAlive, maxSockets: 64 }), port });
}
