/** Compiled bundles by digest. A digest never changes its meaning, so what was parsed once is kept; the least recently made goes first. */
import type { ContractId } from "../kernel/index.ts";
import { type Bundle, bundleDigest, parseBundle } from "../policy/index.ts";
import type { Queryable } from "../storage/index.ts";
import { selectBundle } from "./postgres.ts";

const bundlesMax = 500;

export interface Bundles {
  /** Throws where the stored bundle is missing, or is not the one of this digest: two owners agreed to the digest, not to what lies under it. */
  bundleOf(database: Queryable, contract: ContractId, digest: string): Promise<Bundle>;
}

export function createBundles(): Bundles {
  const parsed = new Map<string, Bundle>();
  return {
    async bundleOf(database, contract, digest) {
      const name = `${contract}/${digest}`;
      const known = parsed.get(name);
      if (known) return known;
      const text = await selectBundle(database, contract, digest);
      if (text === null) throw new Error(`the bundle of contract ${contract} is missing`);
      if (bundleDigest(text) !== digest) throw new Error(`the bundle of contract ${contract} is not the one of its digest`);
      const bundle = parseBundle(text);
      parsed.set(name, bundle);
      if (parsed.size > bundlesMax) {
        const oldest = parsed.keys().next();
        if (!oldest.done) parsed.delete(oldest.value);
      }
      return bundle;
    },
  };
}
