/**
 * What may be sent up to be written: a route by its method and path, and a body that holds the fields which the connector names and nothing else. Which of them
 * a role may write is the policy's matter. Nothing is left out silently: a body with one field too many is refused whole.
 */
import { isJsonArray, isJsonObject, type Json, type JsonObject, type NumberText, ok, type Result, refuse } from "../kernel/index.ts";
import { textAt } from "./body.ts";
import type { ConnectorWrite } from "./connector.ts";

export interface WrittenField {
  readonly path: string;
  readonly value: string | number | boolean | null | NumberText;
  /** `/ticket/status` */
  readonly pointer: string;
}

/** Never with a value. */
export interface Unwritten {
  readonly pointer: string;
  readonly code: "shape" | "unknown" | "empty" | "grammar" | "too_large";
}

export interface WrittenBody {
  /** All that goes up. */
  readonly up: Json;
  readonly fields: readonly WrittenField[];
}

const leavesMax = 200;
const depthMax = 8;
const charactersMax = 10_000;

/** `id`: as the path has it; a body may say it again. */
export function readWrite(write: ConnectorWrite, body: Json, id: string | null): Result<WrittenBody, Unwritten> {
  let inside: Json = body;
  for (const [index, key] of write.body.entries()) {
    const pointer = `/${write.body.slice(0, index).join("/")}`;
    if (!isJsonObject(inside) || Object.keys(inside).length !== 1 || !Object.hasOwn(inside, key)) return refuse({ pointer, code: "shape" });
    inside = inside[key] ?? null;
  }
  const root = write.body.length === 0 ? "" : `/${write.body.join("/")}`;
  if (!isJsonObject(inside)) return refuse({ pointer: root === "" ? "/" : root, code: "shape" });
  const record = withoutId(inside, write.id, id);
  if (record === null) return refuse({ pointer: `${root}/${write.id}`, code: "grammar" });
  const fields: WrittenField[] = [];
  const problem = collect(record, { known: write.fields, path: "", pointer: root, depth: 0 }, fields);
  if (problem) return refuse(problem);
  if (fields.length === 0) return refuse({ pointer: root === "" ? "/" : root, code: "empty" });
  return ok({ up: write.body.reduceRight<Json>((value, key) => ({ [key]: value }), record), fields });
}

/** `null` = it names another record than the path. */
function withoutId(object: JsonObject, key: string, id: string | null): JsonObject | null {
  if (!Object.hasOwn(object, key)) return object;
  const { [key]: _, ...rest } = object;
  return id !== null && textAt(object, key) === id ? rest : null;
}

interface Place {
  readonly known: readonly string[];
  readonly path: string;
  readonly pointer: string;
  readonly depth: number;
}

/** `null` = each value in it stands under a path that is known. */
function collect(value: Json, place: Place, fields: WrittenField[]): Unwritten | null {
  const { known, path, pointer, depth } = place;
  if (depth > depthMax || fields.length > leavesMax) return { pointer: "/", code: "too_large" };
  if (isJsonArray(value) || isJsonObject(value)) {
    const members = isJsonArray(value)
      ? value.map((item, index) => [item, { path: `${path}[]`, pointer: `${pointer}/${index}` }] as const)
      : Object.entries(value).map(
          ([key, item]) => [item, { path: path === "" ? key : `${path}.${key}`, pointer: `${pointer}/${key}` }] as const,
        );
    if (members.length === 0 && path !== "") return { pointer: known.some((field) => isUnder(field, path)) ? pointer : "/", code: "empty" };
    for (const [item, at] of members) {
      // A key that nobody knows is the caller's own word, and is not repeated.
      if (!known.some((field) => isUnder(field, at.path))) return { pointer: pointer === "" ? "/" : pointer, code: "unknown" };
      const problem = collect(item, { known, ...at, depth: depth + 1 }, fields);
      if (problem) return problem;
    }
    return null;
  }
  if (!known.includes(path)) return { pointer, code: "shape" };
  if (typeof value === "string" && value.length > charactersMax) return { pointer, code: "too_large" };
  if (typeof value === "string" && /[^\P{C}\n\r\t\p{Cf}]/u.test(value)) return { pointer, code: "grammar" };
  fields.push({ path, value, pointer });
  return null;
}

function isUnder(field: string, path: string): boolean {
  return field === path || field.startsWith(`${path}.`) || field.startsWith(`${path}[]`);
}
