/** Legal holds, for the merchant's owners. */
import * as z from "zod";
import { approvalSchema, describeApproval } from "../approvals/index.ts";
import { type Hold, holdBases, isStanding } from "../contracts/index.ts";
import { json, type Received, type Route } from "../http/index.ts";
import { type ContractId, ok } from "../kernel/index.ts";
import { type HoldDesk, listHolds, placeHold, requestRelease } from "./holds.ts";

const words = (max: number) =>
  z
    .string()
    .min(1)
    .max(max)
    .regex(/^[^\p{Cc}\p{Cf}\p{Co}\p{Cs}]+$/u);
const name = z.string().min(1).max(128);
const scopeBody = z.union([
  z.literal("contract"),
  z.strictObject({ subject: z.strictObject({ type: name, id: z.string().min(1).max(256) }) }),
  z.strictObject({ field: z.strictObject({ type: name, path: z.string().min(1).max(256) }) }),
]);
const holdBody = z.strictObject({
  scope: scopeBody,
  basis: z.enum(holdBases),
  note: words(500),
  authority: words(200),
  /** Said, even where there is none: `null` = until it is released. With its offset: nothing is assumed. */
  expires_at: z.iso.datetime({ offset: true }).nullable(),
});
const holdSchema = z.object({
  hold: z.string(),
  contract: z.string(),
  scope: z.union([
    z.literal("contract"),
    z.object({ subject: z.object({ type: z.string(), locator: z.string() }) }),
    z.object({ field: z.object({ type: z.string(), path: z.string() }) }),
  ]),
  basis: z.enum(holdBases),
  note: z.string(),
  authority: z.string(),
  placed_by: z.object({ issuer: z.string(), subject: z.string() }),
  placed_at: z.iso.datetime(),
  expires_at: z.iso.datetime().nullable(),
  released_at: z.iso.datetime().nullable(),
  standing: z.boolean(),
});

export function holdRoutes(desk: HoldDesk): Route[] {
  const path = "/v1/contracts/{contract}/holds";
  return [
    {
      method: "GET",
      path,
      summary: "Legal holds, standing or not",
      answers: { 200: { media: "application/json", description: "Oldest first", schema: z.object({ holds: z.array(holdSchema) }) } },
      refusals: ["audit_unavailable"],
      handle: async (received) => {
        const listed = await listHolds(desk, received.caller, contractOf(received));
        return listed.ok ? ok(json(JSON.stringify({ holds: listed.value.map(describeHold) }))) : listed;
      },
    },
    {
      method: "POST",
      path,
      summary: "Place a legal hold, at once: on the contract, one data subject, or one field",
      body: {
        media: "application/json",
        bytesMax: 8_192,
        schema: holdBody,
        description: '`scope`: `"contract"`, `{"subject":{"type","id"}}` by the merchant\'s own id, or `{"field":{"type","path"}}`.',
      },
      answers: {
        201: {
          media: "application/json",
          description: "The hold; `found`: something of what it names is stored",
          schema: holdSchema.extend({ found: z.boolean() }),
        },
      },
      refusals: ["wrong_state", "busy", "audit_unavailable", "keys_unavailable", "share_closed"],
      handle: async (received) => {
        const { expires_at, ...ask } = received.body as z.infer<typeof holdBody>;
        const expiresAt = expires_at === null ? null : Date.parse(expires_at);
        const placed = await placeHold(desk, received.caller, contractOf(received), { ...ask, expiresAt });
        if (!placed.ok) return placed;
        return ok(json(JSON.stringify({ ...describeHold(placed.value.hold), found: placed.value.found }), {}, 201));
      },
    },
    {
      method: "POST",
      path: `${path}/{hold}/release`,
      summary: "Ask a second owner to release a hold",
      answers: { 202: { media: "application/json", description: "The request", schema: z.object({ approval: approvalSchema }) } },
      refusals: ["wrong_state", "audit_unavailable"],
      handle: async (received) => {
        const asked = await requestRelease(desk, received.caller, contractOf(received), received.params.hold ?? "");
        return asked.ok ? ok(json(JSON.stringify({ approval: describeApproval(asked.value) }), {}, 202)) : asked;
      },
    },
  ];
}

function describeHold(hold: Hold): z.infer<typeof holdSchema> {
  const { id, contract, scope, basis, note, authority, placedBy, placedAt, expiresAt, releasedAt } = hold;
  const isoOf = (ms: number | null) => (ms === null ? null : new Date(ms).toISOString());
  return {
    ...{ hold: id, contract, scope: describeScope(scope), basis, note, authority, placed_by: placedBy },
    placed_at: new Date(placedAt).toISOString(),
    expires_at: isoOf(expiresAt),
    released_at: isoOf(releasedAt),
    standing: isStanding(hold),
  };
}

function describeScope(scope: Hold["scope"]): z.infer<typeof holdSchema>["scope"] {
  if (scope.kind === "contract") return "contract";
  if (scope.kind === "field") return { field: { type: scope.type, path: scope.path } };
  return { subject: { type: scope.type, locator: scope.subject } };
}

function contractOf(received: Received): ContractId {
  return received.params.contract as ContractId;
}
