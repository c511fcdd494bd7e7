/** What Node knows of a request beyond the Fetch standard. */
import type { HttpBindings } from "@hono/node-server";
import type { Context } from "hono";

/** The peer's. */
export function addressOf(c: Context): string | undefined {
  return incomingOf(c)?.socket.remoteAddress;
}

/** As the request line has it. */
export function targetOf(c: Context): string | undefined {
  return incomingOf(c)?.url;
}

/** From Node's own list, without building a Headers object; a request that came over no socket (the demo's seed) has none. */
export function headerOf(c: Context, name: string): string | null {
  const rawHeaders = incomingOf(c)?.rawHeaders;
  if (!rawHeaders) return c.req.raw.headers.get(name);
  let found: string | null = null;
  for (let i = 0; i < rawHeaders.length; i += 2) {
    if (rawHeaders[i]?.toLowerCase() !== name) continue;
    found = found === null ? (rawHeaders[i + 1] ?? "") : `${found}, ${rawHeaders[i + 1]}`;
  }
  return found;
}

function incomingOf(c: Context): HttpBindings["incoming"] | undefined {
  return (c.env as Partial<HttpBindings> | undefined)?.incoming;
}
