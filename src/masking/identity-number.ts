/**
 * Numbers that identify a person or an account: shown by their ends only. No checksum is asked for: real data is full of numbers that fail it.
 * The one exception is the IBAN, which banks refuse at the counter when it is wrong: what fails there is something else.
 */
import { tidyText } from "./text.ts";

const idPattern = /^[A-Z]{0,3}[0-9]{6,18}[0-9A-Z]{0,2}$/;
const cardPattern = /^[0-9]{12,19}$/;
const passportPattern = /^(?=(?:[A-Z]*[0-9]){4})[A-Z0-9]{6,20}$/;
const ibanPattern = /^[A-Z]{2}[0-9]{2}[A-Z0-9]{11,30}$/;

export const hiddenId = "********";
export const hiddenCard = "****";
const hiddenIban = "**** ****";

/** `3********3`: first and last character (the option 6 + 4 would leak county, sex and sequence). */
export function maskResidentId(text: string): string {
  const id = readResidentId(text);
  return id === null ? hiddenId : `${id.slice(0, 1)}${hiddenId}${id.slice(-1)}`;
}

/** The number without spaces and dashes; `null` = not of the form. */
export function readResidentId(text: string): string | null {
  const id = compact(text).toUpperCase();
  return idPattern.test(id) ? id : null;
}

/** `E*****89`. */
export function maskPassport(text: string): string {
  const id = compact(text).toUpperCase();
  return passportPattern.test(id) ? `${id.slice(0, 1)}*****${id.slice(-2)}` : hiddenId;
}

/** `****2631` (PCI DSS 3.4.1 allows at most BIN and last four). */
export function maskPaymentCard(text: string): string {
  const digits = compact(text);
  return cardPattern.test(digits) ? `****${digits.slice(-4)}` : hiddenCard;
}

/** `DE** **** 3000`. */
export function maskIban(text: string): string {
  const iban = readIban(text);
  return iban === null ? hiddenIban : `${iban.slice(0, 2)}** **** ${iban.slice(-4)}`;
}

/** The country, where the IBAN is one. */
export function maskIbanStrictly(text: string): string {
  const iban = readIban(text);
  return iban === null ? hiddenIban : `${iban.slice(0, 2)}** ****`;
}

/** ISO 13616: the number, its first four moved to the end, letters as 10 to 35, leaves 1 when divided by 97. */
function readIban(text: string): string | null {
  const iban = compact(text).toUpperCase();
  if (!ibanPattern.test(iban)) return null;
  let rest = 0;
  for (const character of iban.slice(4) + iban.slice(0, 4)) {
    const value = Number.parseInt(character, 36);
    rest = (rest * (value > 9 ? 100 : 10) + value) % 97;
  }
  return rest === 1 ? iban : null;
}

/** Without spaces and dashes, case-folded; `null` when nothing is left. */
export function normalizeIdentityNumber(text: string): string | null {
  const folded = compact(text).toLowerCase();
  return folded === "" ? null : folded;
}

const plain = /^[0-9A-Za-z]{1,64}$/;

export function compact(text: string): string {
  return plain.test(text) ? text : (tidyText(text) ?? "").replace(/[\s\p{Pd}]/gu, "");
}
