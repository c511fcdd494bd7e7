/** How long the log's entries are kept: the `retention` of the operator's file. */
import * as z from "zod";

/** Records of processing are kept for three years (PIPL 55-56). The database refuses less by itself: `audit.retention_floor` of migration 0005. */
const retentionMonthsMin = 36;
/** Three years and a month, counted from the end of the month that an entry is of. */
export const retentionMonthsDefault = 37;

export const retentionSchema = z.strictObject({
  /** Whole months. */
  months: z.int().min(1).max(1_200).default(retentionMonthsDefault),
  /** Lets `months` be fewer. */
  insecureBelowFloor: z.boolean().default(false),
});

/** `null` = may be. */
export function retentionProblem({ months, insecureBelowFloor }: z.infer<typeof retentionSchema>, production: boolean): string | null {
  if (insecureBelowFloor && production) return "retention.insecureBelowFloor: is refused in production; take it out";
  if (months < retentionMonthsMin && !insecureBelowFloor)
    return `retention.months: must be at least ${retentionMonthsMin}: records of processing are kept for three years`;
  return null;
}
