/**
 * The end of an HTTP server on Node under load. `close` alone waits for clients to leave, and clients with kept-alive connections do not leave:
 * they are told with their next answer. What was begun is answered; a connection is closed only between two requests.
 */
import type { Server, ServerResponse } from "node:http";

export interface Drain {
  /** Takes nothing new. Resolves once every request that was begun has its answer, or after `withinMs`. */
  begin(withinMs: number): Promise<void>;
}

/** Watches `server` from now on. */
export function createDrain(server: Server): Drain {
  const underWay = new Set<ServerResponse>();
  let draining = false;
  // Before the app's own listener, which may write the head at once.
  server.prependListener("request", (_, response: ServerResponse) => {
    underWay.add(response);
    if (draining) response.shouldKeepAlive = false;
    response.once("close", () => {
      underWay.delete(response);
      // The head was sent before the drain began: its connection was promised to be kept.
      if (draining) server.closeIdleConnections();
    });
  });
  return {
    async begin(withinMs) {
      draining = true;
      const closed = new Promise<void>((resolve) => {
        server.close(() => resolve());
      });
      for (const response of underWay) if (!response.headersSent) response.shouldKeepAlive = false;
      server.closeIdleConnections();
      await within(withinMs, closed);
    },
  };
}

/** Resolves with `work`, or without it once the time is over. */
export async function within(ms: number, work: Promise<unknown>): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const over = new Promise((resolve) => {
    timer = setTimeout(resolve, ms);
  });
  await Promise.race([work, over]);
  clearTimeout(timer);
}
