/** Bodies as platforms document them where they give no samples: something at every leaf of a schema. */
import { isJsonArray, isJsonObject, type Json, type JsonObject } from "../../src/kernel/index.ts";
import { readShared } from "./shared.ts";

export function leafPaths(value: Json, at = ""): string[] {
  if (isJsonArray(value)) return value.length === 0 ? [`${at}[]`] : value.flatMap((item) => leafPaths(item, `${at}[]`));
  if (!isJsonObject(value)) return [at];
  const members = Object.entries(value);
  return members.length === 0 ? [at] : members.flatMap(([key, member]) => leafPaths(member, at === "" ? key : `${at}.${key}`));
}

export function valueIn(file: string, keys: readonly string[]): Json {
  return keys.reduce<Json>((at, key) => (isJsonObject(at) ? (at[key] ?? null) : null), JSON.parse(readShared(file)) as Json);
}

/** A body with something at every leaf of a schema of Chatwoot's. */
export function documented(name: string): Json {
  const schemas = valueIn("apis/chatwoot/chatwoot-application-api-openapi.json", ["components", "schemas"]) as JsonObject;
  const body = (schema: Json | undefined, around: readonly string[]): Json => {
    if (schema === undefined || !isJsonObject(schema)) return "";
    const { $ref, allOf, items, properties } = schema;
    if (typeof $ref === "string") {
      const inner = $ref.slice($ref.lastIndexOf("/") + 1);
      return around.includes(inner) ? "" : body(schemas[inner], [...around, inner]);
    }
    if (allOf !== undefined && isJsonArray(allOf)) {
      const parts = allOf.map((part) => body(part, around)).filter(isJsonObject);
      return Object.assign({}, ...parts) as JsonObject;
    }
    if (items !== undefined) return [body(items, around)];
    if (properties === undefined || !isJsonObject(properties)) return "";
    return Object.fromEntries(Object.entries(properties).map(([key, member]) => [key, body(member, around)]));
  };
  return body(schemas[name], [name]);
}

/** Of the object that a method of TOP answers with, by its metadata: `{ responseParams: [{ name, subParams }] }`. */
export function topParameters(file: string): Json {
  interface Parameter {
    readonly name: string;
    readonly type: string;
    readonly subParams?: readonly Parameter[];
  }
  const objectOf = (parameters: readonly Parameter[]): Json =>
    Object.fromEntries(
      parameters.map(({ name, type, subParams }) => {
        const value = subParams ? objectOf(subParams) : "";
        return [name, type.endsWith("[]") ? [value] : value];
      }),
    );
  const { responseParams } = JSON.parse(readShared(file)) as { readonly responseParams: readonly Parameter[] };
  return objectOf(responseParams[0]?.subParams ?? []);
}
