/**
 * A server that speaks what both key services document, as far as their drivers ask it, and fails as it is told to: real ones do not on command.
 * It checks nobody's signature or token: the real servers do that (key-services.ts).
 */
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import * as z from "zod";

const kmsBody = z.object({
  Plaintext: z.string().optional(),
  CiphertextBlob: z.string().optional(),
  EncryptionContext: z.record(z.string(), z.string()).optional(),
});
const transitBody = z.object({
  plaintext: z.string().optional(),
  ciphertext: z.string().optional(),
  associated_data: z.string().optional(),
});
const sealedShape = z.tuple([z.string(), z.string()]);

/** How the next answers fail; `null` = they do not. */
export type Failure =
  | "forbidden"
  | "throttled"
  | "slow"
  | "html"
  | "huge"
  | "cut"
  | "broken"
  | "redirect"
  | "other place's key"
  | "short key"
  | null;

export interface KeyStandIn {
  readonly url: URL;
  readonly keyArn: string;
  /** Requests since its start. */
  readonly asked: () => number;
  /** The most at one time. */
  readonly askedAtOnce: () => number;
  fail(how: Failure): void;
  stop(): Promise<void>;
}

const keyArn = "arn:aws:kms:eu-central-1:000000000000:key/stand-in";
const slowMs = 10_000;

export async function startKeyStandIn(): Promise<KeyStandIn> {
  let failure: Failure = null;
  let asked = 0;
  let running = 0;
  let most = 0;
  /** What was encrypted, in order: the last for another place is a key all the same. */
  const plaintexts: string[] = [];

  const answerAs = (isKms: boolean, action: string, body: string): unknown => {
    const aws = isKms ? kmsBody.parse(JSON.parse(body)) : null;
    const bao = isKms || body === "" ? null : transitBody.parse(JSON.parse(body));
    const place = aws ? JSON.stringify(aws.EncryptionContext) : (bao?.associated_data ?? "");
    if (/Encrypt/i.test(action)) {
      const plaintext = aws?.Plaintext ?? bao?.plaintext ?? "";
      plaintexts.push(plaintext);
      const sealed = Buffer.from(JSON.stringify([place, plaintext])).toString("base64");
      return isKms ? { CiphertextBlob: sealed, KeyId: keyArn } : { data: { ciphertext: `vault:v1:${sealed}` } };
    }
    if (/Decrypt/i.test(action)) {
      const sealed = aws?.CiphertextBlob ?? (bao?.ciphertext ?? "").slice("vault:v1:".length);
      const [boundTo, kept] = sealedShape.parse(JSON.parse(Buffer.from(sealed, "base64").toString()));
      if (boundTo !== place) return null;
      const short = Buffer.alloc(16, 7).toString("base64");
      const other = plaintexts.findLast((plaintext) => plaintext !== kept) ?? short;
      const plaintext = failure === "other place's key" ? other : failure === "short key" ? short : kept;
      return isKms ? { Plaintext: plaintext, KeyId: keyArn } : { data: { plaintext } };
    }
    return isKms
      ? { KeyMetadata: { Arn: keyArn, KeyState: "Enabled", KeyUsage: "ENCRYPT_DECRYPT", KeySpec: "SYMMETRIC_DEFAULT" } }
      : { data: { type: "aes256-gcm96", derived: true, exportable: false, allow_plaintext_backup: false } };
  };

  const handle = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const target = String(request.headers["x-amz-target"] ?? "");
    const isKms = target !== "";
    const action = isKms ? (target.split(".")[1] ?? "") : (request.url?.split("/")[3] ?? "");
    const body = await textOf(request);
    const send = (status: number, content: unknown) => {
      response.writeHead(status, { "content-type": "application/json" });
      response.end(JSON.stringify(content));
    };
    const refuse = (type: string, status: number) =>
      isKms ? send(400, { __type: type, message: "quoted" }) : send(status, { errors: ["quoted"] });
    switch (failure) {
      case "forbidden":
        return refuse("AccessDeniedException", 403);
      case "throttled":
        return refuse("ThrottlingException", 429);
      case "broken":
        return send(500, {});
      case "redirect":
        response.writeHead(307, { location: "http://127.0.0.1:9/" });
        return void response.end();
      case "html":
        response.writeHead(200, { "content-type": "text/html" });
        return void response.end("<html>welcome</html>");
      case "huge":
        response.writeHead(200, { "content-type": "application/json" });
        return void response.end(`{"data":"${"x".repeat(10_000_000)}"}`);
      case "cut":
        response.writeHead(200, { "content-type": "application/json", "content-length": "500" });
        response.write('{"data":');
        return void setTimeout(() => request.socket.destroy(), 20);
      case "slow":
        await new Promise((resolve) => setTimeout(resolve, slowMs).unref());
    }
    const answer = answerAs(isKms, action, body);
    if (answer === null) refuse("InvalidCiphertextException", 400);
    else send(200, answer);
  };

  const server = createServer((request, response) => {
    asked++;
    most = Math.max(most, ++running);
    response.once("close", () => running--);
    handle(request, response).catch(() => response.destroy());
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("no port");
  return {
    url: new URL(`http://127.0.0.1:${address.port}`),
    keyArn,
    asked: () => asked,
    askedAtOnce: () => most,
    fail: (how) => {
      failure = how;
    },
    stop: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

async function textOf(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk);
  return Buffer.concat(chunks).toString();
}
