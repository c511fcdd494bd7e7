/**
 * Networks of a contract: CIDR blocks of IPv4 and IPv6 (RFC 4632, RFC 4291). An IPv4 address inside an IPv6 one (::ffff:a.b.c.d) is the IPv4 address.
 * What cannot be read as an address is in no network.
 */

export interface Network {
  /** What a condition calls it: its name, or the block as it is written. */
  readonly name: string;
  readonly blocks: readonly string[];
}

interface Block {
  readonly address: bigint;
  readonly bits: 32 | 128;
  readonly prefix: number;
}

/** The network that holds `address`; `null` = none. */
export function networkOf(networks: readonly Network[], address: string | undefined): string | null {
  const parsed = address === undefined ? null : parseAddress(address);
  if (parsed === null) return null;
  const known = parsedNetworks.get(networks) ?? networks.map(({ blocks }) => blocks.map(parseBlock));
  parsedNetworks.set(networks, known);
  return networks[known.findIndex((blocks) => blocks.some((block) => holds(block, parsed)))]?.name ?? null;
}

/** In which an address is taken for its neighbours': 24 bits of IPv4, 48 of IPv6; `null` = not an address. */
export function networkPrefix(text: string): string | null {
  const parsed = parseAddress(text);
  if (parsed === null) return null;
  const { address, bits } = parsed;
  return `${bits}:${(bits === 32 ? address >> 8n : address >> 80n).toString(16)}`;
}

/** A bundle's networks are asked at every request. */
const parsedNetworks = new WeakMap<readonly Network[], (Block | null)[][]>();

/** `203.0.113.0/24`, `2001:db8::/32`, or one address; `null` = none of these, or bits behind the prefix are set. */
export function parseBlock(text: string): Block | null {
  const [host = "", length, more] = text.split("/");
  const parsed = parseAddress(host);
  if (parsed === null || more !== undefined || host.includes(".") !== (parsed.bits === 32)) return null;
  if (length !== undefined && !/^(?:0|[1-9][0-9]{0,2})$/.test(length)) return null;
  const prefix = length === undefined ? parsed.bits : Number(length);
  if (prefix > parsed.bits) return null;
  const hostBits = BigInt(parsed.bits - prefix);
  return (parsed.address >> hostBits) << hostBits === parsed.address ? { ...parsed, prefix } : null;
}

/** Does a block of `outer` hold each of `inner`'s? Several that hold it only together do not count. */
export function isInside(inner: readonly Network[], outer: readonly Network[]): boolean {
  const blocksOf = (networks: readonly Network[]) => networks.flatMap(({ blocks }) => blocks.map(parseBlock));
  const around = blocksOf(outer);
  return blocksOf(inner).every(
    (block) => block !== null && around.some((wide) => wide !== null && wide.prefix <= block.prefix && holds(wide, block)),
  );
}

function holds(block: Block | null, { address, bits }: Omit<Block, "prefix">): boolean {
  if (block === null || block.bits !== bits) return false;
  const hostBits = BigInt(bits - block.prefix);
  return address >> hostBits === block.address >> hostBits;
}

function parseAddress(text: string): Omit<Block, "prefix"> | null {
  if (!text.includes(":")) {
    const address = parseIpv4(text);
    return address === null ? null : { address, bits: 32 };
  }
  const address = parseIpv6(text);
  if (address === null) return null;
  return address >> 32n === 0xffffn ? { address: address & 0xffff_ffffn, bits: 32 } : { address, bits: 128 };
}

/** Four decimal numbers without leading zeros: nothing that another reader would take for octal. */
function parseIpv4(text: string): bigint | null {
  const parts = text.split(".");
  if (parts.length !== 4 || !parts.every((part) => /^(?:0|[1-9][0-9]{0,2})$/.test(part) && Number(part) < 256)) return null;
  return parts.reduce((address, part) => (address << 8n) | BigInt(part), 0n);
}

function parseIpv6(text: string): bigint | null {
  const dotted = /^(.*:)([^:]*\.[^:]*)$/.exec(text);
  const tail = dotted === null ? null : parseIpv4(dotted[2] ?? "");
  if (dotted !== null && tail === null) return null;
  const plain = tail === null ? text : `${dotted?.[1]}${(tail >> 16n).toString(16)}:${(tail & 0xffffn).toString(16)}`;
  const [left = "", right, more] = plain.split("::");
  if (more !== undefined) return null;
  const head = left === "" ? [] : left.split(":");
  const rest = right === undefined || right === "" ? [] : right.split(":");
  const missing = 8 - head.length - rest.length;
  if (right === undefined ? missing !== 0 : missing < 1) return null;
  const groups = [...head, ...Array.from({ length: missing }, () => "0"), ...rest];
  if (!groups.every((group) => /^[0-9a-fA-F]{1,4}$/.test(group))) return null;
  return groups.reduce((address, group) => (address << 16n) | BigInt(`0x${group}`), 0n);
}
