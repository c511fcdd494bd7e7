/**
 * Numbers that identify a person or an account: shown by their ends only. No checksum is asked for: real data is full of numbers that fail it.
 */
import { tidyText } from "./text.ts";

const idPattern = /^[A-Z]{0,3}[0-9]{6,18}[0-9A-Z]{0,2}$/;
const cardPattern = /^[0-9]{12,19}$/;

/** `3********3`: first and last character (the option 6 + 4 would leak county, sex and sequence). */
export function maskResidentId(text: string): string {
  const id = compact(text).toUpperCase();
  return idPattern.test(id) ? `${id.slice(0, 1)}********${id.slice(-1)}` : "********";
}

/** `****2631` (PCI DSS 3.4.1 allows at most BIN and last four). */
export function maskPaymentCard(text: string): string {
  const digits = compact(text);
  return cardPattern.test(digits) ? `****${digits.slice(-4)}` : "****";
}

/** Without spaces and dashes, case-folded; `null` when nothing is left. */
export function normalizeIdentityNumber(text: string): string | null {
  const folded = compact(text).toLowerCase();
  return folded === "" ? null : folded;
}

function compact(text: string): string {
  return (tidyText(text) ?? "").replace(/[\s\p{Pd}]/gu, "");
}
