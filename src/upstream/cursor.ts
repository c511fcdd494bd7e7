/**
 * What a merchant's API says of its next page, while an agent holds it: sealed under a key that follows from the contract's locator key, for that contract,
 * connector and route. With it goes what was searched for, so that the next page's records are held to it as well.
 */
import { type Aead, fromBase64Url, fromUtf8, hkdfSha256, keyBytes, open, seal, toBase64Url, utf8 } from "../crypto/index.ts";
import { type ContractId, canonicalJson } from "../kernel/index.ts";

export interface CursorPlace {
  readonly contract: ContractId;
  /** The connector's. */
  readonly name: string;
  /** The route's path. */
  readonly route: string;
}

const sealedCharactersMax = 8_192;

export function sealCursor(aead: Aead, locatorKey: Uint8Array, place: CursorPlace, text: string): string {
  return toBase64Url(seal(aead, keyOf(locatorKey, place), aadOf(place), utf8(text)));
}

/** `null` = it was not sealed here, or for another place. */
export function openCursor(aead: Aead, locatorKey: Uint8Array, place: CursorPlace, sealed: string): string | null {
  if (sealed.length > sealedCharactersMax || !/^[A-Za-z0-9_-]+$/.test(sealed)) return null;
  const opened = open(aead, keyOf(locatorKey, place), aadOf(place), bytesOf(sealed));
  return opened && fromUtf8(opened);
}

/** Of a length that base64 cannot have: none. */
function bytesOf(sealed: string): Uint8Array {
  try {
    return fromBase64Url(sealed);
  } catch {
    return new Uint8Array();
  }
}

function keyOf(locatorKey: Uint8Array, { contract }: CursorPlace): Uint8Array {
  return hkdfSha256(locatorKey, utf8(contract), utf8("cursor"), keyBytes);
}

function aadOf({ contract, name, route }: CursorPlace): Uint8Array {
  return utf8(canonicalJson([contract, "cursor", name, route]));
}
