/**
 * The order of permission among treatments: withhold lowest, reveal highest, whatever lies between incomparable to each other.
 */
import { type Treatment, treatmentNames } from "../masking/index.ts";

/** `permits`: the treatments that a ceiling of this one lets through unchanged. */
const treatments = {
  withhold: { permits: ["withhold"] },
  mask: { permits: ["withhold", "mask"] },
  reveal: { permits: treatmentNames },
} as const satisfies Record<Treatment, { readonly permits: readonly Treatment[] }>;

/** The most that both allow; of two incomparable ones: withhold. */
export function cap(a: Treatment, b: Treatment): Treatment {
  if (permits(a, b)) return b;
  return permits(b, a) ? a : "withhold";
}

function permits(ceiling: Treatment, treatment: Treatment): boolean {
  const permitted: readonly Treatment[] = treatments[ceiling].permits;
  return permitted.includes(treatment);
}
