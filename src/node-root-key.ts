/**
 * The root key of a Node process: 32 bytes that it holds, or a service's, which is asked whether it would do before anything else is opened. While keys
 * move from one root key to another, two of them.
 */
import { readFile } from "node:fs/promises";
import type { Environment } from "./config.ts";
import { nodeAead } from "./crypto/node-aead.ts";
import { createRootKey, createServiceRootKey, type KeyService, KeysUnavailable, type RootKey } from "./keys/index.ts";
import type { KeyFiles } from "./node-keys.ts";
import { openKeyService } from "./open-key-holders.ts";
import { ConfigRefused } from "./operator-settings.ts";
import { asRefusal, rootKeysOf } from "./start-checks.ts";

const settings = {
  root: { key: "POSTERN_ROOT_KEY", credentials: "POSTERN_ROOT_KEY_CREDENTIALS" },
  beside: { key: "POSTERN_ROOT_KEY_BESIDE", credentials: "POSTERN_ROOT_KEY_BESIDE_CREDENTIALS" },
} as const;
type Which = keyof typeof settings;

/** `held`: the keys' bytes, where they are no service's. Throws ConfigRefused. */
export async function openRootKey(environment: Environment, held: Pick<KeyFiles, Which>): Promise<RootKey> {
  const root = await openOne(environment, "root", held.root);
  const beside = await openOne(environment, "beside", held.beside);
  if (!root) throw new ConfigRefused("POSTERN_ROOT_KEY names no key");
  return rootKeysOf(root, beside);
}

async function openOne(environment: Environment, which: Which, held: Uint8Array | null): Promise<RootKey | null> {
  if (held) return createRootKey(nodeAead, held);
  const service = keyServiceOf(environment, which);
  await service?.check().catch((error) => asRefusal(error, settings[which].key));
  return service && createServiceRootKey(service);
}

/** `null` = the process holds the key itself, or there is none. */
export function keyServiceOf(environment: Environment, which: Which): KeyService | null {
  const { key, credentials } = settings[which];
  const [rootKey, path] = [environment[key], environment[credentials]];
  if (!rootKey || !("service" in rootKey)) return null;
  const unreadable = () => {
    throw new KeysUnavailable(`the file of ${credentials} cannot be read`);
  };
  const readCredentials = path === undefined ? undefined : () => readFile(path, "utf8").catch(unreadable);
  return openKeyService(rootKey.service, environment, { readCredentials });
}
