/**
 * A connector's file, read strictly: every problem has its line, column and cure. The language is explained in policies/connectors/shopify.yaml.
 * Refused here and nowhere later: an address in place of a name, a host that no public network has, another scheme than https, a port, a user or a
 * password in the URL, a path that climbs or that holds more than plain segments.
 */
import { ok, type Result, refuse } from "../kernel/index.ts";
import { parsePath } from "../masking/index.ts";
import { checkShape, inFileOrder, type Problem, quote, type Source, type YamlPath } from "../policy/index.ts";
import { type ApiConnector, type ApiRoute, type Connector, type Criterion, idPattern, type Parameter } from "./connector.ts";
import { isHostLabel, isPublicHost } from "./host.ts";
import { baseUrlPattern, type FileShape, fileSchema, noUrl, type SettingKind } from "./written.ts";
import { writeProblems, writesIn } from "./written-writes.ts";

/** A file before a merchant's own settings stand in it. */
export interface ConnectorDocument {
  readonly source: Source;
  /** Name → what it may be. */
  readonly settings: Readonly<Record<string, SettingKind>>;
  /** Where in the file the host stands. */
  readonly hostAt: YamlPath;
  /** Its host is still a template: `{shop}.myshopify.com`. */
  readonly connector: Connector;
}

/** Of an API. */
export function readApiConnector(source: Source): Result<ConnectorDocument, Problem[]> {
  const shape = checkShape(fileSchema, source);
  if (!shape.ok) return shape;
  const { base, settings, routes } = shape.value;
  const hostAt = ["base"];
  const host = baseUrlPattern.exec(base)?.[1] ?? "";
  const problems = [
    ...settingProblems({ host, hostAt, settings, routes }, source),
    ...routeProblems(shape.value, source),
    ...writeProblems(shape.value, source),
  ];
  if (problems.length > 0) return refuse(inFileOrder(problems));
  return ok({ source, settings, hostAt, connector: connectorOf(shape.value, source) });
}

/** With a merchant's own settings in their places. What is wrong with them is named as if it stood in the file. */
export function settle(document: ConnectorDocument, given: Readonly<Record<string, string>>): Result<Connector, Problem[]> {
  const { source, settings, hostAt, connector } = document;
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
  if (!isPublicHost(host)) return refuse([source.problem(hostAt, "wrong_value", `${quote(host)} is not the name of a public host`)]);
  const inPaths = <Route extends { readonly path: string }>(route: Route) => ({ ...route, path: filled(route.path, given) });
  if ("tables" in connector) return ok({ ...connector, host, routes: connector.routes.map(inPaths) });
  const writes = connector.writes?.map(({ reads, ...write }) => ({
    ...inPaths(write),
    ...(reads !== undefined && { reads: filled(reads, given) }),
  }));
  return ok({ ...connector, host, routes: connector.routes.map(inPaths), ...(writes && { writes }) });
}

const settingHints = {
  label: "one part of a host's name, as acme",
  host: "the name of a public host, as shop.example.com",
  id: "an id, as 17",
} as const satisfies Record<SettingKind, string>;

function isSetting(kind: SettingKind, value: string | undefined): boolean {
  if (value === undefined) return false;
  return kind === "id" ? idPattern.test(value) : kind === "label" ? isHostLabel(value) : isPublicHost(value);
}

/** `{id}` is no setting, and stays. */
function filled(template: string, given: Readonly<Record<string, string>>): string {
  return template.replaceAll(/\{(\w+)\}/g, (whole, name: string) => (name === "id" ? whole : (given[name] ?? "")));
}

function namesIn(template: string): string[] {
  return [...template.matchAll(/\{(\w+)\}/g)].map(([, name = ""]) => name);
}

interface Templates extends Pick<ConnectorDocument, "settings" | "hostAt"> {
  readonly host: string;
  readonly routes: readonly { readonly get: string }[];
}

/** With something harmless in place of each setting, it is the name of a public host. */
export function settingProblems({ host, hostAt, settings, routes }: Templates, source: Source): Problem[] {
  const named = namesIn(host);
  const inPaths = routes.flatMap(({ get }) => namesIn(get)).filter((name) => name !== "id");
  const unused = Object.keys(settings).filter((name) => !named.includes(name) && !inPaths.includes(name));
  const lacks = (name: string, isPath: boolean) => !Object.hasOwn(settings, name) || (settings[name] === "id") !== isPath;
  const missing = named.filter((name) => lacks(name, false));
  const samples = Object.fromEntries(Object.entries(settings).map(([name, kind]) => [name, kind === "host" ? "a.example" : "a"]));
  const said = `${quote(host)} is not the name of a public host`;
  return [
    ...missing.map((name) => source.valueProblem(hostAt, "missing", `no setting ${quote(name)}`, `settings: { ${name}: label }`)),
    ...routes.flatMap(({ get }, index) =>
      namesIn(get)
        .filter((name) => name !== "id" && lacks(name, true))
        .map((name) => source.valueProblem(["routes", index, "get"], "missing", `no setting ${quote(name)}`, `settings: { ${name}: id }`)),
    ),
    ...unused.map((name) =>
      source.problem(["settings", name], "wrong_value", "a setting that stands nowhere", `write {${name}} in the host, or take it away`),
    ),
    ...(missing.length > 0 || isPublicHost(filled(host, samples))
      ? []
      : [source.valueProblem(hostAt, "wrong_value", said, noUrl.params.hint)]),
  ];
}

function routeProblems({ routes }: FileShape, source: Source): Problem[] {
  return routes.flatMap((route, index) => {
    const asked = Object.entries(route.parameters).flatMap(([name, parameter]) =>
      fieldsOf(parameter, route.id)
        .filter((field) => parsePath(field) === null)
        .map((field) =>
          source.valueProblem(
            ["routes", index, "parameters", name],
            "bad_path",
            `${quote(field)} is not a path`,
            "a field of the resource, as the policy writes it",
          ),
        ),
    );
    return [...pathProblems(routes, index, source), ...asked];
  });
}

interface Shaped {
  readonly get: string;
  readonly where?: Readonly<Record<string, string>>;
}

/** An earlier route has the path of this one. */
export function pathProblems(routes: readonly Shaped[], index: number, source: Source): Problem[] {
  const own = routes[index];
  const earlier = own !== undefined && routes.slice(0, index).some((other) => shapeOf(other) === shapeOf(own));
  return earlier
    ? [source.valueProblem(["routes", index, "get"], "wrong_value", "another route has this path already", "keep one of them")]
    : [];
}

function shapeOf({ get, where = {} }: Shaped): string {
  return JSON.stringify([get.replaceAll("{id}", "\u0000"), Object.entries(where).sort()]);
}

/** The fields by which a parameter asks; by the record's own id anybody may sort. */
export function fieldsOf(parameter: Parameter, id: string): string[] {
  if (typeof parameter === "object" && "criteria" in parameter) return Object.values(parameter.criteria).flatMap(fieldIn);
  if (typeof parameter === "object" && "sort" in parameter) return Object.values(parameter.sort).filter((field) => field !== id);
  if (typeof parameter === "object" && "after" in parameter) return [parameter.after];
  return parameter === "cursor" || parameter === "limit" ? [] : fieldIn(parameter);
}

function fieldIn(criterion: Criterion): string[] {
  if (typeof criterion === "string" || "one_of" in criterion) return [];
  return ["search" in criterion ? criterion.search : criterion.filter];
}

function connectorOf(shape: FileShape, source: Source): ApiConnector {
  const [, host = "", base = ""] = baseUrlPattern.exec(shape.base) ?? [];
  const { connector: name, authentication, caller, purpose, error_at, error_codes, limits, forms, drops, lists, pages, repeats } = shape;
  const writes = writesIn(shape, source);
  const routes = shape.routes.map(({ get, resource, id, records, where, adds, parameters }, index): ApiRoute => {
    const [, ...steps] = records.replace("[]", "").split(".");
    const { line } = source.placeOf(["routes", index, "get"]);
    return { path: get, resource, id, records: { keys: steps, list: records.endsWith("[]") }, where, adds, parameters, line };
  });
  return {
    ...{ name, host, base, authentication, caller, limits, forms, drops, lists, routes },
    ...(purpose !== undefined && { purpose }),
    ...(writes.length > 0 && { writes }),
    ...(repeats && { repeatHeader: repeats.header }),
    ...(error_at !== undefined && { errorAt: keysOf(error_at) }),
    ...(error_codes !== undefined && { errorCodes: { ...error_codes, at: error_codes.at.map(keysOf) } }),
    ...(pages !== undefined && { pages: pages === "link" ? pages : { more: keysOf(pages.more), cursors: pages.cursors.map(keysOf) } }),
  };
}

function keysOf(path: string): string[] {
  return path.split(".");
}
