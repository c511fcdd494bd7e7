/** The second person's routes. */
import * as z from "zod";
import { json, type Route } from "../http/index.ts";
import { ok } from "../kernel/index.ts";
import { type Approval, standingOf, type Verdict } from "./approval.ts";
import { type ApprovalDesk, decideById, type ListedApproval, listApprovals } from "./decide.ts";
import { approvalActions } from "./schema.ts";

const person = z.object({ issuer: z.string(), subject: z.string() });
export const approvalSchema = z.object({
  id: z.string(),
  contract: z.string(),
  action: z.enum(approvalActions),
  digest: z.string(),
  state: z.enum(["requested", "approved", "rejected", "withdrawn", "expired"]),
  requested_by: person,
  requested_at: z.iso.datetime(),
  expires_at: z.iso.datetime(),
  decided_by: person.nullable(),
});
const listedSchema = approvalSchema.extend({
  /** Who is to approve it; null where nobody is any more. */
  approver: z.enum(["another_owner", "other_organisation"]).nullable(),
  /** Why, in the words of who asked and of who decided; null where they did not say, or the key is gone with its month. */
  reason: z.string().nullable(),
  decided_reason: z.string().nullable(),
});
const decidedSchema = z.object({ approval: approvalSchema, result: z.record(z.string(), z.unknown()) });

export function approvalRoutes(desk: ApprovalDesk): Route[] {
  const decide = (verdict: Verdict, word: string, summary: string): Route => ({
    method: "POST",
    path: `/v1/approvals/{approval}/${word}`,
    summary,
    answers: { 200: { media: "application/json", description: "The decided request, and what followed", schema: decidedSchema } },
    refusals: [
      "own_request",
      "approver_same_organisation",
      "approval_closed",
      "busy",
      "reason_required",
      "wrong_state",
      "held",
      "audit_unavailable",
      "keys_unavailable",
      "share_closed",
    ],
    handle: async (received) => {
      const decided = await decideById(desk, received.caller, received.params.approval ?? "", verdict);
      if (!decided.ok) return decided;
      return ok(json(JSON.stringify({ approval: describeApproval(decided.value.approval), result: decided.value.result })));
    },
  });
  return [
    {
      method: "GET",
      path: "/v1/approvals",
      summary: "Requests that wait for a second person, and those decided; of a vendor's admin, what waits for them",
      answers: {
        200: { media: "application/json", description: "Oldest first", schema: z.object({ approvals: z.array(listedSchema) }) },
      },
      refusals: ["audit_unavailable", "keys_unavailable"],
      handle: async (received) => {
        const listed = await listApprovals(desk, received.caller);
        return listed.ok ? ok(json(JSON.stringify({ approvals: listed.value.map(describeListed) }))) : listed;
      },
    },
    decide("approved", "approve", "As a second owner, or as the other organisation where the contract says so: approve a request"),
    decide("rejected", "reject", "As a second owner, or as the other organisation where the contract says so: reject a request"),
    decide("withdrawn", "withdraw", "As the owner who asked: take a request back"),
  ];
}

function describeListed({ approval, isOthers, reason, decidedReason }: ListedApproval): z.infer<typeof listedSchema> {
  const approver = isOthers === null ? null : isOthers ? "other_organisation" : "another_owner";
  return { ...describeApproval(approval), approver, reason, decided_reason: decidedReason };
}

export function describeApproval(approval: Approval): z.infer<typeof approvalSchema> {
  const { id, contract, action, digest, requestedBy, requestedAt, expiresAt, decidedBy } = approval;
  return {
    ...{ id, contract, action, digest, state: standingOf(approval) },
    requested_by: requestedBy,
    requested_at: new Date(requestedAt).toISOString(),
    expires_at: new Date(expiresAt).toISOString(),
    decided_by: decidedBy,
  };
}
