/**
 * What two fields of one response may not say together: parts of one value that complete each other. A guard for whatever policy was written, applied
 * when a plan is made, because the plan is all that leaves in one response. It lowers a mask to a stricter one, or withholds where there is no mask.
 *
 * Looked at and let be: two masks of one class whose shown parts lie within each other (3 + 2 and 3 + 4 of a phone, a card's last four and its first and
 * last four, which PCI DSS allows together); a resident ID's ends and a year of birth (13 of 18 characters stay unknown); a carrier beside any mask of
 * its phone (the first three digits say it); a salutation beside a name that is withheld (that is what it is for).
 */
import type { AnswerName, DataClass } from "./class-names.ts";
import type { Derivation } from "./derived.ts";
import type { Generalization, MaskProfile, Treatment } from "./treatment.ts";

/** How a field leaves. */
export interface Shown {
  readonly path?: string;
  readonly class: DataClass;
  readonly treatment: Treatment;
  readonly profile?: MaskProfile;
  readonly to?: Generalization;
  readonly derive?: Derivation;
}

/** Some ways for a field to leave. */
interface Leaving {
  readonly class: DataClass;
  readonly treatment: Treatment;
  /** Of `mask`; absent = any. */
  readonly profiles?: readonly MaskProfile[];
  /** Of `generalize`. */
  readonly to?: Generalization;
  /** Of class `derived`. */
  readonly answer?: AnswerName;
}

interface Join {
  /** These are lowered … */
  readonly lowers: Leaving;
  readonly to: MaskProfile | "withhold";
  /** … where one of these leaves as well. */
  readonly beside: Leaving;
  readonly why: string;
}

const yearAndBand = "the year, and the day on which the band changes, are the date of birth";

export const joins = [
  {
    lowers: { class: "resident_id", treatment: "mask", profiles: ["cn-default", "hutool"] },
    to: "strict",
    beside: { class: "birth_date", treatment: "reveal" },
    why: "eight of its digits are the date of birth, six follow from the place, and the last one checks the rest",
  },
  {
    lowers: { class: "plate", treatment: "mask", profiles: ["hutool"] },
    to: "cn-default",
    beside: { class: "plate", treatment: "mask", profiles: ["cn-default"] },
    why: "the first three and the last three of seven",
  },
  {
    lowers: { class: "messenger_account", treatment: "mask", profiles: ["cn-default", "hutool"] },
    to: "strict",
    beside: { class: "phone", treatment: "mask", profiles: ["strict"] },
    why: "an account that is the phone would show two digits more of it",
  },
  {
    lowers: { class: "nickname", treatment: "mask", profiles: ["cn-default"] },
    to: "strict",
    beside: { class: "messenger_account", treatment: "mask", profiles: ["strict"] },
    why: "a platform id is often the account itself, of which nothing is to be shown",
  },
  {
    lowers: { class: "birth_date", treatment: "mask", profiles: ["cn-default", "hutool"] },
    to: "strict",
    beside: { class: "birth_date", treatment: "generalize", to: "age_band" },
    why: yearAndBand,
  },
  {
    lowers: { class: "birth_date", treatment: "generalize", to: "age_band" },
    to: "withhold",
    beside: { class: "birth_date", treatment: "generalize", to: "year" },
    why: yearAndBand,
  },
  {
    lowers: { class: "derived", treatment: "reveal", answer: "age_band" },
    to: "withhold",
    beside: { class: "birth_date", treatment: "generalize", to: "year" },
    why: yearAndBand,
  },
  {
    lowers: { class: "derived", treatment: "reveal", answer: "age_band" },
    to: "withhold",
    beside: { class: "birth_date", treatment: "mask", profiles: ["cn-default", "hutool"] },
    why: yearAndBand,
  },
] as const satisfies readonly Join[];

const sameAsShown = "to be the same as a value that is shown is to be shown";

/** The fields as they may leave together, each lowered one with the reason. */
export function guardJoins<Field extends Shown>(fields: readonly Field[]): readonly (Field & { readonly lowered?: string })[] {
  const guarded = fields.map((field) => {
    const join = joinOf(field, fields);
    return join === undefined ? field : lowered(field, join);
  });
  // What is stricter now may be what another is not to stand beside; none is lowered twice for one reason, so this ends.
  return guarded.every((field, index) => field === fields[index]) ? fields : guardJoins(guarded);
}

function lowered<Field extends Shown>(field: Field, { to, why }: Lowering): Field & { readonly lowered: string } {
  return to === "withhold" ? { ...field, treatment: "withhold", lowered: why } : { ...field, profile: to, lowered: why };
}

type Lowering = Pick<Join, "to" | "why">;

/** What lowers `field` beside `others`, if anything does. */
export function joinOf(field: Shown, others: readonly Shown[]): Lowering | undefined {
  const known: readonly Join[] = joins;
  const join = known.find(
    ({ lowers, beside }) => leavesAs(field, lowers) && others.some((other) => other !== field && leavesAs(other, beside)),
  );
  return join ?? (tellsByEquality(field, others) ? { to: "withhold", why: sameAsShown } : undefined);
}

/** One of the two that it compares is shown as it is, and the other is not. */
function tellsByEquality({ treatment, derive }: Shown, others: readonly Shown[]): boolean {
  if (treatment !== "reveal" || derive?.answer !== "same_as") return false;
  const revealed = derive.from.map(({ path }) => others.some((other) => other.path === path && other.treatment === "reveal"));
  return revealed.includes(true) && revealed.includes(false);
}

function leavesAs(field: Shown, { class: name, treatment, profiles, to, answer }: Leaving): boolean {
  if (field.class !== name || field.treatment !== treatment) return false;
  if (to !== field.to && to !== undefined) return false;
  if (answer !== field.derive?.answer && answer !== undefined) return false;
  return profiles === undefined || profiles.includes(field.profile ?? "cn-default");
}
