/**
 * A connector: how the gateway speaks to a merchant's own API, and where in its answers records lie. Data, not code; what it does not name is not asked
 * for and does not come back. This is the form that is kept; `language.ts` reads the files that people write.
 */
import * as z from "zod";

/** Text that stands for one part of a path: `/orders/{id}.json`. */
const idPattern = /^[A-Za-z0-9_-]{1,64}$/;
const headerName = z.string().regex(/^[A-Za-z][A-Za-z0-9-]{0,63}$/, "the name of a header");

/** How a secret is carried: `Authorization: Bearer …`, `Authorization: Basic …`, or a header of its own. */
export const carriageSchema = z.union([z.enum(["bearer", "basic"]), z.strictObject({ header: headerName })], {
  error: "bearer, basic, or { header: X-Name }",
});

/** Of their own, in which the clients of shops bring their token; the gateway looks into no others. */
export const tokenHeaders: readonly string[] = ["x-shopify-access-token"];

/** `search`: a value that the policy lets agents search by; `filter`: by a field that the agent is shown whole. */
export const askingSchemas = [
  z.strictObject({ search: z.string() }),
  z.strictObject({ filter: z.string(), as: z.enum(["number", "id", "instant"]) }),
] as const;

/** What a parameter of an API may be. */
export const parameterSchema = z.union(
  [
    z.enum(["number", "id", "ids", "instant"]),
    z.strictObject({
      one_of: z
        .array(z.string().regex(/^[A-Za-z0-9_-]{1,64}$/))
        .min(1)
        .max(50),
    }),
    ...askingSchemas,
  ],
  { error: "number, id, ids, instant, { one_of: [open, closed] }, { search: email } or { filter: created_at, as: instant }" },
);

/** What a parameter of a database may be. `limit`: how many records at most; `after`: only those whose key, which stands here, is a later one. */
const databaseParameterSchema = z.union([z.literal("limit"), z.strictObject({ after: z.string() }), ...askingSchemas]);

const routeSchema = z.strictObject({
  /** Beginning with `/`. */
  path: z.string(),
  resource: z.string(),
  /** Where in a record its id stands. */
  id: z.string(),
  /** Keys to the records; `list`: of a list of them. */
  records: z.strictObject({ keys: z.array(z.string()), list: z.boolean() }),
  parameters: z.record(z.string(), parameterSchema),
  /** Of its file, from 1. */
  line: z.int(),
});

const everyConnector = {
  name: z.string(),
  host: z.string(),
  caller: carriageSchema,
  purpose: z.string().exactOptional(),
  limits: z.strictObject({ seconds: z.int(), bytes: z.int(), records: z.int() }),
};

const apiSchema = z.strictObject({
  ...everyConnector,
  /** In front of every route's path when going up; empty or beginning with `/`. */
  base: z.string(),
  authentication: carriageSchema,
  /** Keys to what stands in an answer of 200 that is an error. */
  errorAt: z.array(z.string()).exactOptional(),
  routes: z.array(routeSchema),
});

/** A table or a view, and those of its columns that are asked for. Records are in the order of `key`. */
const relationSchema = z.strictObject({ schema: z.string(), name: z.string(), key: z.string(), columns: z.array(z.string()) });

const databaseSchema = z.strictObject({
  ...everyConnector,
  database: z.string(),
  port: z.int(),
  /** PEM, of whoever signs the server's certificate; absent = those that everybody knows. */
  ca: z.string().exactOptional(),
  /** By the names that routes have for them. `lists`: rows of another, whose column `by` holds the key of the record that they stand in. */
  tables: z.record(
    z.string(),
    relationSchema.extend({ lists: z.record(z.string(), relationSchema.extend({ by: z.string(), records: z.int() })) }),
  ),
  /** `by`: the column that the id in the path is compared with; absent where there is none. */
  routes: z.array(
    routeSchema.extend({ parameters: z.record(z.string(), databaseParameterSchema), table: z.string(), by: z.string().exactOptional() }),
  ),
});

export type ApiConnector = z.infer<typeof apiSchema>;
export type DatabaseConnector = z.infer<typeof databaseSchema>;
export type Connector = ApiConnector | DatabaseConnector;
export type Relation = z.infer<typeof relationSchema>;
export type ApiRoute = ApiConnector["routes"][number];
export type DatabaseRoute = DatabaseConnector["routes"][number];
export type Parameter = z.infer<typeof parameterSchema> | z.infer<typeof databaseParameterSchema>;
/** Of either kind. */
export type ConnectorRoute = Omit<ApiRoute, "parameters"> &
  Pick<DatabaseRoute, "by"> & { readonly parameters: Readonly<Record<string, Parameter>> };
export type Carriage = z.infer<typeof carriageSchema>;

/** Throws on a text that was not written by `JSON.stringify` of a connector. */
export function parseConnectorText(text: string): Connector {
  return z.union([apiSchema, databaseSchema]).parse(JSON.parse(text));
}

/** The field by which a parameter asks. `null` = it asks by none. */
export function fieldOf(parameter: Parameter): string | null {
  if (typeof parameter === "string" || "one_of" in parameter) return null;
  if ("search" in parameter) return parameter.search;
  return "filter" in parameter ? parameter.filter : parameter.after;
}

/** The route that a caller's path names. `null` = none. */
export function routeOf({ routes }: { readonly routes: readonly ConnectorRoute[] }, path: string): ConnectorRoute | null {
  return routes.find((route) => isPathOf(route.path, path)) ?? null;
}

/** Segment by segment, so that nothing of a path is ever a pattern. */
export function isPathOf(template: string, path: string): boolean {
  const [wanted, given] = [template.split("/"), path.split("/")];
  return wanted.length === given.length && wanted.every((segment, at) => isSegmentOf(segment, given[at] ?? ""));
}

/** What stands in a path where its template has an id. `null` = the template has none. */
export function idIn(template: string, path: string): string | null {
  const at = template.split("/").findIndex((segment) => segment.includes("{id}"));
  const [before = "", behind = ""] = template.split("/")[at]?.split("{id}") ?? [];
  const given = path.split("/")[at];
  return given === undefined ? null : given.slice(before.length, given.length - behind.length);
}

function isSegmentOf(segment: string, given: string): boolean {
  const [before = "", behind] = segment.split("{id}");
  if (behind === undefined) return segment === given;
  if (!given.startsWith(before) || !given.endsWith(behind)) return false;
  return idPattern.test(given.slice(before.length, given.length - behind.length));
}

const instantPattern = /^[0-9]{4}-[0-9]{2}-[0-9]{2}(T[0-9]{2}:[0-9]{2}:[0-9]{2}(Z|[+-][0-9]{2}:[0-9]{2})?)?$/;
const idsMax = 50;
const searchCharactersMax = 256;

/** Is it a value that the parameter takes? Whether the field that it asks by may be asked by is the policy's matter. */
export function takesValue(parameter: Parameter, value: string): boolean {
  if (parameter === "ids") return value.split(",").length <= idsMax && value.split(",").every((id) => idPattern.test(id));
  if (typeof parameter === "string") return takesPlain(parameter, value);
  if ("one_of" in parameter) return parameter.one_of.includes(value);
  if ("filter" in parameter) return takesPlain(parameter.as, value);
  if ("after" in parameter) return takesPlain("id", value);
  return value !== "" && value.length <= searchCharactersMax && !/\p{C}/u.test(value);
}

function takesPlain(kind: "number" | "id" | "instant" | "limit", value: string): boolean {
  if (kind === "number" || kind === "limit") return /^(0|[1-9][0-9]{0,8})$/.test(value);
  return (kind === "id" ? idPattern : instantPattern).test(value);
}
