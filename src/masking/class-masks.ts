/**
 * How each data class is shown: masked in its profiles, as it is, or coarser.
 * Every mask fails closed: a value it cannot read comes out as stars, a value of another shape as `null` (withheld).
 */
import { isJsonArray, type Json, NumberText } from "../kernel/index.ts";
import { maskAccount, maskAccountStrictly, maskNickname, maskNicknameStrictly } from "./account.ts";
import { addressCity, addressDistrict, isAddress, maskAddress, maskAddressStrictly } from "./address.ts";
import { amountBand, numberText } from "./amount.ts";
import { ageBand, birthYear, hiddenDate, maskBirthDate, revealBirthDate } from "./birth-date.ts";
import type { DataClass } from "./class-names.ts";
import type { dataClasses } from "./classes.ts";
import { maskEmail, maskEmailStrictly } from "./email.ts";
import { hutoolAddress, hutoolMasks } from "./hutool.ts";
import * as id from "./identity-number.ts";
import { maskIpAddress, maskIpAddressStrictly } from "./ip-address.ts";
import { maskName, maskNameStrictly } from "./name.ts";
import { maskPhone, maskPhoneStrictly } from "./phone.ts";
import { maskPlate, maskPlateStrictly } from "./plate.ts";
import { maskSensitive, type sensitiveTexts } from "./sensitive.ts";
import type { Generalization, MaskProfile, Treatment } from "./treatment.ts";

/** `null` = withheld: a shape that the class does not have. Never called with `null`. `today`: civil, or empty where it is not known. */
export type Show = (value: Json, today?: string) => Json;

interface ClassMasks {
  /** A profile that is not here: `cn-default`. */
  readonly masks: { readonly [Profile in MaskProfile]?: Show } & { readonly "cn-default": Show };
  /** The value as it is, or `null` for a shape that the class does not have. */
  readonly reveal: Show;
  readonly generalize?: { readonly [To in Generalization]?: Show };
}

/** With a way to each generalization that the class has, and no other. */
type MasksOf<Rules> = Rules extends { readonly generalize: readonly (infer To extends Generalization)[] }
  ? ClassMasks & { readonly generalize: { readonly [Coarser in To]: Show } }
  : ClassMasks & { readonly generalize?: never };

const nothing = { masks: { "cn-default": withheld }, reveal: withheld } as const;
const textOrNumber = (value: Json) => (numberText(value) === null ? null : value);

export const classMasks = {
  plain: { masks: { "cn-default": plainValue }, reveal: plainValue },
  amount: { masks: { "cn-default": withheld }, reveal: textOrNumber, generalize: { band: amountBand } },
  person_name: text(maskName, maskNameStrictly, hutoolMasks.CHINESE_NAME),
  nickname: text(maskNickname, maskNicknameStrictly, hutoolMasks.USER_ID),
  birth_date: {
    masks: { "cn-default": onText(maskBirthDate), strict: onText(() => hiddenDate) },
    reveal: onText(revealBirthDate),
    generalize: { year: onText(birthYear), age_band: onText(ageBand) },
  },
  address: {
    masks: { "cn-default": maskAddress, strict: maskAddressStrictly, hutool: hutoolAddress },
    reveal: (value) => (isAddress(value) ? value : null),
    generalize: { district: addressDistrict, city: addressCity },
  },
  phone: text(maskPhone, maskPhoneStrictly, hutoolMasks.MOBILE_PHONE),
  email: text(maskEmail, maskEmailStrictly, hutoolMasks.EMAIL),
  plate: text(maskPlate, maskPlateStrictly, hutoolMasks.CAR_LICENSE),
  ip_address: text(maskIpAddress, maskIpAddressStrictly, hutoolMasks.IPV4),
  business_id: { masks: { "cn-default": withheld }, reveal: textOrNumber },
  free_text: nothing,
  messenger_account: text(maskAccount, maskAccountStrictly, maskAccount),
  resident_id: text(id.maskResidentId, () => id.hiddenId, hutoolMasks.ID_CARD),
  passport: text(id.maskPassport, () => id.hiddenId, id.maskPassport),
  payment_card: text(id.maskPaymentCard, () => id.hiddenCard, hutoolMasks.BANK_CARD),
  iban: text(id.maskIban, id.maskIbanStrictly, id.maskIban),
  sensitive: sensitive("sensitive"),
  health: sensitive("health"),
  religion: sensitive("religion"),
  biometrics: sensitive("biometrics"),
  id_photo: sensitive("id_photo"),
  precise_location: sensitive("precise_location"),
  minor: sensitive("minor"),
  secret: nothing,
  derived: nothing,
} as const satisfies { readonly [Name in DataClass]: MasksOf<(typeof dataClasses)[Name]> };

/** The masks as what they have in common. */
function masksOf(name: DataClass): ClassMasks {
  return classMasks[name];
}

/** Whether no value of the class leaves at this treatment, whatever it is. */
export function showsNothing(name: DataClass, treatment: Treatment): boolean {
  const { masks, reveal } = masksOf(name);
  if (treatment === "mask") return masks["cn-default"] === withheld;
  return treatment === "withhold" || (treatment === "reveal" && reveal === withheld);
}

/** The value as it is; `null` for a shape that the class does not have. */
export function revealOf(name: DataClass): Show {
  return masksOf(name).reveal;
}

/** The mask of `profile`, or the class's only one. */
export function maskOf(name: DataClass, profile: MaskProfile = "cn-default"): Show {
  const { masks } = masksOf(name);
  return masks[profile] ?? masks["cn-default"];
}

/** The value as a `mask` treatment shows it. Deterministic; `null` stays `null`. */
export function maskValue(name: DataClass, value: Json, profile?: MaskProfile, today?: string): Json {
  return value === null ? null : maskOf(name, profile)(value, today);
}

/** The value made coarser; `null` = it cannot be read, or the class does not know how. */
export function generalizeValue(name: DataClass, value: Json, to: Generalization, today?: string): Json {
  return value === null ? null : (masksOf(name).generalize?.[to]?.(value, today) ?? null);
}

type MaskText = (text: string) => string;

/** A class whose values are texts, masked in three ways. */
function text(...[usual, strict, hutool]: [usual: MaskText, strict: MaskText, hutool: MaskText]) {
  return { masks: { "cn-default": onText(usual), strict: onText(strict), hutool: onText(hutool) }, reveal: textOnly } as const;
}

function sensitive(name: keyof typeof sensitiveTexts) {
  return { masks: { "cn-default": maskSensitive(name) }, reveal: textOnly } as const;
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
