/** Break-glass, for the merchant's owners, and for whoever oversees. */
import * as z from "zod";
import { approvalSchema, describeApproval, standingOf } from "../approvals/index.ts";
import { type Answer, json, type Received, type Route } from "../http/index.ts";
import { type ContractId, ok, type Refusal, type Result } from "../kernel/index.ts";
import type { OfficeDoor } from "../offices/index.ts";
import { endOf, reviewDueAt, stageOf } from "./glass.ts";
import { requestGlass } from "./request.ts";
import { endGlass, type FoundGlass, type ListedGlass, listGlasses, reviewGlass } from "./review.ts";
import { findings } from "./schema.ts";

const name = z.string().min(1).max(128);
const person = z.object({ issuer: z.string(), subject: z.string() });
const askBody = z.strictObject({
  seat: z.strictObject({ issuer: name, subject: z.string().min(1).max(256) }),
  purpose: name,
  person: z.strictObject({ type: name, id: z.string().min(1).max(256) }),
  minutes: z.int().min(1).optional(),
});
const reviewBody = z.strictObject({ finding: z.enum(findings) });
const glassSchema = z.object({
  id: z.string(),
  contract: z.string(),
  standing: z.enum(["requested", "approved", "rejected", "withdrawn", "expired", "open", "review_due", "review_missing", "reviewed"]),
  seat: person,
  purpose: z.string(),
  person: z.object({ type: z.string(), locator: z.string() }),
  minutes: z.int(),
  opened_at: z.iso.datetime().nullable(),
  ends_at: z.iso.datetime().nullable(),
  review_due_at: z.iso.datetime().nullable(),
  finding: z.enum(findings).nullable(),
  reviewed_by: person.nullable(),
  reviewed_at: z.iso.datetime().nullable(),
});
const listedSchema = glassSchema.extend({
  requested_by: person,
  decided_by: person.nullable(),
  /** Why, in the words of who asked; null where the key is gone with its month. */
  reason: z.string().nullable(),
});
const media = "application/json";

export function breakGlassRoutes(desk: OfficeDoor): Route[] {
  const path = "/v1/contracts/{contract}/break-glass";
  return [
    {
      method: "GET",
      path,
      summary: "What was opened by two owners, for whom and why, and what waits to be looked at",
      answers: { 200: { media, description: "Oldest first", schema: z.object({ break_glass: z.array(listedSchema) }) } },
      refusals: ["audit_unavailable", "keys_unavailable", "share_closed"],
      handle: async (received) => {
        const listed = await listGlasses(desk, received.caller, contractOf(received));
        return listed.ok ? ok(json(JSON.stringify({ break_glass: listed.value.map(describeListed) }))) : listed;
      },
    },
    {
      method: "POST",
      path,
      summary: "Ask a second owner to open a purpose that is behind glass: for one seat, one person's records, some minutes",
      body: {
        media,
        bytesMax: 4_096,
        schema: askBody,
        description: "`person`: by the merchant's own id. `minutes`: absent, as many as the contract allows.",
      },
      answers: {
        202: {
          media,
          description: "The request; `found`: something of the person is stored here",
          schema: z.object({ approval: approvalSchema, minutes: z.int(), found: z.boolean() }),
        },
      },
      refusals: ["wrong_state", "review_missing", "reason_required", "audit_unavailable", "keys_unavailable", "share_closed"],
      handle: async (received) => {
        const { seat, purpose, person: whose, minutes } = received.body as z.infer<typeof askBody>;
        const asked = await requestGlass(desk, received.caller, contractOf(received), { seat, purpose, person: whose, minutes });
        if (!asked.ok) return asked;
        return ok(json(JSON.stringify({ ...asked.value, approval: describeApproval(asked.value.approval) }), {}, 202));
      },
    },
    {
      method: "POST",
      path: `${path}/{glass}/close`,
      summary: "End it before its time, at once",
      answers: { 200: { media, description: "Over", schema: glassSchema } },
      refusals: ["wrong_state", "audit_unavailable", "keys_unavailable", "share_closed"],
      handle: async (received) => answered(await endGlass(desk, received.caller, contractOf(received), received.params.glass ?? "")),
    },
    {
      method: "POST",
      path: `${path}/{glass}/review`,
      summary: "As somebody who neither asked for it nor approved it: say whether it was justified",
      body: { media, bytesMax: 1_024, schema: reviewBody, description: "Why is said in Postern-Reason." },
      answers: { 200: { media, description: "Reviewed", schema: glassSchema } },
      refusals: ["own_request", "wrong_state", "reason_required", "audit_unavailable", "keys_unavailable", "share_closed"],
      handle: async (received) => {
        const { finding } = received.body as z.infer<typeof reviewBody>;
        return answered(await reviewGlass(desk, received.caller, contractOf(received), { name: received.params.glass ?? "", finding }));
      },
    },
  ];
}

function answered(done: Result<FoundGlass, Refusal>): Result<Answer, Refusal> {
  return done.ok ? ok(json(JSON.stringify(describeGlass(done.value)))) : done;
}

function describeListed({ reason, ...found }: ListedGlass): z.infer<typeof listedSchema> {
  return { ...describeGlass(found), requested_by: found.approval.requestedBy, decided_by: found.approval.decidedBy, reason };
}

function describeGlass({ glass, approval }: FoundGlass): z.infer<typeof glassSchema> {
  const { id, contract, seat, purpose, type, subject, minutes, openedAt, finding, reviewedBy, reviewedAt } = glass;
  const isoOf = (ms: number | null) => (ms === null ? null : new Date(ms).toISOString());
  return {
    ...{ id, contract, standing: stageOf(glass) ?? standingOf(approval), seat, purpose, person: { type, locator: subject }, minutes },
    opened_at: isoOf(openedAt),
    ends_at: isoOf(endOf(glass)),
    review_due_at: isoOf(reviewDueAt(glass)),
    finding,
    reviewed_by: reviewedBy,
    reviewed_at: isoOf(reviewedAt),
  };
}

function contractOf(received: Received): ContractId {
  return received.params.contract as ContractId;
}
