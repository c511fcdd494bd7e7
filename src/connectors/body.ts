/**
 * An upstream's body and the records in it. What comes back is built from the records alone: of the upstream's own body nothing is copied, neither a key
 * nor a value that stands beside them.
 */
import { isJsonArray, isJsonObject, type Json, type JsonObject, NumberText } from "../kernel/index.ts";
import type { Connector, ConnectorRoute } from "./connector.ts";

export interface RecordInBody {
  /** The merchant's own; numbers by their digits. */
  readonly id: string;
  readonly document: JsonObject;
}

/** `null` = not the body that the route has: no records where they belong, one that has no id, or more than `recordsMax`. */
export function recordsIn(body: Json, { records: { keys, list }, id }: ConnectorRoute, recordsMax: number): RecordInBody[] | null {
  const found = valueAt(body, keys);
  const documents = list ? found : found === undefined ? [] : [found];
  if (documents === undefined || !isJsonArray(documents) || documents.length > recordsMax || (!list && documents.length === 0)) return null;
  const records: RecordInBody[] = [];
  for (const document of documents) {
    const own = isJsonObject(document) ? textAt(document, id) : null;
    if (own === null || !isJsonObject(document)) return null;
    records.push({ id: own, document });
  }
  return records;
}

/** The route's body with `documents` in their places; of a single record the first. */
export function bodyOf({ records: { keys, list } }: ConnectorRoute, documents: readonly JsonObject[]): Json {
  const inside: Json = list ? documents : (documents[0] ?? null);
  return keys.reduceRight<Json>((value, key) => ({ [key]: value }), inside);
}

/** Is it an error though it came as an answer? */
export function saysError(body: Json, { errorAt }: Pick<Connector, "errorAt">): boolean {
  if (errorAt === undefined) return false;
  const said = valueAt(body, errorAt);
  return said !== undefined && said !== null;
}

/** A text, or a number's digits, at keys with dots between them. `null` = none of these. */
export function textAt(document: JsonObject, path: string): string | null {
  const value = valueAt(document, path.split("."));
  if (value instanceof NumberText) return value.text;
  if (typeof value === "number") return String(value);
  return typeof value === "string" && value !== "" ? value : null;
}

function valueAt(value: Json, keys: readonly string[]): Json | undefined {
  let at: Json | undefined = value;
  for (const key of keys) at = at !== undefined && isJsonObject(at) && Object.hasOwn(at, key) ? at[key] : undefined;
  return at;
}
