/**
 * IP addresses: the first octet or group, which says little more than the continent. An IPv4 address inside an IPv6 one counts as IPv4.
 */
import { tidyText } from "./text.ts";

const hiddenV4 = "*.*.*.*";
const hiddenV6 = "*:*:*:*:*:*:*:*";
/** `fe80::1%eth0`, `2001:db8::/32`, `[::1]`: what stands around an address. */
const dressing = /^\[?([0-9A-Fa-f:.]{2,45})(?:%[0-9A-Za-z._-]{1,32})?\]?(?:\/([0-9]{1,3}))?$/;
const octet = /^(?:0|[1-9][0-9]?|1[0-9]{2}|2[0-4][0-9]|25[0-5])$/;
const group = /^[0-9A-Fa-f]{1,4}$/;

/** `192.*.*.*`, `2001:*:*:*:*:*:*:*`; what is no address: `*.*.*.*`. */
export function maskIpAddress(text: string): string {
  const address = readIpAddress(text);
  if (address === null) return hiddenV4;
  if (address.v4) return `${address.first}${hiddenV4.slice(1)}`;
  return `${address.first === "" ? "*" : address.first}${hiddenV6.slice(1)}`;
}

export function maskIpAddressStrictly(text: string): string {
  return readIpAddress(text)?.v4 === false ? hiddenV6 : hiddenV4;
}

interface IpAddress {
  readonly v4: boolean;
  /** Empty where `::` stands for it. */
  readonly first: string;
}

/** `null` = no address. */
function readIpAddress(text: string): IpAddress | null {
  const [, address = "", prefix] = dressing.exec(tidyText(text) ?? "") ?? [];
  const v4 = address.slice(address.lastIndexOf(":") + 1);
  const mapped = v4.includes(".");
  if (mapped && !isV4(v4)) return null;
  if (Number(prefix ?? 0) > (mapped && v4 === address ? 32 : 128)) return null;
  if (mapped && v4 === address) return { v4: true, first: v4.slice(0, v4.indexOf(".")) };
  // Two groups stand for the four octets.
  const groups = mapped ? `${address.slice(0, -v4.length)}0:0` : address;
  if (!isV6(groups)) return null;
  if (mapped) return { v4: true, first: v4.slice(0, v4.indexOf(".")) };
  return { v4: false, first: address.slice(0, address.indexOf(":")) };
}

function isV4(text: string): boolean {
  const octets = text.split(".");
  return octets.length === 4 && octets.every((part) => octet.test(part));
}

function isV6(text: string): boolean {
  const [head = "", tail, third] = text.split("::");
  if (third !== undefined) return false;
  const groups = [head, tail ?? ""].flatMap((half) => (half === "" ? [] : half.split(":")));
  return groups.every((part) => group.test(part)) && (tail === undefined ? groups.length === 8 : groups.length < 8);
}
