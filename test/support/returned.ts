/** The merchant's side of a return: its key pair, and what it finds in the parts. jose opens them, which had no part in sealing. */
import { createHash } from "node:crypto";
import { type CryptoKey, compactDecrypt, exportJWK, generateKeyPair, type JWK } from "jose";
import { expectStatus } from "./agreement.ts";
import type { Door } from "./gateway.ts";

export interface MerchantKey {
  readonly jwk: JWK;
  readonly open: (jwe: string) => Promise<{ readonly header: Readonly<Record<string, unknown>>; readonly text: string }>;
}

export async function makeMerchantKey(alg: "ECDH-ES+A256KW" | "RSA-OAEP-256" = "ECDH-ES+A256KW", crv = "P-256"): Promise<MerchantKey> {
  const { publicKey, privateKey } = await generateKeyPair(alg, alg === "RSA-OAEP-256" ? {} : { crv });
  return { jwk: await exportJWK(publicKey), open: (jwe) => opened(jwe, privateKey) };
}

async function opened(jwe: string, key: CryptoKey): ReturnType<MerchantKey["open"]> {
  const { plaintext, protectedHeader } = await compactDecrypt(jwe, key);
  return { header: { ...protectedHeader }, text: new TextDecoder().decode(plaintext) };
}

export interface ShownReturn {
  readonly state: string;
  readonly key: string | null;
  readonly digest: string | null;
  readonly until: string | null;
  readonly records: number;
  readonly unreadable: number;
  readonly parts: readonly { readonly part: string; readonly digest: string; readonly records: number }[];
}

export interface ReturnedRecord {
  readonly type: string;
  readonly locator: string;
  readonly subject: string;
  readonly id: string;
  readonly fields: Readonly<Record<string, unknown>>;
  readonly unreadable?: boolean;
}

/** Everything that was returned, each part held to its digest in the manifest, and the manifest to the receipt's. */
export interface Fetched {
  readonly shown: ShownReturn;
  readonly records: readonly ReturnedRecord[];
  readonly keys: { readonly locator: string; readonly pseudonym: string };
}

export async function showReturn(gateway: Door, job: string, contract = "c-test", as = "owner-1"): Promise<ShownReturn> {
  const answer = gateway.call("GET", `/v1/contracts/${contract}/purges/${job}/return`, { as });
  return (await (await expectStatus(answer, 200)).json()) as ShownReturn;
}

export async function fetchReturn(gateway: Door, job: string, key: MerchantKey, contract = "c-test"): Promise<Fetched> {
  const shown = await showReturn(gateway, job, contract);
  const partOf = async (part: string): Promise<string> => {
    const answer = gateway.call("GET", `/v1/contracts/${contract}/purges/${job}/return/parts/${part}`, { as: "owner-1" });
    return (await expectStatus(answer, 200)).text();
  };
  const sealed = await partOf("manifest");
  if (digestOf(sealed) !== shown.digest) throw new Error("the manifest is not the receipt's");
  const manifest = JSON.parse((await key.open(sealed)).text) as { parts: { part: string; digest: string }[] };
  const texts = new Map<string, string>();
  for (const { part, digest } of manifest.parts) {
    const jwe = await partOf(part);
    if (digestOf(jwe) !== digest) throw new Error(`part ${part} is not the manifest's`);
    texts.set(part, (await key.open(jwe)).text);
  }
  const lines = [...texts].filter(([part]) => part !== "keys").flatMap(([, text]) => text.trimEnd().split("\n"));
  return {
    shown,
    records: lines.filter((line) => line !== "").map((line) => JSON.parse(line) as ReturnedRecord),
    keys: JSON.parse(texts.get("keys") ?? "") as Fetched["keys"],
  };
}

function digestOf(text: string): string {
  return `sha256:${createHash("sha256").update(text).digest("hex")}`;
}

export function acknowledge(gateway: Door, job: string, digest: string | null, contract = "c-test", as = "owner-1"): Promise<Response> {
  return gateway.call("POST", `/v1/contracts/${contract}/purges/${job}/return/acknowledge`, { as, body: { digest } });
}
