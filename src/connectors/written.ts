/** What may stand in a connector's file, value by value. */
import * as z from "zod";
import { refusing } from "../policy/index.ts";
import { authenticationSchema, carriageSchema, headerName, parameterSchema, tokenHeaders } from "./connector.ts";

const segment = "[A-Za-z0-9][A-Za-z0-9._~-]*";
const pathPattern = new RegExp(`^(/${segment})+$`);
export const baseUrlPattern = /^https:\/\/([^/?#@:\\[\]]+)((?:\/[^/?#]+)*)$/;
const templatePattern = new RegExp(`^(/(${segment}|([A-Za-z0-9][A-Za-z0-9._~-]*)?\\{[a-z][a-z0-9_]{0,31}\\}[A-Za-z0-9._~-]*))+$`);
const keysPattern = /^[A-Za-z_][A-Za-z0-9_-]{0,63}(\.[A-Za-z_][A-Za-z0-9_-]{0,63}){0,7}$/;
const recordsPattern = /^body(\.[A-Za-z_][A-Za-z0-9_-]{0,63}){0,7}(\[\])?$/;
const bodyPattern = /^body(\.[A-Za-z_][A-Za-z0-9_-]{0,63}){0,7}$/;
const typePattern = /^[a-z][a-z0-9_]{0,31}$/;
const namePattern = /^[a-z][a-z0-9-]{0,63}$/;
const routesMax = 100;

/** Of one part of a host's name, of a whole one, of an id in a path. */
const settingKind = z.enum(["label", "host", "id"]);
export type SettingKind = z.infer<typeof settingKind>;

export const text = (pattern: RegExp, said: string, hint: string) =>
  z.string().refine((value) => pattern.test(value), refusing("wrong_value", said, hint));
const keys = text(keysPattern, "not keys with dots between them", "as in errors, or error_response.code");
const key = text(/^[A-Za-z_][A-Za-z0-9_-]{0,63}$/, "not a key", "letters, digits, _ and -");
const parameterName = text(
  /^[A-Za-z_][A-Za-z0-9_]{0,63}(\[[A-Za-z0-9_]{1,32}\])?$/,
  "not a name",
  "letters, digits and _, as in limit or page[size]",
);
const queryText = text(/^[\x20-\x7e]{1,2000}$/, "not a value of a query", "visible ASCII on one line");
const codes = z.array(z.string().max(64)).max(50).default([]);
export const noUrl = refusing(
  "wrong_value",
  "not a URL that a connector may have",
  "https, the name of a public host, plain segments: https://shop.example.com/api",
);

const path = text(templatePattern, "not the path of a route", "plain segments, and {id} where an id stands: /orders/{id}.json");

const writeShape = z
  .strictObject({
    post: path.optional(),
    put: path.optional(),
    patch: path.optional(),
    resource: text(typePattern, "not the name of a resource", "as the policy has it"),
    id: keys.default("id"),
    body: text(bodyPattern, "not a place in a body", "body or body.order"),
    fields: z.array(z.string()).min(1, "name at least one").max(100),
    records: text(bodyPattern, "not a place in a body", "body or body.order").optional(),
    reads: path.optional(),
  })
  .refine(
    ({ post, put, patch }) => [post, put, patch].filter((given) => given !== undefined).length === 1,
    refusing("missing", "a write has one path", "post:, put: or patch:"),
  );

/** What every connector's file says. */
export const everyFile = {
  connector: text(namePattern, "not a name", "lower-case letters, digits and -"),
  settings: z.record(text(/^[a-z][a-z0-9_]{0,31}$/, "not a name", "lower-case letters, digits and _"), settingKind).default({}),
  caller: carriageSchema
    .default("bearer")
    .refine(
      (caller) => typeof caller === "string" || tokenHeaders.includes(caller.header.toLowerCase()),
      refusing("wrong_value", "the gateway takes no token from this header", `bearer, basic, or one of ${tokenHeaders.join(", ")}`),
    ),
  purpose: z.string().max(64).optional(),
  drops: z.array(parameterName).max(50).default([]),
  limits: z
    .strictObject({
      seconds: z.int().min(1).max(30).default(10),
      bytes: z.int().min(1_024).max(4_194_304).default(1_048_576),
      records: z.int().min(1).max(250).default(250),
    })
    .prefault({}),
};

export const recordsText = text(recordsPattern, "not a place in a body", "body, body.order, body[] or body.orders[]");

/** What every route says, and what is said of routes of one kind alone. */
export function everyRoute<Own extends z.core.$ZodLooseShape, Kind extends z.ZodType>(own: Own, parameter: Kind) {
  return z
    .array(
      z.strictObject({
        get: path,
        resource: text(typePattern, "not the name of a resource", "as the policy has it"),
        parameters: z.record(parameterName, parameter).default({}),
        ...own,
      }),
    )
    .min(1)
    .max(routesMax);
}

export const fileSchema = z.strictObject({
  ...everyFile,
  base: z.string().refine((value) => baseUrlPattern.test(value) && isPlainPath(baseUrlPattern.exec(value)?.[2] ?? ""), noUrl),
  authentication: authenticationSchema,
  error_at: keys.optional(),
  error_codes: z.strictObject({ at: z.array(keys).min(1).max(4), limited: codes, refused: codes, missing: codes }).optional(),
  forms: z.boolean().default(false),
  lists: z.record(key, key).default({}),
  pages: z
    .union([z.literal("link"), z.strictObject({ more: keys, cursors: z.array(keys).min(1).max(4) })], {
      error: "link, or { more: meta.has_more, cursors: [meta.after_cursor] }",
    })
    .optional(),
  repeats: z.strictObject({ header: headerName }).optional(),
  writes: z.array(writeShape).max(routesMax).default([]),
  routes: everyRoute(
    {
      id: keys.default("id"),
      records: recordsText,
      where: z.record(parameterName, queryText).default({}),
      adds: z.record(parameterName, queryText).default({}),
    },
    parameterSchema,
  ),
});

export type FileShape = z.output<typeof fileSchema>;

/** Nothing that climbs or is spelt by percent signs. */
function isPlainPath(path: string): boolean {
  return path === "" || pathPattern.test(path);
}
