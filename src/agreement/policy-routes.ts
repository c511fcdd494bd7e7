/** The policy of a contract in force: read it, change it. */
import * as z from "zod";
import { approvalSchema, describeApproval } from "../approvals/index.ts";
import { json, type Received, type Route } from "../http/index.ts";
import { type ContractId, ok } from "../kernel/index.ts";
import { type Changed, changePolicy, type PolicyDesk } from "./change-policy.ts";
import { filesBytesMax, filesSchema } from "./files.ts";
import { type ReadPolicy, readPolicy } from "./read-policy.ts";

const digest = z.string().regex(/^sha256:[0-9a-f]{64}$/);
const place = z.object({ file: z.string(), line: z.int() });
const differences = z.array(
  z.object({
    what: z.string(),
    role: z.string().optional(),
    type: z.string().optional(),
    field: z.string().optional(),
    purposes: z.array(z.string()).optional(),
    before: z.string(),
    after: z.string(),
    direction: z.enum(["widened", "narrowed", "changed"]),
    at: z.object({ before: place.optional(), after: place.optional() }).optional(),
  }),
);
const policySchema = z.object({
  contract: z.string(),
  in_force: z.string(),
  digest: z.string(),
  bundle: z.record(z.string(), z.unknown()),
  pending: z.array(z.object({ approval: approvalSchema, after: z.string(), differences })),
});
const changedSchema = z.object({ contract: z.string(), before: z.string(), after: z.string(), differences });
const changeBody = filesSchema.extend({ replaces: digest.exactOptional() });

export function policyRoutes(desk: PolicyDesk): Route[] {
  const path = "/v1/contracts/{contract}/policy";
  return [
    {
      method: "GET",
      path,
      summary: "The bundle in force, or the one of `digest`, and what waits for a second owner to take its place",
      query: z.object({ digest: digest.optional() }),
      answers: { 200: { media: "application/json", description: "Policy ∩ contract, compiled", schema: policySchema } },
      refusals: ["audit_unavailable"],
      handle: async (received) => {
        const read = await readPolicy(desk, received.caller, contractOf(received), received.query.digest);
        return read.ok ? ok(json(JSON.stringify(describePolicy(read.value)))) : read;
      },
    },
    {
      method: "PUT",
      path,
      summary: "Change the policy of a contract in force; what widens anything waits for a second owner",
      body: {
        media: "application/json",
        bytesMax: filesBytesMax,
        schema: changeBody,
        description: "Two YAML files and their names; `replaces`: the digest that is in force, else nothing is changed.",
      },
      answers: {
        200: { media: "application/json", description: "It is in force", schema: changedSchema },
        202: {
          media: "application/json",
          description: "It waits for a second owner",
          schema: changedSchema.extend({ approval: approvalSchema }),
        },
      },
      refusals: ["wrong_state", "busy", "reason_required", "audit_unavailable", "keys_unavailable", "share_closed"],
      handle: async (received) => {
        const proposal = received.body as z.infer<typeof changeBody>;
        const changed = await changePolicy(desk, received.caller, contractOf(received), proposal);
        return changed.ok ? ok(json(JSON.stringify(describeChange(changed.value)), {}, changed.value.approval ? 202 : 200)) : changed;
      },
    },
  ];
}

function describePolicy({ contract, inForce, digest: of, bundle, pending }: ReadPolicy): z.infer<typeof policySchema> {
  const waiting = pending.map(({ approval, after, differences: found }) => ({
    approval: describeApproval(approval),
    after,
    differences: describe(found),
  }));
  return { contract, in_force: inForce, digest: of, bundle, pending: waiting };
}

function describeChange({ contract, before, after, differences: found, approval }: Changed) {
  return { contract, before, after, differences: describe(found), ...(approval && { approval: describeApproval(approval) }) };
}

function describe(found: Changed["differences"]): z.infer<typeof differences> {
  return found.map((difference) => ({ ...difference, purposes: difference.purposes && [...difference.purposes] }));
}

function contractOf(received: Received): ContractId {
  return received.params.contract as ContractId;
}
