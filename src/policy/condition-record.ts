/**
 * What a condition may know of a record: its plain fields, as a schema (so that a typo is an error when the file is read) and as values.
 * A value that is not of the policy's shape, or over the limits, is not there: a condition that needs it does not hold.
 */
import { isJsonArray, isJsonObject, type Json, type JsonObject, NumberText } from "../kernel/index.ts";
import { buildTrie, type DataClass, type ObjectTrie, type Trie } from "../masking/index.ts";

/** A resource of a policy file or of a bundle. */
export interface ClassedFields {
  readonly fields: Readonly<Record<string, { readonly class: DataClass }>>;
}

/** In CEL's types: `dyn`, `list<…>`, or members. A list of objects has a type of its own. */
export type RecordSchema = { readonly [key: string]: string | RecordSchema };

export interface RecordShape {
  readonly schema: RecordSchema;
  /** Types of lists' elements by name, inner ones first. */
  readonly elements: ReadonlyMap<string, RecordSchema>;
  /** The values of a plain level, for CEL. */
  read(document: JsonObject): Readonly<Record<string, unknown>>;
}

const textCharactersMax = 4_096;
const elementsMax = 100;

export function recordShape(resource: ClassedFields): RecordShape {
  // A map's keys are data, so no condition can name what stands under them.
  const plain = Object.entries(resource.fields).filter(([path, field]) => field.class === "plain" && !path.includes("{}"));
  const root = buildTrie(plain.map(([path]) => [path, path] as const));
  const elements = new Map<string, RecordSchema>();
  return { schema: membersOf(root, elements), elements, read: (document) => readMembers(root, document) };
}

function membersOf(node: ObjectTrie<string>, elements: Map<string, RecordSchema>): RecordSchema {
  const schema: Record<string, string | RecordSchema> = {};
  for (const [key, member] of node.members) schema[key] = typeOf(member, elements);
  return schema;
}

function typeOf(node: Trie<string>, elements: Map<string, RecordSchema>): string | RecordSchema {
  if (node.kind === "object") return membersOf(node, elements);
  if (node.kind === "json") return typeOf(node.inside, elements);
  if (node.kind !== "array") return "dyn";
  const element = typeOf(node.inside, elements);
  if (typeof element === "string") return `list<${element}>`;
  const name = `element${elements.size}`;
  elements.set(name, element);
  return `list<${name}>`;
}

function readMembers(node: ObjectTrie<string>, object: JsonObject): Record<string, unknown> {
  const members: Record<string, unknown> = {};
  for (const [key, member] of node.members) {
    const value = readValue(member, Object.hasOwn(object, key) ? object[key] : undefined);
    if (value !== undefined) members[key] = value;
  }
  return members;
}

/** `undefined` = not there. An object always is, so that `has(record.receiver.city)` can be asked of any record. */
function readValue(node: Trie<string>, value: Json | undefined): unknown {
  if (node.kind === "object") return readMembers(node, value !== undefined && isJsonObject(value) ? value : {});
  if (node.kind === "json") return readValue(node.inside, value);
  if (value === undefined) return undefined;
  if (node.kind === "leaf") return isJsonArray(value) ? readList(value, readScalar) : readScalar(value);
  if (node.kind !== "array" || !isJsonArray(value)) return undefined;
  return readList(value, (item) => readValue(node.inside, item));
}

/** Whole or not at all: part of a list would make `all` true of what nobody looked at. */
function readList(items: readonly Json[], read: (item: Json) => unknown): unknown {
  if (items.length > elementsMax) return undefined;
  const values = items.map(read);
  return values.includes(undefined) ? undefined : values;
}

/** An integer is CEL's int with all its digits, any other number its double. */
function readScalar(value: Json): unknown {
  if (value instanceof NumberText) return /^-?[0-9]+$/.test(value.text) ? readInt(value.text) : readDouble(Number(value.text));
  if (typeof value === "number") return Number.isSafeInteger(value) ? BigInt(value) : readDouble(value);
  if (typeof value === "string") return value.length <= textCharactersMax ? value : undefined;
  return value === null || typeof value === "boolean" ? value : undefined;
}

function readDouble(value: number): number | undefined {
  return Number.isFinite(value) ? value : undefined;
}

/** CEL's int has 64 bits. */
function readInt(text: string): bigint | undefined {
  const value = text.length <= 20 ? BigInt(text) : undefined;
  return value !== undefined && BigInt.asIntN(64, value) === value ? value : undefined;
}
