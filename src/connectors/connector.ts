/**
 * A connector: how the gateway speaks to a merchant's own API, and where in its answers records lie. Data, not code; what it does not name is not asked
 * for and does not come back. This is the form that is kept; `language.ts` reads the files that people write.
 */
import * as z from "zod";

export type Query = Readonly<Record<string, string>>;

/** Text that stands for one part of a path: `/orders/{id}.json`. */
export const idPattern = /^[A-Za-z0-9_-]{1,64}$/;
export const headerName = z.string().regex(/^[A-Za-z][A-Za-z0-9_-]{0,63}$/, "the name of a header");

/** How a secret is carried: `Authorization: Bearer …`, `Authorization: Basic …`, or a header of its own. */
export const carriageSchema = z.union([z.enum(["bearer", "basic"]), z.strictObject({ header: headerName })], {
  error: "bearer, basic, or { header: X-Name }",
});

/** How the merchant's credential goes up; `taobao`: as app_key:app_secret:session, by which the query is signed. */
export const authenticationSchema = z.union(
  [z.enum(["bearer", "basic"]), z.strictObject({ header: headerName }), z.strictObject({ taobao: z.enum(["md5", "hmac", "hmac-sha256"]) })],
  { error: "bearer, basic, { header: X-Name } or { taobao: hmac-sha256 }" },
);

/** Of their own, in which the clients of shops bring their token; the gateway looks into no others. */
export const tokenHeaders: readonly string[] = ["x-shopify-access-token", "api_access_token"];

const plainKinds = ["number", "id", "ids", "instant"] as const;
const word = z.string().regex(/^[A-Za-z0-9_-]{1,64}$/);
/** With a space between a field and a direction, or with a sign in front of it. */
const order = z.string().regex(/^[A-Za-z0-9_ -]{1,64}$/, "a word by which is sorted");

/** By a field. `search`: a value that the policy lets agents search by; `filter`: by a field that the agent is shown whole. */
export const askingSchemas = [
  z.strictObject({ search: z.string() }),
  z.strictObject({ filter: z.string(), as: z.enum(["number", "id", "instant"]) }),
] as const;

/** What a criterion may be: a value of a kind, or one that asks by a field. */
const criterionSchema = z.union([z.enum(plainKinds), z.strictObject({ one_of: z.array(word).min(1).max(50) }), ...askingSchemas], {
  error: "number, id, ids, instant, { one_of: [open, closed] }, { search: email } or { filter: created_at, as: instant }",
});

/**
 * What a parameter of an API may be. `sort`: words, each with the field that it sorts by, which the agent is shown whole; the route's id is shown to everybody.
 * `cursor`: what a page before it said, in our seal. `criteria`: Magento's, of fields.
 */
export const parameterSchema = z.union(
  [
    criterionSchema,
    z.literal("cursor"),
    z.strictObject({ sort: z.record(order, z.string()) }),
    z.strictObject({ criteria: z.record(word, criterionSchema) }),
  ],
  {
    error:
      "number, id, ids, instant, cursor, { one_of: [open, closed] }, { search: email }, { filter: created_at, as: instant }, { sort: { date: created_at } } or { criteria: … }",
  },
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
  /** Of the caller's query: what makes it this route among those of its path. It goes up. */
  where: z.record(z.string(), z.string()),
  /** What goes up besides, whatever the caller says. */
  adds: z.record(z.string(), z.string()),
  parameters: z.record(z.string(), parameterSchema),
  /** Of its file, from 1. */
  line: z.int(),
});

const writeMethods = ["POST", "PUT", "PATCH"] as const;
export type WriteMethod = (typeof writeMethods)[number];

const writeSchema = z.strictObject({
  method: z.enum(writeMethods),
  /** Beginning with `/`. */
  path: z.string(),
  resource: z.string(),
  /** Where in a record its id stands. */
  id: z.string(),
  /** Keys to the object that holds the fields, in what is sent. */
  body: z.array(z.string()),
  /** Where the record lies in the answer. */
  records: z.strictObject({ keys: z.array(z.string()), list: z.literal(false) }),
  /** Paths in that object, as the policy writes them. */
  fields: z.array(z.string()),
  /** Of the route that shows the record first; absent = nothing is there yet. */
  reads: z.string().exactOptional(),
  /** Of its file, from 1. */
  line: z.int(),
});
export type ConnectorWrite = z.infer<typeof writeSchema>;

/** Where an answer says what comes behind it. */
const pagesSchema = z.union([
  /** RFC 8288: by the header of that name. */
  z.literal("link"),
  /** Of the body: keys to whether there is more, and to cursors. */
  z.strictObject({ more: z.array(z.string()), cursors: z.array(z.array(z.string())) }),
]);

const everyConnector = {
  name: z.string(),
  host: z.string(),
  caller: carriageSchema,
  purpose: z.string().exactOptional(),
  /** Parameters that clients send and that mean nothing here: they do not go up. */
  drops: z.array(z.string()),
  /** Keys of a record under which a list stands, and the key that it has in a form of its own: `{ order: […] }`. */
  lists: z.record(z.string(), z.string()),
  pages: pagesSchema.exactOptional(),
  limits: z.strictObject({ seconds: z.int(), bytes: z.int(), records: z.int() }),
};

const apiSchema = z.strictObject({
  ...everyConnector,
  /** In front of every route's path when going up; empty or beginning with `/`. */
  base: z.string(),
  authentication: authenticationSchema,
  /** Keys to what stands in an answer of 200 that is an error. */
  errorAt: z.array(z.string()).exactOptional(),
  /** Keys to what such an error is called, and what is called how. */
  errorCodes: z
    .strictObject({
      at: z.array(z.array(z.string())),
      limited: z.array(z.string()),
      refused: z.array(z.string()),
      missing: z.array(z.string()),
    })
    .exactOptional(),
  /** Clients may send as a form, by POST, what they ask; it goes up as a query. */
  forms: z.boolean(),
  routes: z.array(routeSchema),
  /** Absent: nothing is written there. */
  writes: z.array(writeSchema).exactOptional(),
  /** A header by which the upstream itself knows a request that came before. */
  repeatHeader: z.string().exactOptional(),
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

const connectorSchema = z.union([apiSchema, databaseSchema]);

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
export type Criterion = z.infer<typeof criterionSchema>;
export type Authentication = z.infer<typeof authenticationSchema>;
export type Carriage = z.infer<typeof carriageSchema>;

/** Throws on a text that was not written by `JSON.stringify` of a connector. */
export function parseConnectorText(text: string): Connector {
  return connectorSchema.parse(JSON.parse(text));
}

/** The route that a caller's path and query name. `null` = none. */
export function routeOf({ routes }: { readonly routes: readonly ConnectorRoute[] }, path: string, query: Query): ConnectorRoute | null {
  const asks = ({ where }: ConnectorRoute) =>
    Object.entries(where).every(([name, value]) => Object.hasOwn(query, name) && query[name] === value);
  return routes.find((route) => isPathOf(route.path, path) && asks(route)) ?? null;
}

/** None of a database. */
export function writesOf(connector: Connector): readonly ConnectorWrite[] {
  return "tables" in connector ? [] : (connector.writes ?? []);
}

/** The write that a caller's method and path name. `null` = none. */
export function writeOf(connector: Connector, method: WriteMethod, path: string): ConnectorWrite | null {
  return writesOf(connector).find((write) => write.method === method && isPathOf(write.path, path)) ?? null;
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
