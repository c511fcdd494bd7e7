/**
 * What a purpose of a contract is for: the classes of personal data that it needs. What else is personal is withheld while an agent works for that purpose;
 * business data is not narrowed. The presets are the scenes that Chinese platforms have taught agents (Taobao OAID).
 */
import type { DataClass } from "../masking/index.ts";

export const purposePresets = {
  /** OAID 1001–1007 */
  shipping: ["person_name", "phone", "address"],
  /** 1008 */
  change_address: ["address"],
  /** 1009 */
  change_name: ["person_name"],
  /** 2001 */
  after_sales: ["phone"],
  /** 2002 */
  customer_care: ["phone"],
} as const satisfies Record<string, readonly DataClass[]>;

export type PurposePreset = keyof typeof purposePresets;

/** Statuses, sums, order numbers: of a deal, not of a person. */
const businessClasses: readonly DataClass[] = ["plain", "amount", "business_id"];

export function isPersonal(name: DataClass): boolean {
  return !businessClasses.includes(name);
}

/** `classes` absent: every class. `breakGlassMinutes`: nobody works for it but whom two owners let, on one person's records, for so long at most. */
export interface PurposeDocument {
  readonly classes?: readonly DataClass[];
  readonly breakGlassMinutes?: number;
}

/** How long two owners may open a purpose that is behind glass. */
export const breakGlassMinutesMax = 240;

/** `sources`: of an answer, the classes that it is made of: a purpose that needs all of them needs it, too. */
export function needs({ classes }: PurposeDocument, name: DataClass, sources: readonly DataClass[] = []): boolean {
  const isNeeded = (wanted: DataClass) => classes === undefined || !isPersonal(wanted) || classes.includes(wanted);
  return isNeeded(name) || (sources.length > 0 && sources.every(isNeeded));
}
