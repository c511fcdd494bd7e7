/**
 * What the gateway is compared with: the same Hono, driver and pool size, one prepared statement by primary key a request, the text handed on
 * as it comes. No token, no parsing, no batching, nothing logged. `/memory` does not even ask; `/masked` asks the views of `views.ts`.
 * And an import as bare as that: lines into one table, a statement for 500 of them.
 */
import { createInterface } from "node:readline";
import { Readable } from "node:stream";
import { serve } from "@hono/node-server";
import { Hono } from "hono";
import { openPostgres } from "../../src/storage/postgres.ts";
import { serveParent } from "./child.ts";
import { batchRecords, insertText, rememberedMax } from "./plain.ts";
import { maskedText } from "./views.ts";

const open = (url: string) => openPostgres({ url, poolSize: 10, queueMax: 1_000, deadlineMs: 30_000, applicationName: "baseline" });
const database = open(process.env.BASELINE_DATABASE_URL ?? "");
const views = open(process.env.BASELINE_VIEWS_URL ?? process.env.BASELINE_DATABASE_URL ?? "");
const remembered = new Map(
  (await database.query("select id, doc::text from bench.customer order by id limit $1", [rememberedMax])).map(([id, text]) => [
    String(id),
    String(text),
  ]),
);

const app = new Hono();
app.get("/memory/:id", (c) => {
  const text = remembered.get(c.req.param("id"));
  return text === undefined ? c.notFound() : c.body(text);
});
app.get("/masked/:id", async (c) => {
  const [row] = await views.query(maskedText, [c.req.param("id")]);
  const text = row?.[0];
  return typeof text === "string" ? c.body(text) : c.notFound();
});
app.get("/customers/:id", async (c) => {
  const [row] = await database.query("select doc::text from bench.customer where id = $1", [c.req.param("id")]);
  const text = row?.[0];
  return typeof text === "string" ? c.body(text) : c.notFound();
});

app.post("/import", async (c) => {
  let batch: string[] = [];
  const write = async () => {
    if (batch.length > 0) await database.query(insertText, [`[${batch.join()}]`]);
    batch = [];
  };
  const body = c.req.raw.body ?? new ReadableStream<Uint8Array>();
  for await (const line of createInterface({ input: Readable.fromWeb(body as Parameters<typeof Readable.fromWeb>[0]) })) {
    batch.push(line);
    if (batch.length === batchRecords) await write();
  }
  await write();
  return c.json({ done: true });
});

const server = serve({ fetch: app.fetch, port: 0, hostname: "127.0.0.1" }, ({ port }) => {
  serveParent(port, async () => {
    server.close();
    await Promise.all([database.close(), views.close()]);
  });
});
