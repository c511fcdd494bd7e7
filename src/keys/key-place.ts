/** Where a wrapped key belongs, as a key service is told it: grants there go by `contract`, and what was wrapped for one place opens at no other. */
import { utf8 } from "../crypto/index.ts";
import { canonicalJson } from "../kernel/index.ts";

export interface KeyPlace {
  /** A contract's id, or `gateway` for the gateway log's keys. */
  readonly contract: string;
  /** `share-a` or `audit`. */
  readonly purpose: string;
  /** An epoch, a month, or `pseudonym`. */
  readonly name: string;
}

/** Reads the root key port's context, `purpose/contract/name`; ids hold no `/`. Throws a TypeError on anything else. */
export function placeOf(context: string): KeyPlace {
  const [purpose, contract, name, ...more] = context.split("/");
  if (!purpose || !contract || !name || more.length > 0) throw new TypeError("a key's context is purpose/contract/name");
  return { contract, purpose, name };
}

export function placeBytes({ contract, purpose, name }: KeyPlace): Uint8Array {
  return utf8(canonicalJson([purpose, contract, name]));
}
