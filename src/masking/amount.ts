/**
 * Amounts of money: clear by default, because agents work with them; otherwise a band, or nothing.
 */
import { type Json, NumberText } from "../kernel/index.ts";
import { tidyText } from "./text.ts";

const pattern = /^(-?)[¥$€£]? ?(-?)([0-9]{1,12}|[0-9]{1,3}(?:,[0-9]{3}){1,4})(?:\.[0-9]{1,8})? ?(?:元|CNY|RMB|USD|EUR|GBP|HKD)?$/;
const bandStarts = [0, 100, 500, 1000, 5000, 10_000, 50_000] as const;

/** `500-999`, `50000+`; of a refund `-500-999`. `null` = no amount. */
export function amountBand(value: Json): string | null {
  const text = numberText(value);
  const [, sign = "", innerSign = "", digits] = pattern.exec(tidyText(text ?? "") ?? "") ?? [];
  if (digits === undefined) return null;
  const whole = Number(digits.replaceAll(",", ""));
  const next = bandStarts.findIndex((start) => start > whole);
  const band = next === -1 ? `${bandStarts.at(-1)}+` : `${bandStarts[next - 1]}-${(bandStarts[next] ?? 0) - 1}`;
  return sign + innerSign === "" ? band : `-${band}`;
}

/** A number's digits, or a text; `null` = another shape. */
export function numberText(value: Json): string | null {
  if (value instanceof NumberText) return value.text;
  return typeof value === "string" || typeof value === "number" ? String(value) : null;
}
