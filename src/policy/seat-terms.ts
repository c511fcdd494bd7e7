/** `seats` of a contract file: what the merchant demands of the vendor's people before a seat works. */
import * as z from "zod";
import { nameSchema } from "./rule-shape.ts";
import type { PaperTerms } from "./seat.ts";
import { refusing } from "./shape.ts";
import { parseDurationHours } from "./term.ts";

const within = z
  .string()
  .refine(
    (text) => (parseDurationHours(text) ?? 0) >= 24,
    refusing("bad_duration", "not a length of a day or more", "as 365d, at most 3650d"),
  )
  .describe("How long ago it may be");
const paper = z.union([z.literal("required"), z.strictObject({ within })], { error: "required, or { within: 365d }" });

export const seatsSchema = z.strictObject({
  roles: z.array(nameSchema).min(1).optional().describe("The contract's roles that a seat may have"),
  second_owner: z
    .array(nameSchema)
    .min(1)
    .optional()
    .describe("Roles in which a seat works once another person than who asks has approved it"),
  agreement: paper.optional().describe("A confidentiality agreement on file"),
  training: paper.optional().describe("A privacy training on file"),
  sharing: z
    .enum(["note", "step_up", "refuse"])
    .optional()
    .describe("What happens to a seat that is used from several places at once; default: note"),
});

export interface SeatTerms {
  /** Absent = all of the contract's. */
  readonly roles?: readonly string[];
  /** Absent = none. */
  readonly secondOwner?: readonly string[];
  readonly agreement?: PaperTerms;
  readonly training?: PaperTerms;
  /** `note` is not written down: it is so wherever nothing else is. */
  readonly sharing?: "step_up" | "refuse";
}

export function readSeatTerms({ roles, second_owner: secondOwner, agreement, training, sharing }: z.output<typeof seatsSchema>): SeatTerms {
  return {
    ...(roles && { roles }),
    ...(secondOwner && { secondOwner }),
    ...(agreement && { agreement: readPaper(agreement) }),
    ...(training && { training: readPaper(training) }),
    ...(sharing !== undefined && sharing !== "note" && { sharing }),
  };
}

/** Of a text that the schema has let through; hours that are no whole day are cut off: what is too old is not let in by rounding. */
function readPaper(terms: z.output<typeof paper>): PaperTerms {
  return terms === "required" ? {} : { withinDays: Math.floor((parseDurationHours(terms.within) ?? 0) / 24) };
}
