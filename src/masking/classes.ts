/**
 * The data classes: how sensitive each is, how it is masked (profile `cn-default`), and how two spellings of one value are made equal for search.
 *
 * Levels say which values are sealed together (0 plain … 3 most sensitive), so that what a plan withholds is not even opened.
 * Every mask fails closed: a value it cannot read comes out as stars, a value of another shape as `null` (withheld).
 */
import { isJsonArray, type Json, NumberText } from "../kernel/index.ts";
import { isAddress, maskAddress } from "./address.ts";
import { maskEmail, normalizeEmail } from "./email.ts";
import { maskPaymentCard, maskResidentId, normalizeIdentityNumber } from "./identity-number.ts";
import { maskName } from "./name.ts";
import { maskPhone, normalizePhone } from "./phone.ts";
import { foldText } from "./text.ts";

export interface ClassRules {
  readonly level: 0 | 1 | 2 | 3;
  /** `null` = withheld: a shape that the class does not have. Never called with `null`. */
  mask(value: Json): Json;
  /** The value as it is, or `null` for a shape that the class does not have. Never called with `null`. */
  reveal(value: Json): Json;
  /** The one spelling of `text` for the blind index; `null` = nothing left to search by. */
  normalize(text: string): string | null;
}

export const dataClasses = {
  plain: { level: 0, mask: plainValue, reveal: plainValue, normalize: foldText },
  person_name: { level: 1, mask: masked(maskName), reveal: textOnly, normalize: foldText },
  address: { level: 2, mask: maskAddress, reveal: (value) => (isAddress(value) ? value : null), normalize: foldText },
  phone: { level: 2, mask: masked(maskPhone), reveal: textOnly, normalize: normalizePhone },
  email: { level: 2, mask: masked(maskEmail), reveal: textOnly, normalize: normalizeEmail },
  /** Withheld at every treatment until it can be redacted. */
  free_text: { level: 2, mask: withheld, reveal: withheld, normalize: foldText },
  resident_id: { level: 3, mask: masked(maskResidentId), reveal: textOnly, normalize: normalizeIdentityNumber },
  payment_card: { level: 3, mask: masked(maskPaymentCard), reveal: textOnly, normalize: normalizeIdentityNumber },
} as const satisfies Record<string, ClassRules>;

export type DataClass = keyof typeof dataClasses;

export const classNames = Object.keys(dataClasses) as readonly DataClass[];

/** The value as a `mask` treatment shows it. Deterministic; `null` stays `null`. */
export function maskValue(name: DataClass, value: Json): Json {
  return value === null ? null : dataClasses[name].mask(value);
}

/** The one spelling under which the blind index knows `value`; `null` = not text, or nothing left. */
export function normalize(name: DataClass, value: Json): string | null {
  return typeof value === "string" ? dataClasses[name].normalize(value) : null;
}

function masked(mask: (text: string) => string): (value: Json) => string | null {
  return (value) => (typeof value === "string" ? mask(value) : null);
}

function textOnly(value: Json): string | null {
  return typeof value === "string" ? value : null;
}

function withheld(): null {
  return null;
}

/** Scalars and arrays of scalars; an object under a plain field was not meant by whoever called it plain. */
function plainValue(value: Json): Json {
  if (isScalar(value)) return value;
  return isJsonArray(value) && value.every(isScalar) ? value : null;
}

function isScalar(value: Json): boolean {
  return value === null || typeof value !== "object" || value instanceof NumberText;
}
