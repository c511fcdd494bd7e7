/** Addresses that the public internet routes (IANA's special-purpose registries): no others are gone to, whatever name leads to them. */
import { networkOf } from "../policy/index.ts";

const special = [
  {
    name: "special",
    blocks: [
      ...["0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12", "192.0.0.0/24", "192.0.2.0/24"],
      ...["192.31.196.0/24", "192.52.193.0/24", "192.88.99.0/24", "192.168.0.0/16", "192.175.48.0/24", "198.18.0.0/15", "198.51.100.0/24"],
      ...["203.0.113.0/24", "224.0.0.0/4", "240.0.0.0/4"],
      // What clouds answer to behind a public address.
      "168.63.129.16/32",
    ],
  },
];
/** All of IPv6 that was given out. An IPv4 address inside an IPv6 one is that IPv4 address. */
const global6 = [{ name: "global", blocks: ["2000::/3"] }];
const special6 = [{ name: "special", blocks: ["2001::/23", "2001:db8::/32", "2002::/16", "3fff::/20"] }];

export function isPublicAddress(address: string): boolean {
  if (networkOf(special, address) !== null || networkOf(special6, address) !== null) return false;
  return networkOf(all4, address) !== null || networkOf(global6, address) !== null;
}

const all4 = [{ name: "all", blocks: ["0.0.0.0/0"] }];
