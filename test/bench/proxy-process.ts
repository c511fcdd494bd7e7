/** What the upstream route is compared with: Hono's own proxy, which hands everything on. No token, no parsing, nothing masked, nothing logged. */
import { serve } from "@hono/node-server";
import { Hono } from "hono";
import { proxy } from "hono/proxy";
import { serveParent } from "./child.ts";

const upstream = `http://127.0.0.1:${process.env.BENCH_UPSTREAM_PORT}`;
const app = new Hono();
app.get("*", (c) => {
  const { pathname, search } = new URL(c.req.url);
  return proxy(`${upstream}${pathname}${search}`);
});

const server = serve({ fetch: app.fetch, port: 0, hostname: "127.0.0.1" }, ({ port }) => {
  serveParent(port, async () => void server.close());
});
