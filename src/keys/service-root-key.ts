/**
 * A root key that a service holds and never shows: it is asked to encrypt and decrypt a key of ours, at its place.
 * What it encrypts is the key and a tag over place and key, so that a key answered for another place, or no key of ours, is refused here: the service
 * is trusted to keep secrets, not to be right. What passes through JSON cannot be wiped; buffers are.
 */
import { concat, equalBytes, keyBytes, sha256, utf8 } from "../crypto/index.ts";
import { type KeyPlace, placeBytes, placeOf } from "./key-place.ts";
import { nameRootKey } from "./named-root-key.ts";
import { KeysUnavailable, type RootKey } from "./ports.ts";

export interface KeyService {
  /** Which key it is, wherever it is asked from: the root key's name follows from it. */
  readonly id: string;
  encrypt(place: KeyPlace, plaintext: Uint8Array): Promise<Uint8Array>;
  /** `null` = it was not encrypted under this key at this place. Throws KeysUnavailable where the service cannot be asked or refuses. */
  decrypt(place: KeyPlace, ciphertext: Uint8Array): Promise<Uint8Array | null>;
  /** Throws KeysUnavailable, with one line for the operator, where the key is not there or not fit. Changes nothing. */
  check(): Promise<void>;
}

const tagBytes = 16;

export function createServiceRootKey(service: KeyService): RootKey {
  let isFit = false;
  return nameRootKey(utf8(service.id), {
    async wrap(context, key) {
      // Some services make a missing key rather than to say so.
      if (!isFit) await service.check();
      isFit = true;
      const place = placeOf(context);
      const plaintext = concat(key, tagOf(place, key));
      try {
        return await service.encrypt(place, plaintext);
      } finally {
        plaintext.fill(0);
      }
    },
    async unwrap(context, wrapped) {
      const place = placeOf(context);
      const plaintext = await service.decrypt(place, wrapped);
      if (plaintext === null) return null;
      const key = plaintext.slice(0, keyBytes);
      const isOurs = plaintext.length === keyBytes + tagBytes && equalBytes(plaintext.subarray(keyBytes), tagOf(place, key));
      plaintext.fill(0);
      if (isOurs) return key;
      key.fill(0);
      throw new KeysUnavailable("the key service answers another key than the one that was asked for");
    },
  });
}

function tagOf(place: KeyPlace, key: Uint8Array): Uint8Array {
  return sha256(concat(utf8("postern root key"), placeBytes(place), key)).slice(0, tagBytes);
}
