/**
 * What may happen to a field on its way out. The order of permission (who caps whom) is the policy's: policy/treatments.ts.
 */
export const treatmentNames = ["withhold", "pseudonymize", "generalize", "mask", "reveal"] as const;

export type Treatment = (typeof treatmentNames)[number];

/** Of `mask`: what a first-line agent works with; less than that; the outputs of a library that Chinese systems have long shown. */
export const maskProfiles = ["cn-default", "strict", "hutool"] as const;

export type MaskProfile = (typeof maskProfiles)[number];

/** Of `generalize`: which classes take which is in classes.ts. */
export const generalizations = ["year", "age_band", "district", "city", "band"] as const;

export type Generalization = (typeof generalizations)[number];
