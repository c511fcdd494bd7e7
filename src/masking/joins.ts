/**
 * What two fields of one response may not say together: parts of one value that complete each other. A guard for whatever policy was written, applied
 * when a plan is made, because the plan is all that leaves in one response. It only ever lowers a mask, never a treatment.
 *
 * Looked at and let be: two masks of one class whose shown parts lie within each other (3 + 2 and 3 + 4 of a phone, a card's last four and its first and
 * last four, which PCI DSS allows together); a resident ID's ends and a year of birth (13 of 18 characters stay unknown).
 */
import type { DataClass } from "./classes.ts";
import type { Generalization, MaskProfile, Treatment } from "./treatment.ts";

/** How a field leaves. */
export interface Shown {
  readonly class: DataClass;
  readonly treatment: Treatment;
  readonly profile?: MaskProfile;
  readonly to?: Generalization;
}

interface Join {
  /** Of these the mask is lowered … */
  readonly lowers: { readonly class: DataClass; readonly profiles: readonly MaskProfile[] };
  readonly to: MaskProfile;
  /** … where one of these leaves as well. */
  readonly beside: { readonly class: DataClass; readonly treatment: Treatment; readonly profiles?: readonly MaskProfile[] };
  readonly why: string;
}

export const joins = [
  {
    lowers: { class: "resident_id", profiles: ["cn-default", "hutool"] },
    to: "strict",
    beside: { class: "birth_date", treatment: "reveal" },
    why: "eight of its digits are the date of birth, six follow from the place, and the last one checks the rest",
  },
  {
    lowers: { class: "plate", profiles: ["hutool"] },
    to: "cn-default",
    beside: { class: "plate", treatment: "mask", profiles: ["cn-default"] },
    why: "the first three and the last three of seven",
  },
  {
    lowers: { class: "messenger_account", profiles: ["cn-default", "hutool"] },
    to: "strict",
    beside: { class: "phone", treatment: "mask", profiles: ["strict"] },
    why: "an account that is the phone would show two digits more of it",
  },
  {
    lowers: { class: "nickname", profiles: ["cn-default"] },
    to: "strict",
    beside: { class: "messenger_account", treatment: "mask", profiles: ["strict"] },
    why: "a platform id is often the account itself, of which nothing is to be shown",
  },
] as const satisfies readonly Join[];

/** The fields as they may leave together. */
export function guardJoins<Field extends Shown>(fields: readonly Field[]): readonly Field[] {
  return fields.map((field) => {
    const join = joinOf(field, fields);
    return join === undefined ? field : { ...field, profile: join.to };
  });
}

/** The join that lowers `field` beside `others`, if there is one. */
export function joinOf(field: Shown, others: readonly Shown[]): Join | undefined {
  if (field.treatment !== "mask") return undefined;
  const known: readonly Join[] = joins;
  return known.find(({ lowers, beside }) => {
    if (lowers.class !== field.class || !lowers.profiles.includes(profileOf(field))) return false;
    return others.some((other) => other !== field && leavesAs(other, beside));
  });
}

function leavesAs(field: Shown, beside: Join["beside"]): boolean {
  if (field.class !== beside.class || field.treatment !== beside.treatment) return false;
  return beside.profiles === undefined || beside.profiles.includes(profileOf(field));
}

function profileOf({ profile = "cn-default" }: Shown): MaskProfile {
  return profile;
}
