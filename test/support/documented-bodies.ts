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

/** Schemas of a platform's document, by name. */
export type Schemas = Readonly<Record<string, Json>>;

export const chatwootSchemas = (): Schemas =>
  valueIn("apis/chatwoot/chatwoot-application-api-openapi.json", ["components", "schemas"]) as JsonObject;
export const magentoSchemas = (): Schemas =>
  valueIn("apis/magento/admin-2.4.9-customers-orders.swagger2.json", ["definitions"]) as JsonObject;

/** What a schema comes down to: references followed, parts put together. `null` = one that it stands in already. */
function settled(
  schemas: Schemas,
  schema: Json | undefined,
  around: readonly string[],
): { schema: JsonObject; around: readonly string[] } | null {
  if (schema === undefined || !isJsonObject(schema)) return { schema: {}, around };
  const { $ref, allOf } = schema;
  if (typeof $ref === "string") {
    const inner = $ref.slice($ref.lastIndexOf("/") + 1);
    return around.includes(inner) ? null : settled(schemas, schemas[inner], [...around, inner]);
  }
  if (allOf === undefined || !isJsonArray(allOf)) return { schema, around };
  const parts = allOf.flatMap((part) => settled(schemas, part, around)?.schema.properties ?? []).filter(isJsonObject);
  return { schema: { properties: Object.assign({}, ...parts) as JsonObject }, around };
}

/** A body with something at every leaf of a schema. */
export function bodyFrom(schemas: Schemas, name: string, leaf: (type: Json | undefined) => Json): Json {
  const body = (given: Json | undefined, outer: readonly string[]): Json => {
    const found = settled(schemas, given, outer);
    if (found === null) return leaf(undefined);
    const { items, properties, type } = found.schema;
    if (items !== undefined) return [body(items, found.around)];
    if (properties === undefined || !isJsonObject(properties)) return leaf(type);
    return Object.fromEntries(Object.entries(properties).map(([key, member]) => [key, body(member, found.around)]));
  };
  return body(schemas[name], [name]);
}

/** Where a body is not what its schema says. What is null says nothing, and is none. */
export function misfitsOf(schemas: Schemas, name: string, body: Json): string[] {
  const misfits = (value: Json, given: Json | undefined, outer: readonly string[], at: string): string[] => {
    const found = settled(schemas, given, outer);
    if (value === null || found === null) return [];
    const { items, properties, type } = found.schema;
    if (isJsonArray(value) && value.length > 0)
      return items === undefined ? [`${at} is a list`] : value.flatMap((item) => misfits(item, items, found.around, `${at}[]`));
    if (!isJsonObject(value)) return type === undefined || typeOf(value, type) ? [] : [`${at} is no ${JSON.stringify(type)}`];
    if (properties === undefined || !isJsonObject(properties)) return type === "object" ? [] : [`${at} is an object`];
    return Object.entries(value).flatMap(([key, member]) =>
      Object.hasOwn(properties, key) ? misfits(member, properties[key], found.around, `${at}.${key}`) : [`${at}.${key} is not there`],
    );
  };
  return misfits(body, schemas[name], [name], name);
}

function typeOf(value: Json, type: Json): boolean {
  if (isJsonArray(value)) return type === "array";
  return type === "integer" ? Number.isInteger(value) : typeof value === type;
}

/** With a text at every leaf of one of Chatwoot's. */
export function documented(name: string): Json {
  return bodyFrom(chatwootSchemas(), name, () => "");
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
