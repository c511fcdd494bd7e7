/**
 * The data classes: how sensitive each is (GB/T 43697 as used in practice), what a first-line agent of a vendor usually gets, how it is masked,
 * what it can be generalized to, and how two spellings of one value are made equal. docs/MASKS.md is this table, held to it by a test.
 *
 * Levels say which values are sealed together (0 plain … 3 most sensitive), so that what a plan withholds is not even opened.
 * Every mask fails closed: a value it cannot read comes out as stars, a value of another shape as `null` (withheld).
 */
import { isJsonArray, type Json, NumberText } from "../kernel/index.ts";
import { maskAccount, maskAccountStrictly, maskNickname, maskNicknameStrictly } from "./account.ts";
import { addressCity, addressDistrict, isAddress, maskAddress, maskAddressStrictly } from "./address.ts";
import { amountBand, numberText } from "./amount.ts";
import { ageBand, birthYear, hiddenDate, maskBirthDate, readBirthDate, revealBirthDate } from "./birth-date.ts";
import { maskEmail, maskEmailStrictly, normalizeEmail } from "./email.ts";
import { hutoolAddress, hutoolMasks } from "./hutool.ts";
import * as id from "./identity-number.ts";
import { maskIpAddress, maskIpAddressStrictly } from "./ip-address.ts";
import { maskName, maskNameStrictly } from "./name.ts";
import { maskPhone, maskPhoneStrictly, normalizePhone } from "./phone.ts";
import { maskPlate, maskPlateStrictly } from "./plate.ts";
import { pseudonymOf } from "./pseudonym.ts";
import { maskSensitive, type sensitiveTexts } from "./sensitive.ts";
import { foldText } from "./text.ts";
import type { Generalization, MaskProfile, Treatment } from "./treatment.ts";

/** `null` = withheld: a shape that the class does not have. Never called with `null`. `today`: civil, or empty where it is not known. */
export type Show = (value: Json, today?: string) => Json;

export interface ClassRules {
  readonly level: 0 | 1 | 2 | 3;
  /** What a first-line agent gets where nobody has a reason for more. */
  readonly default: Treatment;
  /** A profile that is not here: `cn-default`. */
  readonly masks: { readonly [Profile in MaskProfile]?: Show } & { readonly "cn-default": Show };
  /** The value as it is, or `null` for a shape that the class does not have. */
  readonly reveal: Show;
  readonly generalize?: { readonly [To in Generalization]?: Show };
  /** The one spelling of `text` for the blind index and for pseudonyms; `null` = nothing left. */
  normalize(text: string): string | null;
  /** Few values, or none that may be told apart: no pseudonym either, and no `same_as`. */
  readonly pseudonymize?: false;
  /** Never kept: it must not be there. */
  readonly stored?: false;
}

export const dataClasses = {
  plain: { level: 0, default: "reveal", masks: { "cn-default": plainValue }, reveal: plainValue, normalize: foldText },
  amount: {
    level: 1,
    default: "reveal",
    masks: { "cn-default": withheld },
    reveal: (value) => (numberText(value) === null ? null : value),
    generalize: { band: amountBand },
    normalize: foldText,
  },
  person_name: text(1, "mask", maskName, maskNameStrictly, hutoolMasks.CHINESE_NAME, foldText),
  nickname: text(1, "mask", maskNickname, maskNicknameStrictly, hutoolMasks.USER_ID, foldText),
  birth_date: {
    level: 1,
    default: "withhold",
    masks: { "cn-default": onText(maskBirthDate), strict: onText(() => hiddenDate) },
    reveal: onText(revealBirthDate),
    generalize: { year: onText(birthYear), age_band: onText(ageBand) },
    normalize: readBirthDate,
  },
  address: {
    level: 2,
    default: "mask",
    masks: { "cn-default": maskAddress, strict: maskAddressStrictly, hutool: hutoolAddress },
    reveal: (value) => (isAddress(value) ? value : null),
    generalize: { district: addressDistrict, city: addressCity },
    normalize: foldText,
  },
  phone: text(2, "mask", maskPhone, maskPhoneStrictly, hutoolMasks.MOBILE_PHONE, normalizePhone),
  email: text(2, "mask", maskEmail, maskEmailStrictly, hutoolMasks.EMAIL, normalizeEmail),
  plate: text(2, "mask", maskPlate, maskPlateStrictly, hutoolMasks.CAR_LICENSE, id.normalizeIdentityNumber),
  ip_address: text(2, "withhold", maskIpAddress, maskIpAddressStrictly, hutoolMasks.IPV4, foldText),
  /** Order, tracking and ticket numbers: clear for the ticket in hand, else withheld; there is nothing between. */
  business_id: {
    level: 2,
    default: "withhold",
    masks: { "cn-default": withheld },
    reveal: (value) => (numberText(value) === null ? null : value),
    normalize: foldText,
  },
  /** Withheld at every treatment until it can be redacted. */
  free_text: {
    level: 2,
    default: "withhold",
    masks: { "cn-default": withheld },
    reveal: withheld,
    normalize: foldText,
    pseudonymize: false,
  },
  messenger_account: text(3, "mask", maskAccount, maskAccountStrictly, maskAccount, foldText),
  resident_id: text(3, "withhold", id.maskResidentId, () => id.hiddenId, hutoolMasks.ID_CARD, id.normalizeIdentityNumber),
  passport: text(3, "withhold", id.maskPassport, () => id.hiddenId, id.maskPassport, id.normalizeIdentityNumber),
  payment_card: text(3, "mask", id.maskPaymentCard, () => id.hiddenCard, hutoolMasks.BANK_CARD, id.normalizeIdentityNumber),
  iban: text(3, "mask", id.maskIban, id.maskIbanStrictly, id.maskIban, id.normalizeIdentityNumber),
  sensitive: sensitive("sensitive"),
  health: sensitive("health"),
  religion: sensitive("religion"),
  biometrics: sensitive("biometrics"),
  id_photo: sensitive("id_photo"),
  precise_location: sensitive("precise_location"),
  minor: sensitive("minor"),
  /** CVV, PIN, password, one-time code, token, hash (PCI DSS 3.3.1). */
  secret: {
    level: 3,
    default: "withhold",
    masks: { "cn-default": withheld },
    reveal: withheld,
    normalize: () => null,
    pseudonymize: false,
    stored: false,
  },
  /** Answers that are made of other fields (derived.ts): no value of theirs lies anywhere. */
  derived: {
    level: 0,
    default: "reveal",
    masks: { "cn-default": withheld },
    reveal: withheld,
    normalize: () => null,
    pseudonymize: false,
    stored: false,
  },
} as const satisfies Record<string, ClassRules>;

export type DataClass = keyof typeof dataClasses;

export const classNames = Object.keys(dataClasses) as readonly DataClass[];

/** The rules as what they have in common. */
export function rulesOf(name: DataClass): ClassRules {
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

/** Whether no value of the class leaves at this treatment, whatever it is. */
export function showsNothing(name: DataClass, treatment: Treatment): boolean {
  const { masks, reveal } = rulesOf(name);
  if (treatment === "mask") return masks["cn-default"] === withheld;
  return treatment === "withhold" || (treatment === "reveal" && reveal === withheld);
}

/** What a class can be generalized to; empty = nothing. */
export function generalizationsOf(name: DataClass): readonly Generalization[] {
  return Object.keys(rulesOf(name).generalize ?? {}) as Generalization[];
}

/** The mask of `profile`, or the class's only one. */
export function maskOf(name: DataClass, profile: MaskProfile = "cn-default"): Show {
  const { masks } = rulesOf(name);
  return masks[profile] ?? masks["cn-default"];
}

/** The value as a `mask` treatment shows it. Deterministic; `null` stays `null`. */
export function maskValue(name: DataClass, value: Json, profile?: MaskProfile, today?: string): Json {
  return value === null ? null : maskOf(name, profile)(value, today);
}

/** The value made coarser; `null` = it cannot be read, or the class does not know how. */
export function generalizeValue(name: DataClass, value: Json, to: Generalization, today?: string): Json {
  return value === null ? null : (rulesOf(name).generalize?.[to]?.(value, today) ?? null);
}

/** The pseudonym of a text or a number; `null` = another shape, nothing left of it, or a class that has none. */
export function pseudonymizeValue(name: DataClass, value: Json, key: Uint8Array): string | null {
  const rules = rulesOf(name);
  const plain = numberText(value);
  if (!isComparable(name) || plain === null) return null;
  const normalized = rules.normalize(plain);
  return normalized === null ? null : pseudonymOf(key, name, normalized);
}

/** The one spelling under which the blind index knows `value`; `null` = not text, or nothing left. */
export function normalize(name: DataClass, value: Json): string | null {
  return typeof value === "string" ? rulesOf(name).normalize(value) : null;
}

type MaskText = (text: string) => string;

/** A class whose values are texts, masked in three ways. */
function text(
  level: ClassRules["level"],
  treatment: Treatment,
  ...[usual, strict, hutool, normalize]: [usual: MaskText, strict: MaskText, hutool: MaskText, normalize: ClassRules["normalize"]]
) {
  const masks = { "cn-default": onText(usual), strict: onText(strict), hutool: onText(hutool) };
  return { level, default: treatment, masks, reveal: textOnly, normalize } as const satisfies ClassRules;
}

function sensitive(name: keyof typeof sensitiveTexts) {
  const masks = { "cn-default": maskSensitive(name) };
  return { level: 3, default: "withhold", masks, reveal: textOnly, normalize: foldText, pseudonymize: false } as const satisfies ClassRules;
}

function onText(show: (text: string, today: string) => string | null): Show {
  return (value, today = "") => (typeof value === "string" ? show(value, today) : null);
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
