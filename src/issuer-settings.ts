/** The operator's `issuers`: whose tokens count, how each is read, and which organisation's people it may speak for (docs/ISSUERS.md). */
import * as z from "zod";
import type { IssuerProfile, SignatureAlgorithm, TokenType } from "./identity/index.ts";
import { isId } from "./kernel/index.ts";
import type { serviceIssuer as reservedIssuer } from "./service-keys/index.ts";

const id = z.string().refine(isId, "must match [A-Za-z0-9][A-Za-z0-9._~-]*");
const text = z.string().min(1).max(512);
const claimName = z.string().regex(/^[\x21-\x7e]{1,128}$/, "must be a claim's name");
const serviceIssuer: typeof reservedIssuer = "service-key";
/** One person's mail address or login is another's next year. */
const reassigned = ["email", "mail", "upn", "unique_name", "preferred_username", "name", "nickname", "phone_number"];

/** Every command reads this file, and few verify a token: the words stand here once more, the compiler holds them to those that verify. */
const tokenTypes = { "at+jwt": "at+jwt", jwt: "jwt" } as const satisfies { [Type in TokenType]: Type };
const algorithms = {
  ES256: "ES256",
  ES384: "ES384",
  ES512: "ES512",
  RS256: "RS256",
  RS384: "RS384",
  RS512: "RS512",
  PS256: "PS256",
  PS384: "PS384",
  PS512: "PS512",
  EdDSA: "EdDSA",
  Ed25519: "Ed25519",
} as const satisfies { [Algorithm in SignatureAlgorithm]: Algorithm };

const remoteIssuer = z.strictObject({
  id,
  built_in: z.undefined().optional(),
  issuer: text,
  jwks: z.url({ protocol: /^https?$/ }),
  /** The merchant or vendor whose own it is: no other organisation's people may come by it. */
  organisation: id.optional(),
  /** What a token's `aud` must hold, instead of the gateway's origin. */
  audience: z
    .union([text, z.array(text).min(1).max(8)])
    .transform((one) => (typeof one === "string" ? [one] : one))
    .optional(),
  algorithms: z.array(z.enum(algorithms)).min(1).optional(),
  token_type: z.enum(tokenTypes).optional(),
  claims: z
    .strictObject({
      subject: claimName
        .refine((name) => !reassigned.includes(name), "must not be a name or an address: those pass from one person to another")
        .optional(),
      token_id: claimName.optional(),
    })
    .optional(),
  /** Tokens bound to a key always need a proof of it; `required`: there are no others. */
  dpop: z.literal("required").optional(),
  /** Where its people log in to a page, and as which client of its. */
  login: z
    .strictObject({ client_id: text, authorization: z.url({ protocol: /^https?$/ }), token: z.url({ protocol: /^https?$/ }) })
    .optional(),
  require: z.record(claimName, z.array(text).min(1).max(64)).optional(),
});
const builtInIssuer = z.strictObject({ id: z.literal("demo"), built_in: z.literal(true) });

export const issuerSchema = z.discriminatedUnion("built_in", [builtInIssuer, remoteIssuer]);

/** `scim`: whose tokens the people of its directory come by, and which attribute is their subject (docs/SCIM.md). */
export const vendorSchema = z.strictObject({
  issuers: z.array(id).min(1),
  /** Say who of the vendor's people sits where, within what each merchant allows. */
  admins: z.array(z.strictObject({ issuer: id, subject: z.string().min(1).max(255) })).default([]),
  scim: z.strictObject({ issuer: id, subject: z.enum(["external_id", "user_name"]).default("external_id") }).optional(),
});

export type VendorSettings = z.infer<typeof vendorSchema>;

export type IssuerSettings = z.infer<typeof issuerSchema>;

export function issuerProfile(settings: z.infer<typeof remoteIssuer>): IssuerProfile {
  const { issuer, jwks, audience, token_type, claims, login, require: required } = settings;
  return {
    ...{ id: settings.id, issuer, audiences: audience, algorithms: settings.algorithms, required },
    keys: { jwks: new URL(jwks) },
    tokenType: token_type,
    proof: settings.dpop,
    subjectClaim: claims?.subject,
    tokenIdClaim: claims?.token_id,
    login: login && { clientId: login.client_id, authorization: new URL(login.authorization), token: new URL(login.token) },
  };
}

/** What an issuer may speak for. */
interface Organisations {
  readonly issuers: readonly IssuerSettings[];
  readonly merchants: Readonly<Record<string, { readonly owners: readonly Person[]; readonly officers: readonly Person[] }>>;
  readonly vendors: Readonly<Record<string, VendorSettings>>;
}
interface Person {
  readonly issuer: string;
}

/** One line that names the issuer and the cure; `null` = none. */
export function issuerProblem(file: Organisations, production: boolean): string | null {
  const ids = new Set(file.issuers.map((issuer) => issuer.id));
  if (ids.size < file.issuers.length) return "issuers: two have the same id";
  if (ids.has(serviceIssuer)) return `issuers: ${serviceIssuer} is what the merchants' own systems go by; name it otherwise`;
  if (production && file.issuers.some((issuer) => issuer.built_in))
    return "issuers: the built-in issuer is refused in production; name your identity provider";
  for (const issuer of file.issuers) {
    if (issuer.built_in || issuer.organisation === undefined) continue;
    const { organisation } = issuer;
    if (!Object.hasOwn(file.merchants, organisation) && !Object.hasOwn(file.vendors, organisation))
      return `issuers: ${issuer.id}: organisation ${organisation} is none of the merchants or vendors`;
    const other = organisationsOf(file, issuer.id).find((name) => name !== organisation);
    if (other !== undefined)
      return `issuers: ${issuer.id} is ${organisation}'s, and ${other} has people by it; give ${other} its own issuer`;
  }
  for (const [vendor, { issuers, scim }] of Object.entries(file.vendors)) {
    const unknown = issuers.find((named) => !ids.has(named));
    if (unknown !== undefined) return `vendors.${vendor}.issuers: ${unknown} is not one of the issuers`;
    if (scim && !issuers.includes(scim.issuer)) return `vendors.${vendor}.scim.issuer: ${scim.issuer} is not one of the vendor's issuers`;
  }
  return null;
}

function organisationsOf({ merchants, vendors }: Organisations, issuer: string): string[] {
  const merchant = Object.entries(merchants).filter(([, { owners, officers }]) =>
    [...owners, ...officers].some((who) => who.issuer === issuer),
  );
  const vendor = Object.entries(vendors).filter(([, { issuers }]) => issuers.includes(issuer));
  return [...merchant, ...vendor].map(([name]) => name);
}
