/**
 * A witness on Node: a small HTTP server over one directory, which holds its key and the heads that it has cosigned. It needs no database and knows no
 * gateway. Put it where the gateway's operator cannot reach: that is what it is for.
 */
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { join } from "node:path";
import { createFileWitnessStore } from "./audit/file-witness-store.ts";
import { addCheckpointBytesMax, createWitness, formatWitnessVkey, type NoteKey, type Witness, witnessKey } from "./audit/index.ts";
import { fromUtf8, useHashes, verifySignature } from "./crypto/index.ts";
import { createNodeSigner } from "./crypto/node-ed25519.ts";
import { nodeHashes } from "./crypto/node-hash.ts";
import { readSecret } from "./node-keys.ts";
import { ConfigRefused } from "./operator-settings.ts";

const requestMs = 10_000;

export interface WitnessOptions {
  /** A URL without its scheme, under which it is known. */
  readonly name: string;
  readonly directory: string;
  /** The logs that it watches. */
  readonly logs: readonly NoteKey[];
  readonly host: string;
  readonly port: number;
}

export interface RunningWitness {
  readonly port: number;
  /** What the gateway's operator and the reader's policy name it by. */
  readonly vkey: string;
  stop(): Promise<void>;
}

/** Throws ConfigRefused for a name that no note can hold. */
export async function startWitness({ name, directory, logs, host, port }: WitnessOptions): Promise<RunningWitness> {
  useHashes(nodeHashes);
  const signer = await createNodeSigner(await readSecret(join(directory, "witness.key")));
  const vkey = vkeyOf(name, signer.publicKey);
  const store = createFileWitnessStore(join(directory, "heads"));
  const witness = createWitness({ name, signer, logs, store, now: Date.now, verifySignature });
  const server = createServer((request, response) => {
    respond(witness, request, response).catch(() => {
      // It could not persist, or could not read what it had: nothing was cosigned.
      if (!response.headersSent) response.writeHead(503);
      response.end();
    });
  });
  server.requestTimeout = requestMs;
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(port, host, resolve);
  });
  const address = server.address();
  return {
    port: typeof address === "object" && address ? address.port : port,
    vkey,
    stop: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeIdleConnections();
      }),
  };
}

function vkeyOf(name: string, publicKey: Uint8Array): string {
  try {
    return formatWitnessVkey(witnessKey(name, publicKey));
  } catch {
    throw new ConfigRefused(`${JSON.stringify(name)} is not a witness's name: a URL without its scheme, no spaces and no +`);
  }
}

async function respond(witness: Witness, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const { pathname } = new URL(request.url ?? "/", "http://witness");
  if (!pathname.endsWith("/add-checkpoint")) return end(response, 404, "not found\n");
  if (request.method !== "POST") return end(response.setHeader("allow", "POST"), 405, "POST\n");
  const body = await bodyOf(request);
  if (body === null) return end(response.setHeader("connection", "close"), 413, "too long\n");
  const text = textOf(body);
  if (text === null) return end(response, 400, "not UTF-8\n");
  const answer = await witness.addCheckpoint(text);
  end(response.setHeader("content-type", answer.media), answer.status, answer.body);
}

function textOf(body: Uint8Array): string | null {
  try {
    return fromUtf8(body);
  } catch {
    return null;
  }
}

/** `null` = longer than any request may be. */
async function bodyOf(request: IncomingMessage): Promise<Uint8Array | null> {
  const chunks: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of request) {
    length += chunk.length;
    if (length > addCheckpointBytesMax) return null;
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

function end(response: ServerResponse, status: number, body: string): void {
  response.writeHead(status).end(body);
}
