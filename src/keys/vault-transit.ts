/**
 * The root key in the Transit engine of OpenBao or Vault, over HTTP. The key is derived: its `context` is the contract, by which each contract has a
 * key of its own and grants go (`allowed_parameters`); the whole place is `associated_data`.
 * Transit makes a key that is missing when it is asked to encrypt with it, so the key is looked at first (service-root-key.ts), and the policy that
 * docs/DEPLOY.md gives allows no `create`.
 */
import * as z from "zod";
import { canonicalBase64, fromBase64, fromUtf8, toBase64, utf8 } from "../crypto/index.ts";
import { type KeyPlace, placeBytes } from "./key-place.ts";
import { KeysUnavailable } from "./ports.ts";
import { answerReader, createServiceCall, type ServiceAnswer } from "./service-call.ts";
import type { KeyService } from "./service-root-key.ts";

export interface VaultTransitOptions {
  /** Scheme, host and port. */
  readonly address: URL;
  /** Where the engine is mounted, without slashes at its ends. */
  readonly mount: string;
  readonly key: string;
  readonly namespace?: string | undefined;
  /** Asked before each call: a token is renewed elsewhere. Throws KeysUnavailable where there is none. */
  readonly token: () => Promise<string>;
  readonly now?: (() => number) | undefined;
  readonly parallelMax?: number | undefined;
}

const answered = answerReader("Transit");
const encrypted = z.object({ data: z.object({ ciphertext: z.string().regex(/^vault:v[0-9]+:[A-Za-z0-9+/=]+$/) }) });
const decrypted = z.object({ data: z.object({ plaintext: canonicalBase64 }) });
const described = z.object({
  data: z.object({ type: z.string(), derived: z.boolean(), exportable: z.boolean(), allow_plaintext_backup: z.boolean() }),
});
const failed = z.object({ errors: z.array(z.string()) });

/** Types that authenticate what is bound to the ciphertext. */
const fitTypes = ["aes256-gcm96", "aes128-gcm96", "chacha20-poly1305", "xchacha20-poly1305"];

export function createVaultTransit(options: VaultTransitOptions): KeyService {
  const { mount, key, now, parallelMax } = options;
  const call = createServiceCall({ name: "Transit", isBusy: ({ status }) => status === 429 || status === 412, now, parallelMax });
  const ask = (action: "keys" | "encrypt" | "decrypt", content?: object) =>
    call(async () => ({
      url: new URL(`/v1/${mount}/${action}/${key}`, options.address),
      method: content === undefined ? "GET" : "POST",
      headers: await headersOf(options),
      ...(content === undefined ? {} : { body: JSON.stringify(content) }),
    }));
  const missing = () => new KeysUnavailable(`there is no key ${key} in Transit; make it with derived=true, or name the one that is there`);
  const refused = (action: string, { status }: ServiceAnswer) =>
    status === 404
      ? missing()
      : new KeysUnavailable(`Transit refuses ${action} (${status}); let the token's policy allow ${mount}/${action}/${key}`);
  return {
    // A server may move, and its key with it.
    id: `vault-transit:${mount}/${key}`,
    async encrypt(place, plaintext) {
      const answer = await ask("encrypt", { plaintext: toBase64(plaintext), ...boundTo(place) });
      if (isMissing(answer)) throw missing();
      if (answer.status !== 200) throw refused("encrypt", answer);
      return utf8(answered(encrypted, answer.body).data.ciphertext).slice();
    },
    async decrypt(place, ciphertext) {
      const text = textOf(ciphertext);
      if (text === null) return null;
      const answer = await ask("decrypt", { ciphertext: text, ...boundTo(place) });
      if (isMissing(answer)) throw missing();
      if (answer.status === 400) return null;
      if (answer.status !== 200) throw refused("decrypt", answer);
      return fromBase64(answered(decrypted, answer.body).data.plaintext);
    },
    async check() {
      const answer = await ask("keys");
      if (answer.status !== 200) throw refused("keys", answer);
      const { type, derived, exportable, allow_plaintext_backup: backup } = answered(described, answer.body).data;
      if (!fitTypes.includes(type) || !derived)
        throw new KeysUnavailable(
          `the key ${key} in Transit is not derived, or not of an AEAD type; make one with type=aes256-gcm96 derived=true`,
        );
      if (exportable || backup) throw new KeysUnavailable(`the key ${key} in Transit can be exported; make one that cannot`);
    },
  };
}

function boundTo(place: KeyPlace) {
  return { context: toBase64(utf8(place.contract)), associated_data: toBase64(placeBytes(place)) };
}

async function headersOf({ token, namespace }: VaultTransitOptions): Promise<Record<string, string>> {
  const named = namespace === undefined ? {} : { "x-vault-namespace": namespace };
  return { "content-type": "application/json", "x-vault-request": "true", "x-vault-token": await token(), ...named };
}

/** What it was asked with is in order; there is no such key. */
function isMissing({ status, body }: ServiceAnswer): boolean {
  const parsed = failed.safeParse(body);
  return status === 400 && parsed.success && parsed.data.errors.some((line) => line.includes("key not found"));
}

/** `null` = Transit never gave it. */
function textOf(ciphertext: Uint8Array): string | null {
  try {
    const text = fromUtf8(ciphertext);
    return text.startsWith("vault:") ? text : null;
  } catch {
    return null;
  }
}
