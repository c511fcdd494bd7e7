/** The answers of a contract's policy route, to the letter. */
import * as z from "zod";

const difference = z.looseObject({
  what: z.string(),
  direction: z.string(),
  field: z.string().optional(),
  before: z.string(),
  after: z.string(),
});
const approval = z.looseObject({ id: z.string(), action: z.string(), state: z.string() });
/** What `PUT …/policy` answers. */
export const changedShape = z.strictObject({
  contract: z.string(),
  before: z.string(),
  after: z.string(),
  differences: z.array(difference),
  approval: approval.optional(),
});
/** What `GET …/policy` answers. */
export const policyShape = z.strictObject({
  contract: z.string(),
  in_force: z.string(),
  digest: z.string(),
  bundle: z.looseObject({ policy: z.string() }),
  pending: z.array(z.strictObject({ approval, after: z.string(), differences: z.array(difference) })),
});
