/** A merchant's own API: an order of 5 kB and a trade of 600 fields, under any id, as they come from memory. */
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { serveParent } from "./child.ts";
import { orderBody, tradeBody } from "./upstream-bodies.ts";

const bodies = { order: orderBody(), trade: tradeBody() };
const server = createServer((request, response) => {
  const body = request.url?.startsWith("/router") ? bodies.trade : bodies.order;
  response.writeHead(200, { "content-type": "application/json", "content-length": body.length }).end(body);
});
server.keepAliveTimeout = 60_000;
server.listen(0, "127.0.0.1", () => {
  const { port } = server.address() as AddressInfo;
  serveParent(port, async () => server.closeAllConnections());
});
