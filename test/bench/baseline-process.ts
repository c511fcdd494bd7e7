/**
 * What the gateway is compared with: the same Hono, driver and pool size, one prepared statement by primary key a request, the text handed on
 * as it comes. No token, no parsing, no batching, nothing logged.
 */
import { serve } from "@hono/node-server";
import { Hono } from "hono";
import { openPostgres } from "../../src/storage/postgres.ts";
import { serveParent } from "./child.ts";

const url = process.env.BASELINE_DATABASE_URL ?? "";
const database = openPostgres({ url, poolSize: 10, queueMax: 1_000, deadlineMs: 5_000, applicationName: "baseline" });

const app = new Hono();
app.get("/customers/:id", async (c) => {
  const [row] = await database.query("select doc::text from bench.customer where id = $1", [c.req.param("id")]);
  const text = row?.[0];
  return typeof text === "string" ? c.body(text) : c.notFound();
});

const server = serve({ fetch: app.fetch, port: 0, hostname: "127.0.0.1" }, ({ port }) => {
  serveParent(port, async () => {
    server.close();
    await database.close();
  });
});
