/**
 * Share C of a contract's key, held by the merchant: asked over HTTP by a signed request, and answered or not. docs/SHARE-C.md is the protocol.
 * The request is a JWS under this process's writer key, whose public half the merchant has in the trust file. That the answer is the merchant's, TLS says;
 * that it is the share, its commitment does (keyring.ts).
 */
import * as z from "zod";
import { canonicalBase64, fromBase64, keyBytes, randomBytes, type Signer, signJws, toBase64Url } from "../crypto/index.ts";
import { type ContractId, canonicalJson } from "../kernel/index.ts";
import { KeysUnavailable, ShareClosed, type ShareHolder } from "./ports.ts";
import { answerReader, createServiceCall } from "./service-call.ts";

export interface HttpShareHolderOptions {
  readonly url: URL;
  readonly signer: Signer;
  readonly now?: (() => number) | undefined;
  /** On Workers `Infinity`: see service-call.ts. */
  readonly parallelMax?: number | undefined;
}

type Act = "make" | "open" | "retire";

const name = "the merchant's share holder";
const answered = answerReader(name);
const shared = z.object({ share: canonicalBase64 });
const retired = z.object({ retired: z.literal(true) });

export function createHttpShareHolder({ url, signer, now = Date.now, parallelMax }: HttpShareHolderOptions): ShareHolder {
  const call = createServiceCall({ name, isBusy: ({ status }) => status === 429, now, parallelMax });
  const ask = async (act: Act, contract: ContractId, epoch: number): Promise<unknown> => {
    const { status, body } = await call(async () => {
      const nonce = toBase64Url(randomBytes(16));
      const claims = { act, contract, epoch, aud: url.href, iat: Math.floor(now() / 1_000), jti: nonce };
      const headers = { "content-type": "application/jose", accept: "application/json" };
      return { url, method: "POST", headers, body: await signJws(signer, "postern-share+jws", canonicalJson(claims)) };
    });
    if (status === 403) throw new ShareClosed();
    if (status !== 200) throw new KeysUnavailable(`${name} answers ${status}`);
    return body;
  };
  const shareOf = async (act: "make" | "open", contract: ContractId, epoch: number): Promise<Uint8Array> => {
    const share = fromBase64(answered(shared, await ask(act, contract, epoch)).share);
    if (share.length === keyBytes && share.some((byte) => byte !== share[0])) return share;
    throw new KeysUnavailable(`${name} answers what is not a share`);
  };
  return {
    make: (contract, epoch) => shareOf("make", contract, epoch),
    open: (contract, epoch) => shareOf("open", contract, epoch),
    async retire(contract, epoch) {
      answered(retired, await ask("retire", contract, epoch));
    },
  };
}
