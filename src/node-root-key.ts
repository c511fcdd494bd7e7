/** The root key of a Node process: 32 bytes that it holds, or a service's, which is asked whether it would do before anything else is opened. */
import { readFile } from "node:fs/promises";
import { ConfigRefused, type Environment } from "./config.ts";
import { nodeAead } from "./crypto/node-aead.ts";
import { createRootKey, createServiceRootKey, type KeyService, KeysUnavailable, type RootKey } from "./keys/index.ts";
import { openKeyService } from "./open-key-holders.ts";
import { asRefusal } from "./start-checks.ts";

/** `held`: the key's bytes, where it is no service's. Throws ConfigRefused. */
export async function openRootKey(environment: Environment, held: Uint8Array | null): Promise<RootKey> {
  if (held) return createRootKey(nodeAead, held);
  const service = keyServiceOf(environment);
  if (!service) throw new ConfigRefused("POSTERN_ROOT_KEY names no key");
  await service.check().catch(asRefusal);
  return createServiceRootKey(service);
}

/** `null` = the process holds the key itself. */
export function keyServiceOf(environment: Environment): KeyService | null {
  const { POSTERN_ROOT_KEY: rootKey, POSTERN_ROOT_KEY_CREDENTIALS: path } = environment;
  if (!rootKey || !("service" in rootKey)) return null;
  const readCredentials = path === undefined ? undefined : () => readFile(path, "utf8").catch(unreadable);
  return openKeyService(rootKey.service, environment, { readCredentials });
}

function unreadable(): never {
  throw new KeysUnavailable("the file of POSTERN_ROOT_KEY_CREDENTIALS cannot be read");
}
