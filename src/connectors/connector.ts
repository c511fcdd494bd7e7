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

/** What a parameter may be. `search`: a value that the policy lets agents search by; `filter`: by a field that the agent is shown whole. */
export const parameterSchema = z.union(
  [
    z.enum(["number", "id", "ids", "instant"]),
    z.strictObject({
      one_of: z
        .array(z.string().regex(/^[A-Za-z0-9_-]{1,64}$/))
        .min(1)
        .max(50),
    }),
    z.strictObject({ search: z.string() }),
    z.strictObject({ filter: z.string(), as: z.enum(["number", "id", "instant"]) }),
  ],
  { error: "number, id, ids, instant, { one_of: [open, closed] }, { search: email } or { filter: created_at, as: instant }" },
);

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

const connectorSchema = z.strictObject({
  name: z.string(),
  host: z.string(),
  /** In front of every route's path when going up; empty or beginning with `/`. */
  base: z.string(),
  authentication: carriageSchema,
  caller: carriageSchema,
  purpose: z.string().exactOptional(),
  /** Keys to what stands in an answer of 200 that is an error. */
  errorAt: z.array(z.string()).exactOptional(),
  limits: z.strictObject({ seconds: z.int(), bytes: z.int(), records: z.int() }),
  routes: z.array(routeSchema),
});

export type Connector = z.infer<typeof connectorSchema>;
export type ConnectorRoute = z.infer<typeof routeSchema>;
export type Parameter = z.infer<typeof parameterSchema>;
export type Carriage = z.infer<typeof carriageSchema>;

/** Throws on a text that was not written by `JSON.stringify` of a connector. */
export function parseConnectorText(text: string): Connector {
  return connectorSchema.parse(JSON.parse(text));
}

/** The route that a caller's path names. `null` = none. */
export function routeOf({ routes }: Pick<Connector, "routes">, path: string): ConnectorRoute | null {
  return routes.find((route) => isPathOf(route.path, path)) ?? null;
}

/** Segment by segment, so that nothing of a path is ever a pattern. */
function isPathOf(template: string, path: string): boolean {
  const [wanted, given] = [template.split("/"), path.split("/")];
  return wanted.length === given.length && wanted.every((segment, at) => isSegmentOf(segment, given[at] ?? ""));
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
  return value !== "" && value.length <= searchCharactersMax && !/\p{C}/u.test(value);
}

function takesPlain(kind: "number" | "id" | "instant", value: string): boolean {
  if (kind === "number") return /^(0|[1-9][0-9]{0,8})$/.test(value);
  return (kind === "id" ? idPattern : instantPattern).test(value);
}
