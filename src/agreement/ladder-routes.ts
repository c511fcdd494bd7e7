/** The rungs of a contract that its owners climb themselves: amend, terminate, suspend, resume. */
import * as z from "zod";
import { approvalSchema, describeApproval } from "../approvals/index.ts";
import { type Answer, type BodySchema, json, type Received, type Route } from "../http/index.ts";
import { type ContractId, ok, type Refusal, type Result } from "../kernel/index.ts";
import { isCivilDate, parseDurationHours } from "../policy/index.ts";
import type { PolicyDesk } from "./change-policy.ts";
import { requestResumption, suspend, suspensionReasons } from "./suspend.ts";
import { type Proposed, requestAmendment, requestTermination, terminationReasons } from "./terms.ts";

const digest = z.string().regex(/^sha256:[0-9a-f]{64}$/);
/** A civil date that exists, in the contract's zone; nothing else passes for one. */
const date = z.string().refine(isCivilDate);
const duration = (hoursMin: number) => z.string().refine((text) => (parseDurationHours(text) ?? -1) >= hoursMin);
const reference = z
  .string()
  .min(1)
  .max(200)
  .regex(/^[^\p{Cc}\p{Cf}\p{Co}\p{Cs}]+$/u);

const amendBody = z
  .strictObject({
    end: date.optional(),
    purge_after: duration(24).optional(),
    cooling: duration(0).optional(),
    backup_horizon: duration(0).optional(),
    vendor: z.strictObject({ reference, statement: digest }),
  })
  .refine(({ vendor: _vendor, ...changes }) => Object.values(changes).some((change) => change !== undefined));
const terminateBody = z.strictObject({
  confirm: z.string().max(128),
  at: z.union([z.literal("now"), date]),
  reason: z.enum(terminationReasons),
});
const suspendBody = z.strictObject({ reason: z.enum(suspensionReasons) });

const proposedSchema = z.object({ approval: approvalSchema, ends_at: z.iso.datetime().nullable() });
const asked = (schema: z.ZodType) => ({ 202: { media: "application/json", description: "What waits for a second owner", schema } });
const body = (schema: z.ZodType, description: string): BodySchema => ({ media: "application/json", bytesMax: 4_096, schema, description });

export function ladderRoutes(desk: PolicyDesk): Route[] {
  const path = "/v1/contracts/{contract}";
  const common = { method: "POST" } as const;
  return [
    {
      ...common,
      path: `${path}/amend`,
      summary: "Ask a second owner to move the end, or to change how it is purged, as the vendor has agreed",
      body: body(amendBody, "What changes, and `vendor`: where its signed statement is kept, and that file's SHA-256."),
      answers: asked(proposedSchema),
      refusals: ["wrong_state", "busy", "audit_unavailable"],
      handle: async (received) => {
        const { end, purge_after, cooling, backup_horizon, vendor } = received.body as z.infer<typeof amendBody>;
        const [purgeAfterHours, coolingHours, backupHorizonHours] = [purge_after, cooling, backup_horizon].map(hoursOf);
        const amendment = { end, purgeAfterHours, coolingHours, backupHorizonHours, vendor };
        return answerProposed(await requestAmendment(desk, received.caller, contractOf(received), amendment));
      },
    },
    {
      ...common,
      path: `${path}/terminate`,
      summary: "Ask a second owner to end the contract early: at once, or on a day",
      body: body(terminateBody, "`confirm`: the contract's id; `at`: `now`, or the first day without access."),
      answers: asked(proposedSchema),
      refusals: ["wrong_state", "busy", "audit_unavailable"],
      handle: async (received) =>
        answerProposed(
          await requestTermination(desk, received.caller, contractOf(received), received.body as z.infer<typeof terminateBody>),
        ),
    },
    {
      ...common,
      path: `${path}/suspend`,
      summary: "Cut agents off at once; nothing else changes",
      body: body(suspendBody, "Why."),
      answers: {
        200: { media: "application/json", description: "Done", schema: z.object({ contract: z.string(), standing: z.string() }) },
      },
      refusals: ["wrong_state", "audit_unavailable"],
      handle: async (received) => {
        const { reason } = received.body as z.infer<typeof suspendBody>;
        const done = await suspend(desk, received.caller, contractOf(received), reason);
        return done.ok ? ok(json(JSON.stringify({ contract: contractOf(received), standing: "suspended" }))) : done;
      },
    },
    {
      ...common,
      path: `${path}/resume`,
      summary: "Ask a second owner to let agents in again",
      answers: asked(z.object({ approval: approvalSchema })),
      refusals: ["wrong_state", "audit_unavailable"],
      handle: async (received) => {
        const requested = await requestResumption(desk, received.caller, contractOf(received));
        return requested.ok ? ok(json(JSON.stringify({ approval: describeApproval(requested.value) }), {}, 202)) : requested;
      },
    },
  ];
}

/** Of a text that the schema has let through. */
function hoursOf(duration: string | undefined): number | undefined {
  return duration === undefined ? undefined : (parseDurationHours(duration) ?? undefined);
}

function answerProposed(proposed: Result<Proposed, Refusal>): Result<Answer, Refusal> {
  if (!proposed.ok) return proposed;
  const { approval, endsAt } = proposed.value;
  return ok(json(JSON.stringify({ approval: describeApproval(approval), ends_at: endsAt }), {}, 202));
}

function contractOf(received: Received): ContractId {
  return received.params.contract as ContractId;
}
