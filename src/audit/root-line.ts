/**
 * How the root log names the head of one log: `{name} {box}`. Every merchant may read every line, and learns from another's nothing but that some log
 * has a new head: name and box are made under that log's root key, which its trust file holds. Whoever has it finds and opens the lines about that log.
 * The key is handed out when the contract is activated, so the gateway cannot name one log under two keys to two readers.
 */
import { type Aead, fromBase64, fromUtf8, hmacSha256, open, seal, toBase32, toBase64, utf8 } from "../crypto/index.ts";
import { originOf, readOrigin } from "./epoch.ts";

export interface NamedHead {
  readonly origin: string;
  /** 0: nothing is published yet. */
  readonly size: number;
  /** Base64; `-` of size 0. */
  readonly root: string;
}

/** Lines do not tell by their length how long a log is. */
const textBytes = 72;
const place = utf8("root log");

/** `secret`: the gateway log's pseudonym key, which outlives every contract's. */
export function rootKeyOf(secret: Uint8Array, log: string): Uint8Array {
  return hmacSha256(secret, utf8(`root log\u0000${log}`));
}

/** 26 base32 characters behind `l_`. */
export function nameInRoot(key: Uint8Array): string {
  return `l_${toBase32(hmacSha256(key, utf8("name"))).slice(0, 26)}`;
}

export function sealHead(aead: Aead, key: Uint8Array, { origin, size, root }: NamedHead): string {
  const text = `${readOrigin(origin).epoch} ${size} ${root}`.padEnd(textBytes);
  return `${nameInRoot(key)} ${toBase64(seal(aead, key, place, utf8(text)))}`;
}

/** `base`: origin of the log's first epoch. `null` = it does not open, or holds no head: then it says nothing that could be true. */
export function openHeadLine(aead: Aead, key: Uint8Array, line: string, base: string): NamedHead | null {
  try {
    const text = open(aead, key, place, fromBase64(line.slice(line.indexOf(" ") + 1)));
    const [, epoch, size, root] =
      /^([1-9][0-9]{0,3}) (0|[1-9][0-9]{0,15}) (-|[A-Za-z0-9+/]{43}=) *$/.exec(text ? fromUtf8(text) : "") ?? [];
    return root === undefined ? null : { origin: originOf({ base, epoch: Number(epoch) }), size: Number(size), root };
  } catch {
    return null;
  }
}

/** Of a line that may be anybody's. */
export function nameOfLine(line: string): string {
  return line.split(" ", 1)[0] ?? "";
}
