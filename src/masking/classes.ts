/**
 * The data classes: how sensitive each is (GB/T 43697 as used in practice), what a first-line agent of a vendor usually gets, what it can be generalized
 * to, and how two spellings of one value are made equal. How each is masked: class-masks.ts. docs/MASKS.md is both tables, held to them by a test.
 *
 * Levels say which values are sealed together (0 plain … 3 most sensitive), so that what a plan withholds is not even opened.
 */
import type { Json } from "../kernel/index.ts";
import { numberText } from "./amount.ts";
import { readBirthDate } from "./birth-date.ts";
import type { DataClass } from "./class-names.ts";
import { normalizeEmail } from "./email.ts";
import { normalizeIdentityNumber } from "./identity-number.ts";
import { normalizePhone } from "./phone.ts";
import { pseudonymOf } from "./pseudonym.ts";
import { foldText } from "./text.ts";
import type { Generalization, Treatment } from "./treatment.ts";

export interface ClassRules {
  readonly level: 0 | 1 | 2 | 3;
  /** What a first-line agent gets where nobody has a reason for more. */
  readonly default: Treatment;
  /** The one spelling of `text` for the blind index and for pseudonyms; `null` = nothing left. */
  normalize(text: string): string | null;
  /** What it can be made coarser to. */
  readonly generalize?: readonly Generalization[];
  /** Few values, or none that may be told apart: no pseudonym either, and no `same_as`. */
  readonly pseudonymize?: false;
  /** Never kept: it must not be there. */
  readonly stored?: false;
}

const special = { level: 3, default: "withhold", normalize: foldText, pseudonymize: false } as const;

export const dataClasses = {
  plain: { level: 0, default: "reveal", normalize: foldText },
  amount: { level: 1, default: "reveal", normalize: foldText, generalize: ["band"] },
  person_name: { level: 1, default: "mask", normalize: foldText },
  nickname: { level: 1, default: "mask", normalize: foldText },
  birth_date: { level: 1, default: "withhold", normalize: readBirthDate, generalize: ["year", "age_band"] },
  address: { level: 2, default: "mask", normalize: foldText, generalize: ["district", "city"] },
  phone: { level: 2, default: "mask", normalize: normalizePhone },
  email: { level: 2, default: "mask", normalize: normalizeEmail },
  plate: { level: 2, default: "mask", normalize: normalizeIdentityNumber },
  ip_address: { level: 2, default: "withhold", normalize: foldText },
  /** Order, tracking and ticket numbers: clear for the ticket in hand, else withheld; there is nothing between. */
  business_id: { level: 2, default: "withhold", normalize: foldText },
  /** Withheld at every treatment until it can be redacted. */
  free_text: { level: 2, default: "withhold", normalize: foldText, pseudonymize: false },
  messenger_account: { level: 3, default: "mask", normalize: foldText },
  resident_id: { level: 3, default: "withhold", normalize: normalizeIdentityNumber },
  passport: { level: 3, default: "withhold", normalize: normalizeIdentityNumber },
  payment_card: { level: 3, default: "mask", normalize: normalizeIdentityNumber },
  iban: { level: 3, default: "mask", normalize: normalizeIdentityNumber },
  sensitive: special,
  health: special,
  religion: special,
  biometrics: special,
  id_photo: special,
  precise_location: special,
  minor: special,
  /** CVV, PIN, password, one-time code, token, hash (PCI DSS 3.3.1). */
  secret: { level: 3, default: "withhold", normalize: () => null, pseudonymize: false, stored: false },
  /** Answers that are made of other fields (derived.ts): no value of theirs lies anywhere. */
  derived: { level: 0, default: "reveal", normalize: () => null, pseudonymize: false, stored: false },
} as const satisfies Record<DataClass, ClassRules>;

/** The rules as what they have in common. */
function rulesOf(name: DataClass): ClassRules {
  return dataClasses[name];
}

/** Whether the vault may keep values of the class. */
export function isStored(name: DataClass): boolean {
  return rulesOf(name).stored !== false;
}

/** Whether two values of the class may be told apart or found equal without being shown. */
export function isComparable(name: DataClass): boolean {
  return rulesOf(name).pseudonymize !== false;
}

/** What a class can be generalized to; empty = nothing. */
export function generalizationsOf(name: DataClass): readonly Generalization[] {
  return rulesOf(name).generalize ?? [];
}

/** The pseudonym of a text or a number; `null` = another shape, nothing left of it, or a class that has none. */
export function pseudonymizeValue(name: DataClass, value: Json, key: Uint8Array): string | null {
  const plain = numberText(value);
  if (!isComparable(name) || plain === null) return null;
  const normalized = rulesOf(name).normalize(plain);
  return normalized === null ? null : pseudonymOf(key, name, normalized);
}

/** The one spelling under which the blind index knows `value`; `null` = not text, or nothing left. */
export function normalize(name: DataClass, value: Json): string | null {
  return typeof value === "string" ? rulesOf(name).normalize(value) : null;
}
