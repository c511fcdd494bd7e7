/**
 * The words of a rule and of a ceiling: a treatment alone, or with its options. The readers check by these schemas, and editors' JSON Schema is made of them.
 */
import * as z from "zod";
import { generalizations, maskProfiles, type Treatment } from "../masking/index.ts";

const namePattern = /^[A-Za-z][A-Za-z0-9_-]{0,63}$/;
export const nameSchema = z.string().regex(namePattern, "a letter, then letters, digits, _ and -");

const secondsMax = 3_600;
export const quotaPattern = /^([1-9][0-9]{0,5})\/(hour|day|week|month)$/;

const conditional = {
  purposes: z.array(nameSchema).min(1, "name at least one").optional().describe("Only for these purposes of the contract"),
  when: z.string().optional().describe("Only where this CEL expression over agent, contract, request and record holds"),
};
const profile = z.enum(maskProfiles);
const to = z.enum(generalizations);

/** Options of each treatment that takes any. */
export const ruleOptions = {
  pseudonymize: z.strictObject(conditional),
  generalize: z.strictObject({ to, ...conditional }),
  mask: z.strictObject({ profile: profile.optional(), ...conditional }),
  reveal: z.strictObject({
    ...conditional,
    quota: z
      .string()
      .regex(quotaPattern, "a number and a time, as 20/day (hour, day, week, month)")
      .optional()
      .describe("How many an agent may ask for"),
    reason: z.literal("required").optional().describe("The agent has to say why"),
    seconds: z.int().min(1).max(secondsMax).optional().describe("How long the value is shown"),
  }),
} as const satisfies Partial<Record<Treatment, z.ZodType>>;

/** Treatments that need no options, and so may be written as one word. */
const words = z.enum(["withhold", "pseudonymize", "mask", "reveal"]);

/** For editors: what `readRule` reads. */
export const ruleSchema: z.ZodType = z.lazy(() =>
  z.union([words, ...Object.entries(ruleOptions).map(([name, options]) => alternativeOf(name, options))]),
);

function alternativeOf(name: string, options: z.ZodType): z.ZodType {
  return z.strictObject({
    [name]: options,
    else: ruleSchema.optional().describe("What holds where the condition does not; no more than that"),
  });
}

/** Options of a ceiling's treatments. */
export const ceilingOptions = {
  generalize: z.strictObject({ to }),
  mask: z.strictObject({ profile: profile.optional() }),
} as const satisfies Partial<Record<Treatment, z.ZodType>>;

/** For editors: what `readCeiling` reads. */
export const ceilingSchema = z.union([
  words,
  z.strictObject({ generalize: ceilingOptions.generalize }),
  z.strictObject({ mask: ceilingOptions.mask }),
]);
