/** Deleting a part of a contract's data by its age, for the merchant's owners. */
import * as z from "zod";
import { approvalSchema, describeApproval } from "../approvals/index.ts";
import { json, type Route } from "../http/index.ts";
import { type ContractId, isId, ok } from "../kernel/index.ts";
import type { ErasureDesk } from "./order.ts";
import { planPart, readPart, requestPart } from "./partial.ts";
import type { Lapse } from "./postgres-lapse.ts";
import type { Closing } from "./receipt.ts";

const origin = z.string().refine(isId);
const part = {
  older_than_days: z.int().min(1).max(3_650).optional(),
  type: z.string().max(128).optional(),
  shop: origin.optional(),
  purpose: origin.optional(),
};
const orderBody = z
  .union([z.strictObject({ ...part, dry_run: z.literal(true) }), z.strictObject({ ...part, confirm: z.string().max(128) })])
  .refine(({ older_than_days, shop, purpose }) => [older_than_days, shop, purpose].some((one) => one !== undefined));
const rulesSchema = z.record(
  z.string(),
  z.object({ before: z.iso.datetime(), shop: z.string().optional(), purpose: z.string().optional() }),
);
const planSchema = z.object({ contract: z.string(), before: rulesSchema, records: z.record(z.string(), z.int()), held: z.boolean() });
const jobSchema = z.object({
  job: z.string(),
  contract: z.string(),
  /** `waiting`: for a second owner, its cooling or a hold. */
  state: z.enum(["waiting", "deleted", "contract_purged"]),
  before: rulesSchema,
  not_before: z.iso.datetime(),
  records: z.int(),
  index_rows: z.int(),
  subject_keys: z.int(),
  deleted_here_at: z.iso.datetime().nullable(),
  /** Of people whose key went: from then on no copy opens. Copies of rows of people of whom something is left open until the backups are gone. */
  keys_closed_everywhere_at: z.iso.datetime().nullable(),
  /** Epochs of the contract's keys whose destruction that awaits. */
  awaits_epochs: z.array(z.int()),
});
const requestedSchema = jobSchema.extend({ approval: approvalSchema.nullable() });

export function partialRoutes(desk: ErasureDesk): Route[] {
  return [
    {
      method: "POST",
      path: "/v1/contracts/{contract}/partial-purges",
      summary: "Plan (`dry_run`), or ask a second owner for (`confirm`), the deletion of what is old, of one shop or for one purpose",
      body: {
        media: "application/json",
        bytesMax: 2_048,
        schema: orderBody,
        description: '`{"older_than_days":90,"type":"order","dry_run":true}`, `{"shop":"s-1","confirm":"c-1"}`',
      },
      answers: {
        200: { media: "application/json", description: "The plan", schema: planSchema },
        202: { media: "application/json", description: "The job, and the request that waits for a second owner", schema: requestedSchema },
      },
      refusals: ["wrong_state", "held", "reason_required", "audit_unavailable", "keys_unavailable", "share_closed"],
      handle: async (received) => {
        const body = received.body as z.infer<typeof orderBody>;
        const id = received.params.contract as ContractId;
        const { older_than_days: days, type, shop, purpose } = body;
        const asked = { days, type, shop, purpose };
        if ("dry_run" in body) {
          const plan = await planPart(desk, received.caller, id, asked);
          if (!plan.ok) return plan;
          const { rules, records, held } = plan.value;
          return ok(json(JSON.stringify({ contract: id, before: rules, records, held } satisfies z.infer<typeof planSchema>)));
        }
        const requested = await requestPart(desk, received.caller, id, { ...asked, confirm: body.confirm });
        if (!requested.ok) return requested;
        const { job, approval } = requested.value;
        const shown = { ...describeJob(job, { closedAt: null, awaits: [] }), approval: approval && describeApproval(approval) };
        return ok(json(JSON.stringify(shown), {}, 202));
      },
    },
    {
      method: "GET",
      path: "/v1/contracts/{contract}/partial-purges/{job}",
      summary: "A partial purge as it stands today: its receipt, once it is done",
      answers: { 200: { media: "application/json", description: "The job", schema: jobSchema } },
      refusals: ["audit_unavailable", "keys_unavailable", "share_closed"],
      handle: async ({ params, caller }) => {
        const read = await readPart(desk, caller, params.contract as ContractId, params.job ?? "");
        return read.ok ? ok(json(JSON.stringify(describeJob(read.value.job, read.value.closing)))) : read;
      },
    },
  ];
}

const states = { asked: "waiting", requested: "waiting", deleted: "deleted", done: "deleted", abandoned: "contract_purged" } as const;

function describeJob(job: Lapse, { closedAt, awaits }: Closing): z.infer<typeof jobSchema> {
  const isoOf = (ms: number | null) => (ms === null ? null : new Date(ms).toISOString());
  return {
    ...{ job: job.id, contract: job.contract, state: states[job.step], before: job.rules },
    not_before: new Date(job.notBefore).toISOString(),
    ...{ records: job.records, index_rows: job.indexRows, subject_keys: job.subjectKeys },
    deleted_here_at: isoOf(job.deletedAt),
    keys_closed_everywhere_at: isoOf(closedAt),
    awaits_epochs: [...awaits],
  };
}
