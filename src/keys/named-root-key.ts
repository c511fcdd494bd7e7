/**
 * What a root key wraps begins with the root key's name, so that two may be read at once and what lies under which can be counted without asking either.
 * The name is a hash of what the key is, and tells nothing of it; what was wrapped is authenticated by the key alone.
 */
import { concat, sha256, toHex, utf8 } from "../crypto/index.ts";
import type { RootKey } from "./ports.ts";

export const rootNameBytes = 8;

/** `what`: the key itself, or where its service has it. */
export function nameRootKey(what: Uint8Array, made: Pick<RootKey, "wrap" | "unwrap">): RootKey {
  const mark = sha256(concat(utf8("postern root key name"), what)).slice(0, rootNameBytes);
  const name = toHex(mark);
  return {
    names: [name],
    wrap: async (context, key) => concat(mark, await made.wrap(context, key)),
    unwrap: async (context, wrapped) => (nameOf(wrapped) === name ? made.unwrap(context, wrapped.subarray(rootNameBytes)) : null),
  };
}

/** Wraps under `first` and reads what lies under either: while keys move from the one to the other. Throws a RangeError where they have one name. */
export function joinRootKeys(first: RootKey, beside: RootKey): RootKey {
  const names = [...first.names, ...beside.names];
  if (new Set(names).size < names.length) throw new RangeError("two root keys have one name");
  return {
    names,
    wrap: (context, key) => first.wrap(context, key),
    unwrap: (context, wrapped) => (beside.names.includes(nameOf(wrapped)) ? beside : first).unwrap(context, wrapped),
  };
}

function nameOf(wrapped: Uint8Array): string {
  return toHex(wrapped.subarray(0, rootNameBytes));
}
