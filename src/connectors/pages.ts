/**
 * What an answer says of the pages around it. A shop's cursor may hold a customer's name, and what was asked for: it leaves in our seal alone, and only what
 * we sealed comes back. A link is written anew, of parameters that say nothing of a person, or is left out. How many there are is not handed on.
 */
import { isJsonObject, type Json, type JsonObject } from "../kernel/index.ts";
import { textIn, valueAt } from "./body.ts";
import type { Connector, ConnectorRoute, Query } from "./connector.ts";
import { takesValue } from "./criterion.ts";

export interface PageLink {
  readonly rel: string;
  /** Of the same path. */
  readonly query: Query;
}

export interface Paged {
  readonly connector: Connector;
  readonly route: ConnectorRoute;
  /** As the caller has it. */
  readonly path: string;
  readonly seal: (cursor: string) => string;
}

const linkPattern = /<([^<>]{1,4096})>\s*;\s*rel="?(next|previous|prev)"?/g;

/** `header`: the upstream's. `null` = it sent none. */
export function linksIn(header: string | null, paged: Paged): PageLink[] {
  if (paged.connector.pages !== "link" || !paged.route.records.list) return [];
  return [...(header ?? "").matchAll(linkPattern)].flatMap(([, url = "", rel = ""]) => {
    const query = queryIn(url, paged);
    return query === null ? [] : [{ rel, query }];
  });
}

/** `null` = another place, or a parameter that is not to be repeated. */
function queryIn(url: string, { connector, route, path, seal }: Paged): Query | null {
  const [place, search = ""] = url.split("?");
  if ("tables" in connector || place !== `https://${connector.host}${connector.base}${path}`) return null;
  const query: Record<string, string> = {};
  for (const part of search.split("&").filter((text) => text !== "")) {
    const [name, value] = part.split("=").map(decoded);
    if (name === undefined || value === undefined) return null;
    if (connector.drops.includes(name) || Object.hasOwn(route.adds, name)) continue;
    const parameter = Object.hasOwn(route.parameters, name) ? route.parameters[name] : undefined;
    if (parameter === "cursor") query[name] = seal(value);
    else if (isPlain(parameter) && takesValue(parameter, value)) query[name] = value;
    else return null;
  }
  return query;
}

type Plain = Extract<ConnectorRoute["parameters"][string], "number" | "id" | "ids" | "instant" | { one_of: unknown }>;

function isPlain(parameter: ConnectorRoute["parameters"][string] | undefined): parameter is Plain {
  return typeof parameter === "string" ? parameter !== "cursor" && parameter !== "limit" : parameter !== undefined && "one_of" in parameter;
}

/** `undefined` = not spelt as a query is. */
function decoded(text: string): string | undefined {
  try {
    return decodeURIComponent(text.replaceAll("+", " "));
  } catch {
    return undefined;
  }
}

/** `built`: of the records alone. With whether there is more and the cursors, where the connector has them in `body`. */
export function withCursors(built: Json, body: Json, { connector: { pages }, route, seal }: Paged): Json {
  if (pages === undefined || pages === "link" || !route.records.list || !isJsonObject(built)) return built;
  const more = valueAt(body, pages.more);
  const cursors = pages.cursors.flatMap((keys) => {
    const cursor = textIn(body, keys);
    return cursor === null ? [] : [[keys, seal(cursor)] as const];
  });
  const said = [...(typeof more === "boolean" ? [[pages.more, more] as const] : []), ...cursors];
  return said.reduce<JsonObject>((at, [keys, value]) => setAt(at, keys, value), built);
}

function setAt(at: JsonObject, [key = "", ...rest]: readonly string[], value: Json): JsonObject {
  const inside = Object.hasOwn(at, key) ? at[key] : undefined;
  return { ...at, [key]: rest.length === 0 ? value : setAt(inside !== undefined && isJsonObject(inside) ? inside : {}, rest, value) };
}
