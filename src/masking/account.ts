/**
 * What people call themselves on platforms: nicknames and platform ids, accounts of WeChat, QQ and Alipay. First and last character.
 * Many an account is a phone number or an e-mail address: then it is masked as one.
 */
import { maskEmail, maskEmailStrictly } from "./email.ts";
import { isCertainPhone, maskPhone, maskPhoneStrictly } from "./phone.ts";
import { graphemes, tidyText } from "./text.ts";

const hiddenNickname = "**";
const hiddenAccount = "******";
const accountPattern = /^[A-Za-z0-9](?:[A-Za-z0-9_.-]{3,62})[A-Za-z0-9]$/;
/** Everything invisible but the joiner that holds 👨‍👩‍👧 together. */
const unseen = /[\p{Cc}\p{Zl}\p{Zp}]|(?!\u200d)\p{Cf}/gu;
/** Nothing that a reader could take for a star, a sign or nothing at all. */
const shownCharacter = /^[\p{L}\p{N}\p{Extended_Pictographic}]/u;

/** `摩**轮`; of two characters only the first, of one none. */
export function maskNickname(text: string): string {
  return maskEnds(text, (first, last) => `${first}${hiddenNickname}${last}`);
}

/** `摩**`. */
export function maskNicknameStrictly(text: string): string {
  return maskEnds(text, (first) => `${first}${hiddenNickname}`);
}

function maskEnds(text: string, show: (first: string, last: string) => string): string {
  const characters = tidyText(text) === null ? [] : graphemes(text.normalize("NFKC").replace(unseen, "").trim());
  const [first, last] = [characters[0], characters.at(-1)].map((character) => shown(character));
  if (characters.length < 2) return hiddenNickname;
  return show(first ?? "", characters.length > 2 ? (last ?? "") : "");
}

/** `w******9`. At least three characters stay hidden. */
export function maskAccount(text: string): string {
  const special = maskAsPhoneOrEmail(text, maskPhone, maskEmail);
  if (special !== null) return special;
  const account = tidyText(text) ?? "";
  return accountPattern.test(account) ? `${account.slice(0, 1)}${hiddenAccount}${account.slice(-1)}` : hiddenAccount;
}

/** Nothing of an account; a phone or a mail as strictly as those. */
export function maskAccountStrictly(text: string): string {
  return maskAsPhoneOrEmail(text, maskPhoneStrictly, maskEmailStrictly) ?? hiddenAccount;
}

function maskAsPhoneOrEmail(text: string, phone: (text: string) => string, email: (text: string) => string): string | null {
  if (text.includes("@") || text.includes("＠")) return email(text);
  return isCertainPhone(text) ? phone(text) : null;
}

function shown(character: string | undefined): string {
  if (character === undefined || !shownCharacter.test(character)) return "";
  return /^\p{Extended_Pictographic}/u.test(character) ? character : character.replaceAll("\u200d", "");
}
