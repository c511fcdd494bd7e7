/**
 * The outputs of hutool's DesensitizedUtil, under its own names, for screens that people have got used to. Its stars count what they hide, and it
 * shows more than `cn-default`; choose it only for that. Where hutool gives its input back (a malformed plate, a mail whose name has one letter,
 * a card number of eight digits, an address of which nothing is to be hidden) this refuses: everything comes out as stars.
 */
import { isJsonObject, type Json } from "../kernel/index.ts";
import { maskAddress, readHanAddress } from "./address.ts";
import { maskEmail, readEmail } from "./email.ts";
import { compact, hiddenCard, hiddenId, readResidentId } from "./identity-number.ts";
import { maskIpAddress } from "./ip-address.ts";
import { maskName, readHanName } from "./name.ts";
import { maskPhone, readLandline, readMobile } from "./phone.ts";
import { hiddenPlate, readPlate } from "./plate.ts";

const addressHiddenCharacters = 8;
const passwordCharactersMax = 64;
const cardDigits = { min: 13, max: 24 } as const;

/** What has no text has nothing to hide; `hidden`: characters at an address's end. */
export const hutoolMasks = {
  USER_ID: () => "0",
  CLEAR_TO_EMPTY: () => "",
  CHINESE_NAME: chineseName,
  ID_CARD: idCard,
  FIXED_PHONE: phone,
  MOBILE_PHONE: phone,
  ADDRESS: (text: string, hidden: number = addressHiddenCharacters) => address(text, hidden),
  EMAIL: email,
  PASSWORD: (text: string) => "*".repeat(Math.min([...text].length, passwordCharactersMax)),
  CAR_LICENSE: carLicense,
  BANK_CARD: bankCard,
  IPV4: maskIpAddress,
  IPV6: maskIpAddress,
} as const satisfies Record<string, (text: string, hidden?: number) => string>;

export function hutoolAddress(value: Json): string | null {
  if (isJsonObject(value)) return maskAddress(value);
  return typeof value === "string" ? address(value, addressHiddenCharacters) : null;
}

/** `段**`; another kind of name as always. */
function chineseName(text: string): string {
  const name = readHanName(text);
  if (name === null) return maskName(text);
  const characters = [...name];
  return (characters[0] ?? "") + "*".repeat(characters.length - 1);
}

/** `5***************1X`. */
function idCard(text: string): string {
  const id = readResidentId(text);
  return id === null ? hiddenId : hide(id, 1, id.length - 2);
}

/** `180****1999`, `0915*****79`; of another country as always. */
function phone(text: string): string {
  const mobile = readMobile(text);
  if (mobile !== null) return maskPhone(text);
  const landline = readLandline(text);
  return landline === null ? maskPhone(text) : hide(landline, 4, landline.length - 2);
}

/** Everything but the last eight characters: of a short address nothing, of a long one its street. A foreign one as always. */
function address(text: string, hidden: number): string {
  const han = readHanAddress(text);
  if (han === null) return String(maskAddress(text));
  const characters = [...han];
  // Nothing to hide is no mask: hutool would give the address back.
  const shown = hidden < 1 ? 0 : Math.max(0, characters.length - hidden);
  return characters.slice(0, shown).join("") + "*".repeat(characters.length - shown);
}

/** `d********@126.com`. */
function email(text: string): string {
  const read = readEmail(text);
  if (read === null || !/^[\p{L}\p{N}]{2}/u.test(read.local)) return maskEmail(text);
  return `${hide(read.local, 1, read.local.length)}@${read.domain}`;
}

/** `苏D4***0`, `陕A1****D`. */
function carLicense(text: string): string {
  if (text === "") return "";
  const plate = readPlate(text);
  return plate === null ? hiddenPlate : hide(plate, 3, plate.length - 1);
}

/** `6227 **** **** **** 123`: the first four, and what the groups of four leave at the end. */
function bankCard(text: string): string {
  if (text === "") return "";
  const digits = compact(text);
  const isCard = /^[0-9]+$/.test(digits) && digits.length >= cardDigits.min && digits.length <= cardDigits.max;
  if (!isCard) return hiddenCard;
  const groups = Math.ceil(digits.length / 4);
  return [digits.slice(0, 4), ...Array.from({ length: groups - 2 }, () => "****"), digits.slice((groups - 1) * 4)].join(" ");
}

function hide(text: string, from: number, to: number): string {
  return text.slice(0, from) + "*".repeat(to - from) + text.slice(to);
}
