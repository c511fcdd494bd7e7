/**
 * Bodies as directories send them, read into one form: attributes by their names in lower case, operations each with its path. Pure.
 * Also as Entra ID writes them: `"op": "Add"`, no path and dotted keys in the value, `"False"` for false, a `remove` that lists its members in the value.
 */
import { isJsonArray, isJsonObject, type Json, ok } from "../kernel/index.ts";
import { type Path, parsePath } from "./filter.ts";
import { refuseAs, type Told } from "./told.ts";

const patchSchema = "urn:ietf:params:scim:api:messages:2.0:PatchOp";
const operationsMax = 200;
const ops = ["add", "remove", "replace"] as const;

export interface Operation {
  readonly op: (typeof ops)[number];
  readonly path: Path;
  /** Absent: of a `remove` of all that the path names. */
  readonly value: Json | undefined;
}

export type Attributes = ReadonlyMap<string, Json>;

/** An object's members; two whose names differ in case alone are one too many. */
export function attributesOf(body: Json | undefined): Told<Attributes> {
  if (body === undefined || !isJsonObject(body)) return refuseAs("invalidSyntax", "An object is expected");
  const attributes = new Map(Object.entries(body).map(([key, value]) => [key.toLowerCase(), value]));
  return attributes.size === Object.keys(body).length ? ok(attributes) : refuseAs("invalidSyntax", "An attribute stands twice");
}

/** The attributes of a whole resource, which names its schema. */
export function readResource(body: Json | undefined, schema: string): Told<Attributes> {
  const attributes = attributesOf(body);
  return attributes.ok && !namesSchema(attributes.value, schema)
    ? refuseAs("invalidSyntax", `schemas does not name ${schema}`)
    : attributes;
}

export function readPatch(body: Json | undefined): Told<readonly Operation[]> {
  const request = readResource(body, patchSchema);
  if (!request.ok) return request;
  const listed = request.value.get("operations") ?? null;
  if (!isJsonArray(listed) || listed.length === 0) return refuseAs("invalidSyntax", "Operations is a list of at least one");
  if (listed.length > operationsMax) return refuseAs("tooMany", `At most ${operationsMax} operations at once`);
  return inOrder(listed, readOperation);
}

function namesSchema(attributes: Attributes, schema: string): boolean {
  const schemas = attributes.get("schemas") ?? null;
  return isJsonArray(schemas) && schemas.some((named) => typeof named === "string" && named.toLowerCase() === schema.toLowerCase());
}

function readOperation(listed: Json): Told<readonly Operation[]> {
  const operation = attributesOf(listed);
  if (!operation.ok) return operation;
  const [said, path, value] = ["op", "path", "value"].map((key) => operation.value.get(key));
  const op = ops.find((known) => typeof said === "string" && known === said.toLowerCase());
  if (op === undefined) return refuseAs("invalidSyntax", "op is add, remove or replace");
  if (path === undefined || path === null || path === "") return withoutPath(op, value);
  if (typeof path !== "string") return refuseAs("invalidPath", "The path is no text");
  if (op !== "remove" && value === undefined) return refuseAs("invalidValue", `An operation ${op} needs a value`);
  const parsed = parsePath(path);
  return parsed.ok ? ok([{ op, path: parsed.value, value }]) : parsed;
}

/** Each member of the value by itself, its key being its path. */
function withoutPath(op: Operation["op"], value: Json | undefined): Told<readonly Operation[]> {
  if (op === "remove") return refuseAs("noTarget", "A remove without a path");
  const attributes = attributesOf(value);
  if (!attributes.ok) return refuseAs("invalidValue", "Without a path the value is an object");
  // Clients that send back what they were given.
  const entries = [...attributes.value].filter(([key]) => !["schemas", "id", "meta"].includes(key));
  return inOrder(entries, ([key, member]) => {
    const path = parsePath(key);
    return path.ok ? ok([{ op, path: path.value, value: member }]) : path;
  });
}

/** The first refusal, or everything that was read. */
function inOrder<Item, Value>(items: readonly Item[], read: (item: Item) => Told<readonly Value[]>): Told<readonly Value[]> {
  const values: Value[] = [];
  for (const item of items) {
    const one = read(item);
    if (!one.ok) return one;
    values.push(...one.value);
  }
  return ok(values);
}
