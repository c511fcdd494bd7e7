/**
 * A connector's file, read strictly: every problem has its line, column and cure. The language is explained in policies/connectors/shopify.yaml.
 * Refused here and nowhere later: an address in place of a name, a host that no public network has, another scheme than https, a port, a user or a
 * password in the URL, a path that climbs or that holds more than plain segments.
 */
import * as z from "zod";
import { ok, type Result, refuse } from "../kernel/index.ts";
import { parsePath } from "../masking/index.ts";
import { checkShape, inFileOrder, type Problem, quote, readYaml, refusing, type Source } from "../policy/index.ts";
import { type Connector, type ConnectorRoute, carriageSchema, type Parameter, parameterSchema, tokenHeaders } from "./connector.ts";
import { isHostLabel, isPublicHost } from "./host.ts";

/** A file before a merchant's own settings stand in it. */
export interface ConnectorDocument {
  readonly source: Source;
  /** Name → what it may be. */
  readonly settings: Readonly<Record<string, "label" | "host">>;
  /** Its host is still a template: `{shop}.myshopify.com`. */
  readonly connector: Connector;
}

const segment = "[A-Za-z0-9][A-Za-z0-9._~-]*";
const pathPattern = new RegExp(`^(/${segment})+$`);
const baseUrlPattern = /^https:\/\/([^/?#@:\\[\]]+)((?:\/[^/?#]+)*)$/;
const templatePattern = new RegExp(`^(/(${segment}|([A-Za-z0-9][A-Za-z0-9._~-]*)?\\{id\\}[A-Za-z0-9._~-]*))+$`);
const keysPattern = /^[A-Za-z_][A-Za-z0-9_-]{0,63}(\.[A-Za-z_][A-Za-z0-9_-]{0,63}){0,7}$/;
const recordsPattern = /^body(\.[A-Za-z_][A-Za-z0-9_-]{0,63}){0,7}(\[\])?$/;
const typePattern = /^[a-z][a-z0-9_]{0,31}$/;
const namePattern = /^[a-z][a-z0-9-]{0,63}$/;
const routesMax = 100;

const text = (pattern: RegExp, said: string, hint: string) =>
  z.string().refine((value) => pattern.test(value), refusing("wrong_value", said, hint));
const keys = text(keysPattern, "not keys with dots between them", "as in errors, or error_response.code");
const noUrl = refusing(
  "wrong_value",
  "not a URL that a connector may have",
  "https, the name of a public host, plain segments: https://shop.example.com/api",
);

const fileSchema = z.strictObject({
  connector: text(namePattern, "not a name", "lower-case letters, digits and -"),
  base: z.string().refine((value) => baseUrlPattern.test(value) && isPlainPath(baseUrlPattern.exec(value)?.[2] ?? ""), noUrl),
  settings: z
    .record(text(/^[a-z][a-z0-9_]{0,31}$/, "not a name", "lower-case letters, digits and _"), z.enum(["label", "host"]))
    .default({}),
  authentication: carriageSchema,
  caller: carriageSchema
    .default("bearer")
    .refine(
      (caller) => typeof caller === "string" || tokenHeaders.includes(caller.header.toLowerCase()),
      refusing("wrong_value", "the gateway takes no token from this header", `bearer, basic, or one of ${tokenHeaders.join(", ")}`),
    ),
  purpose: z.string().max(64).optional(),
  error_at: keys.optional(),
  limits: z
    .strictObject({
      seconds: z.int().min(1).max(30).default(10),
      bytes: z.int().min(1_024).max(4_194_304).default(1_048_576),
      records: z.int().min(1).max(250).default(250),
    })
    .prefault({}),
  routes: z
    .array(
      z.strictObject({
        get: text(templatePattern, "not the path of a route", "plain segments, and {id} where an id stands: /orders/{id}.json"),
        resource: text(typePattern, "not the name of a resource", "as the policy has it"),
        id: keys.default("id"),
        records: text(recordsPattern, "not a place in a body", "body, body.order, body[] or body.orders[]"),
        parameters: z.record(text(/^[A-Za-z_][A-Za-z0-9_]{0,63}$/, "not a name", "letters, digits and _"), parameterSchema).default({}),
      }),
    )
    .min(1)
    .max(routesMax),
});

type FileShape = z.output<typeof fileSchema>;

export function parseConnector(textOfFile: string, file: string): Result<ConnectorDocument, Problem[]> {
  const read = readYaml(textOfFile, file);
  if (!read.ok) return read;
  const source = read.value;
  const shape = checkShape(fileSchema, source);
  if (!shape.ok) return shape;
  const problems = [...hostProblems(shape.value, source), ...routeProblems(shape.value, source)];
  if (problems.length > 0) return refuse(inFileOrder(problems));
  return ok({ source, settings: shape.value.settings, connector: connectorOf(shape.value, source) });
}

/** With a merchant's own settings in their places. What is wrong with them is named as if it stood in the file. */
export function settle(document: ConnectorDocument, given: Readonly<Record<string, string>>): Result<Connector, Problem[]> {
  const { source, settings, connector } = document;
  const unknown = Object.keys(given).filter((name) => !Object.hasOwn(settings, name));
  const wrong = Object.entries(settings).filter(([name, kind]) => !isSetting(kind, Object.hasOwn(given, name) ? given[name] : undefined));
  const problems = [
    ...unknown.map(() => source.problem(["settings"], "unknown_key", "a setting is given that the connector does not have")),
    ...wrong.map(([name, kind]) =>
      source.problem(["settings", name], "wrong_value", `the setting ${name} is to be given`, settingHints[kind]),
    ),
  ];
  if (problems.length > 0) return refuse(problems);
  const host = filled(connector.host, given);
  if (!isPublicHost(host)) return refuse([source.problem(["base"], "wrong_value", `${quote(host)} is not the name of a public host`)]);
  return ok({ ...connector, host });
}

const settingHints = { label: "one part of a host's name, as acme", host: "the name of a public host, as shop.example.com" } as const;

function isSetting(kind: "label" | "host", value: string | undefined): boolean {
  return value !== undefined && (kind === "label" ? isHostLabel(value) : isPublicHost(value));
}

function filled(host: string, given: Readonly<Record<string, string>>): string {
  return host.replaceAll(/\{(\w+)\}/g, (_, name: string) => given[name] ?? "");
}

/** Nothing that climbs or is spelt by percent signs. */
function isPlainPath(path: string): boolean {
  return path === "" || pathPattern.test(path);
}

/** With something harmless in place of each setting, it is the name of a public host. */
function hostProblems({ base, settings }: FileShape, source: Source): Problem[] {
  const host = baseUrlPattern.exec(base)?.[1] ?? "";
  const named = [...host.matchAll(/\{(\w+)\}/g)].map(([, name = ""]) => name);
  const missing = named.filter((name) => !Object.hasOwn(settings, name));
  const unused = Object.keys(settings).filter((name) => !named.includes(name));
  const samples = Object.fromEntries(Object.entries(settings).map(([name, kind]) => [name, kind === "label" ? "a" : "a.example"]));
  const said = `${quote(host)} is not the name of a public host`;
  return [
    ...missing.map((name) => source.valueProblem(["base"], "missing", `no setting ${quote(name)}`, `settings: { ${name}: label }`)),
    ...unused.map((name) =>
      source.problem(["settings", name], "wrong_value", "a setting that stands nowhere", `write {${name}} in base, or take it away`),
    ),
    ...(missing.length > 0 || isPublicHost(filled(host, samples))
      ? []
      : [source.valueProblem(["base"], "wrong_value", said, noUrl.params.hint)]),
  ];
}

function routeProblems({ routes }: FileShape, source: Source): Problem[] {
  return routes.flatMap(({ get, parameters }, index) => {
    const earlier = routes.slice(0, index).some((route) => shapeOf(route.get) === shapeOf(get));
    const asked = Object.entries(parameters).flatMap(([name, parameter]) => {
      const field = fieldOf(parameter);
      return field === null || parsePath(field) !== null
        ? []
        : [
            source.valueProblem(
              ["routes", index, "parameters", name],
              "bad_path",
              `${quote(field)} is not a path`,
              "a field of the resource, as the policy writes it",
            ),
          ];
    });
    const twice = source.valueProblem(["routes", index, "get"], "wrong_value", "another route has this path already", "keep one of them");
    return [...(earlier ? [twice] : []), ...asked];
  });
}

function shapeOf(template: string): string {
  return template.replaceAll("{id}", "\u0000");
}

/** The field by which a parameter asks. `null` = it asks by none. */
export function fieldOf(parameter: Parameter): string | null {
  if (typeof parameter === "string" || "one_of" in parameter) return null;
  return "search" in parameter ? parameter.search : parameter.filter;
}

function connectorOf(shape: FileShape, source: Source): Connector {
  const [, host = "", base = ""] = baseUrlPattern.exec(shape.base) ?? [];
  const { connector: name, authentication, caller, purpose, error_at, limits } = shape;
  const routes = shape.routes.map(({ get, resource, id, records, parameters }, index): ConnectorRoute => {
    const [, ...steps] = records.replace("[]", "").split(".");
    const { line } = source.placeOf(["routes", index, "get"]);
    return { path: get, resource, id, records: { keys: steps, list: records.endsWith("[]") }, parameters, line };
  });
  return {
    ...{ name, host, base, authentication, caller, limits, routes },
    ...(purpose !== undefined && { purpose }),
    ...(error_at !== undefined && { errorAt: error_at.split(".") }),
  };
}
