/**
 * An upstream's body and the records in it. What comes back is built from the records alone: of the upstream's own body nothing is copied, neither a key
 * nor a value that stands beside them.
 */
import { isJsonArray, isJsonObject, type Json, type JsonObject, NumberText } from "../kernel/index.ts";
import type { ApiConnector, Connector, ConnectorRoute } from "./connector.ts";

export interface RecordInBody {
  /** The merchant's own; numbers by their digits. */
  readonly id: string;
  readonly document: JsonObject;
}

type Shape = Pick<Connector, "lists">;

/** `null` = not the body that the route has: no records where they belong, one that has no id, or more than the connector's limit. */
export function recordsIn(
  body: Json,
  { records: { keys, list }, id }: Pick<ConnectorRoute, "records" | "id">,
  { lists, limits: { records: recordsMax } }: Shape & Pick<Connector, "limits">,
): RecordInBody[] | null {
  const found = valueAt(body, keys);
  const documents = list ? found : found === undefined ? [] : [found];
  if (documents === undefined || !isJsonArray(documents) || documents.length > recordsMax || (!list && documents.length === 0)) return null;
  const records: RecordInBody[] = [];
  for (const document of documents) {
    const own = isJsonObject(document) ? textAt(document, id) : null;
    if (own === null || !isJsonObject(document)) return null;
    records.push({ id: own, document: withLists(document, lists, listIn) });
  }
  return records;
}

/** The route's body with `documents` in their places; of a single record the first. */
export function bodyOf(
  { records: { keys, list } }: Pick<ConnectorRoute, "records">,
  { lists }: Shape,
  documents: readonly JsonObject[],
): Json {
  const own = documents.map((document) => withLists(document, lists, (value, key) => (isJsonArray(value) ? { [key]: value } : value)));
  const inside: Json = list ? own : (own[0] ?? null);
  return keys.reduceRight<Json>((value, key) => ({ [key]: value }), inside);
}

/** A list as the platform wraps it, `{ order: […] }`, is a list to the policy. */
function listIn(value: Json, key: string): Json {
  const inside = valueAt(value, [key]);
  return inside !== undefined && isJsonArray(inside) ? inside : value;
}

function withLists(document: JsonObject, lists: Connector["lists"], turn: (value: Json, key: string) => Json): JsonObject {
  const turned = Object.entries(lists).flatMap(([name, key]) => {
    const value = Object.hasOwn(document, name) ? document[name] : undefined;
    return value === undefined ? [] : [[name, turn(value, key)]];
  });
  return turned.length === 0 ? document : { ...document, ...Object.fromEntries(turned) };
}

/** What an error means, where the connector knows. */
export type ErrorKind = "limited" | "refused" | "missing" | "other";

/** Is it an error though it came as an answer? `null` = it is none. */
export function errorIn(body: Json, { errorAt, errorCodes }: Pick<ApiConnector, "errorAt" | "errorCodes">): ErrorKind | null {
  const said = errorAt && valueAt(body, errorAt);
  if (said === undefined || said === null) return null;
  const codes = errorCodes?.at.map((keys) => textIn(body, keys)) ?? [];
  return errorKinds.find((kind) => errorCodes?.[kind].some((code) => codes.includes(code))) ?? "other";
}

const errorKinds = ["limited", "refused", "missing"] as const;

/** A text, or a number's digits, at keys with dots between them. `null` = none of these. */
export function textAt(document: JsonObject, path: string): string | null {
  return textIn(document, path.split("."));
}

export function textIn(document: Json, keys: readonly string[]): string | null {
  const value = valueAt(document, keys);
  if (value instanceof NumberText) return value.text;
  if (typeof value === "number") return String(value);
  return typeof value === "string" && value !== "" ? value : null;
}

export function valueAt(value: Json, keys: readonly string[]): Json | undefined {
  let at: Json | undefined = value;
  for (const key of keys) at = at !== undefined && isJsonObject(at) && Object.hasOwn(at, key) ? at[key] : undefined;
  return at;
}
