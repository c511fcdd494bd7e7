/**
 * The order of permission among treatments: withhold lowest, reveal highest, whatever lies between incomparable to each other.
 */
import { type Generalization, type MaskProfile, type Treatment, treatmentNames } from "../masking/index.ts";

/** A treatment with what it is done by. */
export interface Grant {
  readonly treatment: Treatment;
  /** Of `mask`; default `cn-default`. */
  readonly profile?: MaskProfile;
  /** Of `generalize`, and never without it. */
  readonly to?: Generalization;
}

/** `permits`: the treatments that a ceiling of this one lets through unchanged. */
const treatments = {
  withhold: { permits: ["withhold"] },
  pseudonymize: { permits: ["withhold", "pseudonymize"] },
  generalize: { permits: ["withhold", "generalize"] },
  mask: { permits: ["withhold", "mask"] },
  reveal: { permits: treatmentNames },
} as const satisfies Record<Treatment, { readonly permits: readonly Treatment[] }>;

/** What lies wholly within another: a ceiling of the one lets these through. */
const coarser: Readonly<Partial<Record<Generalization, readonly Generalization[]>>> = { district: ["city"] };

/** The most that both allow; of two incomparable ones: withhold. */
export function cap(a: Treatment, b: Treatment): Treatment {
  if (permits(a, b)) return b;
  return permits(b, a) ? a : "withhold";
}

/** The most of `wanted` that `ceiling` lets through. A ceiling that names a mask's profile decides it, but never loosens `strict`. */
export function capGrant(ceiling: Grant, wanted: Grant): Grant {
  const treatment = cap(ceiling.treatment, wanted.treatment);
  if (ceiling.treatment !== wanted.treatment) {
    if (treatment === "withhold") return { treatment };
    return treatment === wanted.treatment ? wanted : ceiling;
  }
  if (treatment === "mask") return wanted.profile === "strict" || ceiling.profile === undefined ? wanted : ceiling;
  if (treatment !== "generalize" || ceiling.to === wanted.to || isCoarser(ceiling.to, wanted.to)) return wanted;
  return isCoarser(wanted.to, ceiling.to) ? ceiling : { treatment: "withhold" };
}

/** `mask`, `mask (strict)`, `generalize to year`. */
export function describeGrant({ treatment, profile, to }: Grant): string {
  if (to !== undefined) return `${treatment} to ${to}`;
  return profile === undefined ? treatment : `${treatment} (${profile})`;
}

export function isSameGrant(a: Grant, b: Grant): boolean {
  return a.treatment === b.treatment && a.profile === b.profile && a.to === b.to;
}

function permits(ceiling: Treatment, treatment: Treatment): boolean {
  const permitted: readonly Treatment[] = treatments[ceiling].permits;
  return permitted.includes(treatment);
}

function isCoarser(fine: Generalization | undefined, coarse: Generalization | undefined): boolean {
  return fine !== undefined && coarse !== undefined && (coarser[fine] ?? []).includes(coarse);
}
