/** A root key held as 32 bytes by the process itself: read from a file, or from a Worker's secret. */
import { type Aead, keyBytes, open, seal, utf8 } from "../crypto/index.ts";
import { nameRootKey } from "./named-root-key.ts";
import type { RootKey } from "./ports.ts";

/** Throws a RangeError on a wrong length and on a key whose bytes are all the same. */
export function createRootKey(aead: Aead, key: Uint8Array): RootKey {
  if (key.length !== keyBytes) throw new RangeError(`a root key has ${keyBytes} bytes`);
  if (key.every((byte) => byte === key[0])) throw new RangeError("a root key is random");
  return nameRootKey(key, {
    wrap: async (context, secret) => seal(aead, key, utf8(context), secret),
    unwrap: async (context, wrapped) => open(aead, key, utf8(context), wrapped),
  });
}
