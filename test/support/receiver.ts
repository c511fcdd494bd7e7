/** Another system, as far as a sink sees it: an HTTP server on loopback that keeps what it was sent and answers as it is told. */
import { createServer, type IncomingHttpHeaders } from "node:http";
import { text } from "node:stream/consumers";

export interface Received {
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

export interface Told {
  readonly status: number;
  readonly body: string;
}

export interface Receiver {
  readonly url: URL;
  readonly received: Received[];
  /** `null` = never answers. */
  answer: (request: Received) => Told | null | Promise<Told | null>;
  close(): Promise<void>;
}

export async function createReceiver(answer: Receiver["answer"]): Promise<Receiver> {
  const received: Received[] = [];
  const server = createServer(async (request, response) => {
    const got = { path: request.url ?? "", headers: request.headers, body: await text(request) };
    received.push(got);
    const told = await receiver.answer(got);
    if (told) response.writeHead(told.status, { "content-type": "application/json" }).end(told.body);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  const port = typeof address === "object" && address ? address.port : 0;
  const receiver: Receiver = {
    url: new URL(`http://127.0.0.1:${port}/`),
    received,
    answer,
    async close() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
  return receiver;
}

export interface BulkDocument {
  readonly id: string;
  readonly document: { readonly event: { readonly sequence: number; readonly id: string }; readonly postern: { readonly log: string } };
}

export function bulkDocuments({ body }: Received): BulkDocument[] {
  const lines = body
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line));
  return lines.flatMap((line, i) => (i % 2 === 0 ? [{ id: line.create._id, document: lines[i + 1] }] : []));
}

/** As Elasticsearch answers a bulk of which `statusOf` says what became of each. */
export function bulkAnswer(request: Received, statusOf: (sequence: number) => number): Told {
  const items = bulkDocuments(request).map(({ document }) => {
    const status = statusOf(document.event.sequence);
    return { create: status < 300 ? { status } : { status, error: { type: "mapper_parsing_exception" } } };
  });
  return { status: 200, body: JSON.stringify({ errors: items.some(({ create }) => create.status >= 300), items }) };
}
