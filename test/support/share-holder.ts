/** What a merchant runs who holds share C: docs/SHARE-C.md as a program, with a switch and a count. Shares in memory. */
import { createServer } from "node:http";
import { text } from "node:stream/consumers";
import * as z from "zod";
import { keyId, randomBytes, toBase64, verifyJws, verifySignature } from "../../src/crypto/index.ts";

const claims = z.strictObject({
  act: z.enum(["make", "open", "retire"]),
  contract: z.string(),
  epoch: z.int(),
  aud: z.string(),
  iat: z.int(),
  jti: z.string().min(16),
});
const skewMaxSeconds = 60;

export interface MerchantShare {
  readonly url: URL;
  /** Of each contract: how often its share was opened, and how often that was refused. */
  readonly counts: ReadonlyMap<string, { opened: number; refused: number }>;
  /** The writers' public keys that the trust file names. */
  trust(publicKey: Uint8Array): void;
  /** The kill switch. */
  close(contract: string): void;
  reopen(contract: string): void;
  /** Answers this from now on; `null` = what is right. */
  answer(with_: ((share: Uint8Array) => { status: number; body: string }) | null): void;
  /** As it arrived. */
  lastRequest(): string;
  shareOf(contract: string, epoch: number): Uint8Array | null;
  stop(): Promise<void>;
}

export async function startMerchantShare(): Promise<MerchantShare> {
  const shares = new Map<string, Uint8Array | null>();
  const counts = new Map<string, { opened: number; refused: number }>();
  const closed = new Set<string>();
  const seen = new Set<string>();
  const writers = new Map<string, Uint8Array>();
  let override: Parameters<MerchantShare["answer"]>[0] = null;
  let last = "";
  let url = new URL("http://127.0.0.1");

  const decide = async (jws: string): Promise<{ status: number; body: object | string }> => {
    last = jws;
    const opened = await verifyJws(jws, "postern-share+jws", writers, verifySignature);
    if (!opened) return { status: 401, body: {} };
    const asked = claims.parse(JSON.parse(opened.payload));
    const isFresh = Math.abs(Date.now() / 1_000 - asked.iat) <= skewMaxSeconds && !seen.has(asked.jti);
    if (asked.aud !== url.href || !isFresh) return { status: 401, body: {} };
    seen.add(asked.jti);
    const place = `${asked.contract}/${asked.epoch}`;
    const count = counts.get(asked.contract) ?? { opened: 0, refused: 0 };
    counts.set(asked.contract, count);
    if (asked.act === "retire" && override) return override(new Uint8Array(0));
    if (asked.act === "retire") {
      // `null` stays: a retired share is never made again.
      shares.set(place, null);
      return { status: 200, body: { retired: true } };
    }
    if (closed.has(asked.contract) || shares.get(place) === null) {
      count.refused++;
      return { status: 403, body: {} };
    }
    if (asked.act === "make" && !shares.has(place)) shares.set(place, randomBytes(32));
    const share = shares.get(place);
    if (!share) return { status: 404, body: {} };
    if (asked.act === "open") count.opened++;
    if (override) return override(share);
    return { status: 200, body: { share: toBase64(share) } };
  };

  const server = createServer(async (request, response) => {
    const { status, body } = await decide(await text(request)).catch(() => ({ status: 400, body: {} }));
    response.writeHead(status, { "content-type": "application/json" });
    response.end(typeof body === "string" ? body : JSON.stringify(body));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("no port");
  url = new URL(`http://127.0.0.1:${address.port}/postern/share`);
  return {
    url,
    counts,
    trust: (publicKey) => void writers.set(keyId(publicKey), publicKey),
    close: (contract) => void closed.add(contract),
    reopen: (contract) => void closed.delete(contract),
    answer: (how) => {
      override = how;
    },
    lastRequest: () => last,
    shareOf: (contract, epoch) => shares.get(`${contract}/${epoch}`) ?? null,
    stop: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}
