/** Routes by which somebody with a session registers a passkey, and shows it. */
import type { AuthenticationResponseJSON, RegistrationResponseJSON } from "@simplewebauthn/server";
import * as z from "zod";
import { toBase64Url } from "../crypto/index.ts";
import { json, type Route, sessionCookie } from "../http/index.ts";
import { isId, ok } from "../kernel/index.ts";
import type { Passkey } from "../passkeys/index.ts";
import {
  beginRegistration,
  beginStepUp,
  finishRegistration,
  finishStepUp,
  listPasskeys,
  type PasskeyDesk,
  revokePasskey,
  revokePasskeysOf,
} from "./passkeys.ts";

const bytesMax = 65_536;
const encoded = z
  .string()
  .regex(/^[A-Za-z0-9_-]+$/)
  .max(32_768);
/** `PublicKeyCredential.toJSON()`: what its response holds is read by whoever verifies it. */
const credential = (response: z.ZodType) =>
  z.looseObject({ id: encoded, rawId: encoded, type: z.literal("public-key"), response, clientExtensionResults: z.looseObject({}) });
const name = z
  .string()
  .min(1)
  .max(64)
  .regex(/^[^\p{Cc}\p{Cf}\p{Co}\p{Cs}]+$/u);
const registrationBody = z.strictObject({
  name,
  credential: credential(z.looseObject({ clientDataJSON: encoded, attestationObject: encoded })),
});
const stepUpBody = z.strictObject({
  credential: credential(z.looseObject({ clientDataJSON: encoded, authenticatorData: encoded, signature: encoded })),
});
const holderBody = z.strictObject({
  issuer: z.string().refine(isId),
  subject: z
    .string()
    .min(1)
    .max(255)
    .regex(/^\P{Cc}+$/u),
});
const passkeySchema = z.object({
  passkey: z.string(),
  name: z.string(),
  registered_at: z.iso.datetime(),
  last_used_at: z.iso.datetime().nullable(),
});
const listed = { 200: { media: "application/json", description: "Oldest first", schema: z.object({ passkeys: z.array(passkeySchema) }) } };
const options = { 200: { media: "application/json", description: "For navigator.credentials", schema: z.looseObject({}) } };
const refusals = [
  "token_missing",
  "token_invalid",
  "token_expired",
  "token_revoked",
  "step_up_required",
  "step_up_refused",
  "not_found",
  "unacceptable",
  "audit_unavailable",
  "keys_unavailable",
  "database_unavailable",
  "issuer_unavailable",
] as const;

export function passkeyRoutes(desk: PasskeyDesk): Route[] {
  return [
    {
      method: "GET",
      path: "/v1/session/passkeys",
      summary: "The passkeys of whoever has logged in",
      answers: listed,
      refusals,
      handle: async ({ caller }) => {
        const held = await listPasskeys(desk, caller);
        return held.ok ? ok(json(JSON.stringify({ passkeys: held.value.map(describePasskey) }))) : held;
      },
    },
    {
      method: "POST",
      path: "/v1/session/passkeys/options",
      summary: "What a new passkey is to sign",
      answers: options,
      refusals,
      handle: async ({ caller }) => {
        const begun = await beginRegistration(desk, caller);
        return begun.ok ? ok(json(JSON.stringify(begun.value))) : begun;
      },
    },
    {
      method: "POST",
      path: "/v1/session/passkeys",
      summary: "Register a passkey",
      body: {
        media: "application/json",
        bytesMax,
        schema: registrationBody,
        description: "`name`: for its holder's own list; `credential`: of `navigator.credentials.create`, by its `toJSON`.",
      },
      answers: listed,
      refusals,
      handle: async ({ caller, body }) => {
        const { name, credential } = body as z.infer<typeof registrationBody>;
        const done = await finishRegistration(desk, caller, { name, response: credential as unknown as RegistrationResponseJSON });
        if (!done.ok) return done;
        return ok(json(JSON.stringify({ passkeys: done.value.map(describePasskey) })));
      },
    },
    {
      method: "POST",
      path: "/v1/session/passkeys/{passkey}/revoke",
      summary: "End one's own passkey",
      answers: listed,
      refusals,
      handle: async ({ caller, params }) => {
        const done = await revokePasskey(desk, caller, params.passkey ?? "");
        if (!done.ok) return done;
        return ok(json(JSON.stringify({ passkeys: done.value.map(describePasskey) })));
      },
    },
    ...stepUpRoutes(desk),
    {
      method: "POST",
      path: "/v1/passkeys/revoke",
      summary: "End the passkeys of somebody who lost theirs",
      body: { media: "application/json", bytesMax: 2_048, schema: holderBody, description: '`{"issuer","subject"}`: whose.' },
      answers: { 200: { media: "application/json", description: "How many there were", schema: z.object({ passkeys: z.int() }) } },
      refusals: ["audit_unavailable", "keys_unavailable"],
      handle: async ({ caller, body }) => {
        const done = await revokePasskeysOf(desk, caller, body as z.infer<typeof holderBody>);
        return done.ok ? ok(json(JSON.stringify({ passkeys: done.value }))) : done;
      },
    },
  ];
}

function stepUpRoutes(desk: PasskeyDesk): Route[] {
  return [
    {
      method: "POST",
      path: "/v1/session/step-up/options",
      summary: "What a passkey is to sign, to show that its holder is there",
      answers: options,
      refusals,
      handle: async ({ caller }) => {
        const begun = await beginStepUp(desk, caller);
        return begun.ok ? ok(json(JSON.stringify(begun.value))) : begun;
      },
    },
    {
      method: "POST",
      path: "/v1/session/step-up",
      summary: "Show a passkey: for five minutes the session is its holder's in person",
      body: {
        media: "application/json",
        bytesMax,
        schema: stepUpBody,
        description: "`credential`: of `navigator.credentials.get`, by its `toJSON`.",
      },
      answers: {
        200: { media: "application/json", description: "With a new cookie", schema: z.object({ stepped_up: z.literal(true) }) },
      },
      refusals,
      handle: async ({ caller, body }) => {
        const { credential } = body as z.infer<typeof stepUpBody>;
        const done = await finishStepUp(desk, caller, credential as unknown as AuthenticationResponseJSON);
        if (!done.ok) return done;
        const seconds = Math.max(1, Math.floor((done.value.expiresAt - desk.now()) / 1_000));
        return ok(json('{"stepped_up":true}', { "set-cookie": sessionCookie(done.value.secret, seconds) }));
      },
    },
  ];
}

function describePasskey({ id, name, registeredAt, usedAt }: Passkey): z.infer<typeof passkeySchema> {
  const registered_at = new Date(registeredAt).toISOString();
  return { passkey: toBase64Url(id), name, registered_at, last_used_at: usedAt === null ? null : new Date(usedAt).toISOString() };
}
