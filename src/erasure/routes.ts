/** Erasing one data subject, for the merchant's owners. Who it is comes in a body, so that no address holds it. */
import * as z from "zod";
import { json, type Received, type Route } from "../http/index.ts";
import { type ContractId, ok } from "../kernel/index.ts";
import { ageRoutes } from "./age-routes.ts";
import { type ErasureDesk, planErasure, type Receipt, readReceipt, requestErasure, type SubjectName } from "./order.ts";
import { partialRoutes } from "./partial-routes.ts";

const instant = z.iso.datetime();
const type = z.string().max(128).optional();
const subject = z.union([
  z.strictObject({ type, id: z.string().min(1).max(256) }),
  z.strictObject({ type, locator: z.string().regex(/^r_[a-z2-7]{26}$/) }),
]);
const orderBody = z.union([
  z.strictObject({ subject, dry_run: z.literal(true) }),
  z.strictObject({ subject, confirm: z.string().max(256) }),
]);
const planSchema = z.object({
  contract: z.string(),
  locator: z.string(),
  subject: z.string(),
  records: z.int(),
  index_rows: z.int(),
  /** Under which their key is wrapped. */
  epoch: z.int().nullable(),
  /** Legal holds that stand in the way. */
  holds: z.array(z.string()),
});
const receiptSchema = z.object({
  erasure: z.string(),
  contract: z.string(),
  /** `waiting`: a hold came in between, or another process has it under way. `contract_purged`: the whole contract's purge came first. */
  state: z.enum(["waiting", "erased", "contract_purged"]),
  locator: z.string(),
  /** The log's pseudonym; null once the contract is purged. */
  subject: z.string().nullable(),
  records: z.int(),
  index_rows: z.int(),
  ordered_at: instant,
  /** From then on unreadable in this gateway and its database. */
  erased_here_at: instant.nullable(),
  /** From then on unreadable in every copy, backups among them. */
  closed_everywhere_at: instant.nullable(),
  /** Why not yet; null once it is closed. */
  reason: z.object({ code: z.enum(["not_erased_yet", "epoch_not_destroyed"]), epochs: z.array(z.int()), text: z.string() }).nullable(),
});

export function erasureRoutes(desk: ErasureDesk): Route[] {
  const receipt = { media: "application/json", description: "The receipt, or with `dry_run` the plan" } as const;
  return [
    ...ageRoutes(desk),
    ...partialRoutes(desk),
    {
      method: "POST",
      path: "/v1/contracts/{contract}/erasures",
      summary: "Erase one data subject (`confirm`: their id or locator once more), or count what would go (`dry_run`)",
      body: {
        media: "application/json",
        bytesMax: 2_048,
        schema: orderBody,
        description: '`{"subject":{"id":"U17"},"dry_run":true}` or `{"subject":{"locator":"r_…"},"confirm":"r_…"}`.',
      },
      answers: { 200: { ...receipt, schema: z.union([planSchema, receiptSchema]) } },
      refusals: ["wrong_state", "held", "audit_unavailable", "keys_unavailable", "share_closed"],
      handle: async (received) => {
        const body = received.body as z.infer<typeof orderBody>;
        const name: SubjectName = body.subject;
        if ("dry_run" in body) {
          const plan = await planErasure(desk, received.caller, contractOf(received), name);
          if (!plan.ok) return plan;
          const { indexRows, holds, ...rest } = plan.value;
          const named = holds.map(({ pointer }) => pointer);
          return ok(json(JSON.stringify({ ...rest, index_rows: indexRows, holds: named } satisfies z.infer<typeof planSchema>)));
        }
        const done = await requestErasure(desk, received.caller, contractOf(received), { name, confirm: body.confirm });
        return done.ok ? ok(json(JSON.stringify(describeReceipt(done.value)))) : done;
      },
    },
    {
      method: "GET",
      path: "/v1/contracts/{contract}/erasures/{erasure}",
      summary: "The receipt of an erasure as it reads today",
      answers: { 200: { ...receipt, description: "The receipt", schema: receiptSchema } },
      refusals: ["audit_unavailable", "keys_unavailable", "share_closed"],
      handle: async (received) => {
        const read = await readReceipt(desk, received.caller, contractOf(received), received.params.erasure ?? "");
        return read.ok ? ok(json(JSON.stringify(describeReceipt(read.value)))) : read;
      },
    },
  ];
}

const states = { requested: "waiting", erased: "erased", done: "erased", abandoned: "contract_purged" } as const;

function describeReceipt({ erasure, subject: pseudonym, closedAt, awaits }: Receipt): z.infer<typeof receiptSchema> {
  const { id, contract, step, subject: locator, records, indexRows, orderedAt, erasedAt } = erasure;
  return {
    erasure: id,
    contract,
    state: states[step],
    locator,
    subject: pseudonym,
    records,
    index_rows: indexRows,
    ordered_at: isoOf(orderedAt),
    erased_here_at: erasedAt === null ? null : isoOf(erasedAt),
    closed_everywhere_at: closedAt === null ? null : isoOf(closedAt),
    reason: closedAt !== null ? null : reasonOf(awaits),
  };
}

function reasonOf(epochs: readonly number[]): z.infer<typeof receiptSchema>["reason"] {
  if (epochs.length === 0) return { code: "not_erased_yet", epochs: [], text: "nothing is erased yet" };
  const text = `a copy in a backup stays readable until a rotation of the contract's keys has destroyed epoch ${epochs.join(", ")}`;
  return { code: "epoch_not_destroyed", epochs: [...epochs], text };
}

function isoOf(ms: number): string {
  return new Date(ms).toISOString();
}

function contractOf(received: Received): ContractId {
  return received.params.contract as ContractId;
}
