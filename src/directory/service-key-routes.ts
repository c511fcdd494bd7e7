/** Routes of an owner for the keys of the merchant's own systems. */
import * as z from "zod";
import { json, type Received, type Route } from "../http/index.ts";
import { type ContractId, ok, type Refusal, type Result } from "../kernel/index.ts";
import type { OfficeDoor } from "../offices/index.ts";
import { type ServiceKey, scopes } from "../service-keys/index.ts";
import { counts, createServiceKey, listServiceKeys, type MintedKey, revokeKey, rotateServiceKey } from "./service-keys.ts";

const name = z
  .string()
  .min(1)
  .max(100)
  .regex(/^[^\p{Cc}\p{Cf}\p{Co}\p{Cs}]+$/u);
const days = z.int().min(1).max(365).default(90);
const createBody = z.strictObject({
  name,
  scopes: z
    .array(z.enum(scopes))
    .min(1)
    .max(scopes.length)
    .refine((list) => new Set(list).size === list.length),
  days,
});
const rotateBody = z.strictObject({ days, overlap_hours: z.int().min(0).max(168).default(24) });
const mintedSchema = z.object({ key: z.string(), secret: z.string(), expires_at: z.iso.datetime() });
const keySchema = z.object({
  key: z.string(),
  name: z.string(),
  scopes: z.array(z.string()),
  created_by: z.object({ issuer: z.string(), subject: z.string() }),
  created_at: z.iso.datetime(),
  expires_at: z.iso.datetime(),
  /** Until then the key from before its last rotation counts as well. */
  previous_until: z.iso.datetime().nullable(),
  revoked_at: z.iso.datetime().nullable(),
  /** To ten minutes. */
  last_used_at: z.iso.datetime().nullable(),
  counts: z.boolean(),
});
const refusals = ["wrong_state", "busy", "audit_unavailable", "keys_unavailable", "share_closed"] as const;
const minted = { 200: { media: "application/json", description: "The key: shown this once", schema: mintedSchema } };

export function serviceKeyRoutes(door: OfficeDoor): Route[] {
  const path = "/v1/contracts/{contract}/service-keys";
  return [
    {
      method: "GET",
      path,
      summary: "Keys of the merchant's own systems, and when each was last used",
      answers: { 200: { media: "application/json", description: "Oldest first", schema: z.object({ keys: z.array(keySchema) }) } },
      refusals: ["audit_unavailable", "keys_unavailable", "share_closed"],
      handle: async (received) => {
        const listed = await listServiceKeys(door, received.caller, contractOf(received));
        return listed.ok ? ok(json(JSON.stringify({ keys: listed.value.map(describeKey) }))) : listed;
      },
    },
    {
      method: "POST",
      path,
      summary: "Make a key for one of the merchant's own systems",
      body: {
        media: "application/json",
        bytesMax: 2_048,
        schema: createBody,
        description: `\`name\`: which system's; \`scopes\`: of ${scopes.join(", ")}; \`days\`: until it ends.`,
      },
      answers: minted,
      refusals,
      handle: async (received) =>
        answerMinted(await createServiceKey(door, received.caller, contractOf(received), received.body as z.output<typeof createBody>)),
    },
    {
      method: "POST",
      path: `${path}/{key}/rotate`,
      summary: "Another secret for the same key; the one from before counts on for a while",
      body: { media: "application/json", bytesMax: 1_024, schema: rotateBody, description: "`days`: until it ends; `overlap_hours`." },
      answers: minted,
      refusals,
      handle: async (received) => {
        const { days, overlap_hours: overlapHours } = received.body as z.output<typeof rotateBody>;
        const wish = { id: keyOf(received), days, overlapHours };
        return answerMinted(await rotateServiceKey(door, received.caller, contractOf(received), wish));
      },
    },
    {
      method: "POST",
      path: `${path}/{key}/revoke`,
      summary: "Revoke a key, and what it was rotated from, at once",
      answers: {
        200: { media: "application/json", description: "Refused from the next request on", schema: z.object({ key: z.string() }) },
      },
      refusals: ["audit_unavailable", "keys_unavailable", "share_closed"],
      handle: async (received) => {
        const done = await revokeKey(door, received.caller, contractOf(received), keyOf(received));
        return done.ok ? ok(json(JSON.stringify({ key: keyOf(received) }))) : done;
      },
    },
  ];
}

function answerMinted(made: Result<MintedKey, Refusal>) {
  if (!made.ok) return made;
  const { id, text, expiresAt } = made.value;
  return ok(json(JSON.stringify({ key: id, secret: text, expires_at: new Date(expiresAt).toISOString() })));
}

function describeKey(key: ServiceKey): z.infer<typeof keySchema> {
  const time = (at: number | null) => (at === null ? null : new Date(at).toISOString());
  return {
    ...{ key: key.id, name: key.name, scopes: key.scopes.split(" "), created_by: key.createdBy },
    created_at: new Date(key.createdAt).toISOString(),
    expires_at: new Date(key.expiresAt).toISOString(),
    previous_until: time(key.previousUntil),
    revoked_at: time(key.revokedAt),
    last_used_at: time(key.lastUsedAt),
    counts: counts(key),
  };
}

function contractOf(received: Received): ContractId {
  return received.params.contract as ContractId;
}

function keyOf(received: Received): string {
  return received.params.key ?? "";
}
