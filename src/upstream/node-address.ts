/** Where a name leads, on Node: every address has to be public, and the one that was looked at is the one that is gone to. */
import { lookup } from "node:dns/promises";
import { isPublicAddress } from "./public-address.ts";

export interface Address {
  readonly address: string;
  readonly family: number;
}

export interface AddressRules {
  readonly resolve?: (host: string) => Promise<readonly Address[]>;
  readonly isAllowed?: (address: string) => boolean;
}

/** Throws where the name leads nowhere, or to anything that is not public. */
export async function publicAddressOf(host: string, { resolve = resolveAll, isAllowed = isPublicAddress }: AddressRules): Promise<Address> {
  const addresses = await resolve(host);
  const [first] = addresses;
  if (!first || !addresses.every(({ address }) => isAllowed(address))) throw new Error("the name leads to no public address");
  return first;
}

function resolveAll(host: string): Promise<Address[]> {
  return lookup(host, { all: true });
}
