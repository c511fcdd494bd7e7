/** Routes by which operators give a vendor's directory its token, and take it away. */
import * as z from "zod";
import { json, type Route } from "../http/index.ts";
import { ok } from "../kernel/index.ts";
import type { ScimDesk } from "./enter.ts";
import type { ScimToken } from "./postgres-tokens.ts";
import { issueToken, listTokens, revokeToken } from "./tokens.ts";

const issueBody = z.strictObject({ days: z.int().min(1).max(730).default(365), overlap_hours: z.int().min(0).max(168).default(24) });
const tokenSchema = z.object({
  id: z.string(),
  issued_at: z.iso.datetime(),
  expires_at: z.iso.datetime(),
  last_used_at: z.iso.datetime().nullable(),
});
const issuedSchema = tokenSchema.extend({ token: z.string() });

export function tokenRoutes(desk: ScimDesk): Route[] {
  const path = "/v1/scim/{vendor}/tokens";
  return [
    {
      method: "GET",
      path,
      summary: "The tokens of a vendor's directory, without their secrets",
      answers: { 200: { media: "application/json", description: "Oldest first", schema: z.object({ tokens: z.array(tokenSchema) }) } },
      refusals: ["audit_unavailable"],
      handle: async ({ caller, params }) => {
        const listed = await listTokens(desk, caller, params.vendor ?? "");
        return listed.ok ? ok(json(JSON.stringify({ tokens: listed.value.map(describe) }))) : listed;
      },
    },
    {
      method: "POST",
      path,
      summary: "Issue a token for a vendor's directory",
      body: {
        media: "application/json",
        bytesMax: 1_024,
        schema: issueBody,
        description: '`{"days","overlap_hours"}`: how long it holds, and how long those before it still do.',
      },
      answers: { 201: { media: "application/json", description: "The only time that the token is told", schema: issuedSchema } },
      refusals: ["busy", "audit_unavailable"],
      handle: async ({ caller, params, body }) => {
        const { days, overlap_hours: overlapHours } = body as z.infer<typeof issueBody>;
        const issued = await issueToken(desk, caller, params.vendor ?? "", { days, overlapHours });
        if (!issued.ok) return issued;
        return ok(json(JSON.stringify({ ...describe(issued.value), token: issued.value.token }), {}, 201));
      },
    },
    {
      method: "POST",
      path: `${path}/{token}/revoke`,
      summary: "Take a token of a vendor's directory away, at once",
      answers: {
        200: { media: "application/json", description: "Refused from the next request on", schema: z.object({ id: z.string() }) },
      },
      refusals: ["audit_unavailable"],
      handle: async ({ caller, params }) => {
        const revoked = await revokeToken(desk, caller, params.vendor ?? "", params.token ?? "");
        return revoked.ok ? ok(json(JSON.stringify({ id: params.token }))) : revoked;
      },
    },
  ];
}

function describe({ id, issuedAt, expiresAt, lastUsedAt }: ScimToken): z.infer<typeof tokenSchema> {
  return {
    id,
    issued_at: new Date(issuedAt).toISOString(),
    expires_at: new Date(expiresAt).toISOString(),
    last_used_at: lastUsedAt === null ? null : new Date(lastUsedAt).toISOString(),
  };
}
