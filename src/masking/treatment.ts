/**
 * What may happen to a field on its way out. The order of permission (who caps whom) is the policy's: policy/treatments.ts.
 */
export const treatmentNames = ["withhold", "mask", "reveal"] as const;

export type Treatment = (typeof treatmentNames)[number];
