/** Routes by which access is taken away, and given back. */
import * as z from "zod";
import { json, type Received, type Route } from "../http/index.ts";
import { type ContractId, isId, ok, type Refusal, type Result } from "../kernel/index.ts";
import type { OfficeDoor } from "../offices/index.ts";
import { type Revocation, type Revoked, revocationKinds } from "../revocations/index.ts";
import { changeSeat, lift, listRevocations, revocationReasons, revoke } from "./revoke.ts";

const id = z.string().refine(isId);
const name = z
  .string()
  .min(1)
  .max(255)
  .regex(/^\P{Cc}+$/u);
const reason = z.enum(revocationReasons);
const seat = { issuer: id, subject: name };
const revokeSeatBody = z.strictObject({ ...seat, reason });
const restoreSeatBody = z.strictObject(seat);
const revokeBody = z.discriminatedUnion("kind", [
  z.strictObject({ kind: z.literal("person"), issuer: id, subject: name, reason }),
  z.strictObject({ kind: z.literal("token"), issuer: id, jti: name, reason }),
  z.strictObject({ kind: z.literal("key"), issuer: id, kid: name, reason }),
  z.strictObject({ kind: z.literal("issuer"), issuer: id, reason }),
  z.strictObject({ kind: z.literal("vendor"), vendor: id, reason }),
]);
const seatAnswer = z.object({ contract: z.string(), revoked: z.boolean() });
const revocationSchema = z.object({
  revocation: z.string(),
  kind: z.enum(revocationKinds),
  issuer: z.string().nullable(),
  name: z.string().nullable(),
  reason: z.string(),
  revoked_at: z.iso.datetime(),
  expires_at: z.iso.datetime().nullable(),
});

export function revokeRoutes(door: OfficeDoor): Route[] {
  return [...seatRoutes(door), ...operatorRoutes(door)];
}

function seatRoutes(door: OfficeDoor): Route[] {
  const path = "/v1/contracts/{contract}/agents";
  const body = (schema: z.ZodType, description: string) => ({ media: "application/json", bytesMax: 2_048, schema, description });
  return [
    {
      method: "POST",
      path: `${path}/revoke`,
      summary: "Take one agent's seat away, at once",
      body: body(revokeSeatBody, '`{"issuer","subject","reason"}`: whose, as the seat names them, and why.'),
      answers: { 200: { media: "application/json", description: "Refused from the next request on", schema: seatAnswer } },
      refusals: ["audit_unavailable", "keys_unavailable", "share_closed"],
      handle: async (received) => {
        const { reason, ...holder } = received.body as z.infer<typeof revokeSeatBody>;
        return answerSeat(received, await changeSeat(door, received.caller, contractOf(received), holder, reason), true);
      },
    },
    {
      method: "POST",
      path: `${path}/restore`,
      summary: "Give a seat back that was taken away",
      body: body(restoreSeatBody, '`{"issuer","subject"}`'),
      answers: { 200: { media: "application/json", description: "Given back", schema: seatAnswer } },
      refusals: ["audit_unavailable", "keys_unavailable", "share_closed"],
      handle: async (received) => {
        const holder = received.body as z.infer<typeof restoreSeatBody>;
        return answerSeat(received, await changeSeat(door, received.caller, contractOf(received), holder, null), false);
      },
    },
  ];
}

function operatorRoutes(door: OfficeDoor): Route[] {
  const path = "/v1/revocations";
  return [
    {
      method: "GET",
      path,
      summary: "What is refused everywhere",
      answers: {
        200: { media: "application/json", description: "Oldest first", schema: z.object({ revocations: z.array(revocationSchema) }) },
      },
      refusals: ["audit_unavailable"],
      handle: async (received) => {
        const listed = await listRevocations(door, received.caller);
        return listed.ok ? ok(json(JSON.stringify({ revocations: listed.value.map(describe) }))) : listed;
      },
    },
    {
      method: "POST",
      path,
      summary: "Refuse a person, a token, a signing key, an issuer or a vendor everywhere, at once",
      body: {
        media: "application/json",
        bytesMax: 2_048,
        schema: revokeBody,
        description:
          "`kind`, then who or what, and why: `subject` of a person, `jti` of a token, `kid` of a key, each with its `issuer`; or `vendor`.",
      },
      answers: { 201: { media: "application/json", description: "Refused from the next request on", schema: revocationSchema } },
      refusals: ["busy", "audit_unavailable"],
      handle: async (received) => {
        const asked = received.body as z.infer<typeof revokeBody>;
        const revoked = await revoke(door, received.caller, namedIn(asked), asked.reason);
        return revoked.ok ? ok(json(JSON.stringify(describe(revoked.value)), {}, 201)) : revoked;
      },
    },
    {
      method: "POST",
      path: `${path}/{revocation}/lift`,
      summary: "Let in again what was refused everywhere",
      answers: { 200: { media: "application/json", description: "What was lifted", schema: revocationSchema } },
      refusals: ["audit_unavailable"],
      handle: async (received) => {
        const lifted = await lift(door, received.caller, received.params.revocation ?? "");
        return lifted.ok ? ok(json(JSON.stringify(describe(lifted.value)))) : lifted;
      },
    },
  ];
}

function namedIn(asked: z.infer<typeof revokeBody>): Revoked {
  const { kind } = asked;
  if (kind === "vendor") return { kind, issuer: "", name: asked.vendor };
  if (kind === "issuer") return { kind, issuer: asked.issuer, name: "" };
  return { kind, issuer: asked.issuer, name: kind === "person" ? asked.subject : kind === "token" ? asked.jti : asked.kid };
}

function describe({ id: revocation, kind, issuer, name, reason, revokedAt, expiresAt }: Revocation): z.infer<typeof revocationSchema> {
  return {
    revocation,
    kind,
    issuer: issuer === "" ? null : issuer,
    name: name === "" ? null : name,
    reason,
    revoked_at: new Date(revokedAt).toISOString(),
    expires_at: expiresAt === null ? null : new Date(expiresAt).toISOString(),
  };
}

function answerSeat({ params }: Received, done: Result<void, Refusal>, revoked: boolean) {
  return done.ok ? ok(json(JSON.stringify({ contract: params.contract, revoked }))) : done;
}

function contractOf({ params }: Received): ContractId {
  return params.contract as ContractId;
}
