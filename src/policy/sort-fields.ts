/**
 * A document on its way into the vault: its named fields sorted by the level they are sealed at, its other fields counted and dropped.
 * Each level is a document of its own with the same shape (`{}` and `[]` keep array positions), so that levels can be merged again.
 *
 * The keys of a map (`phones{}`) are data that no policy names: they are dropped as well, and its members numbered. JSON inside a text (`payload$`)
 * is kept as what it says, so that only what is named of it is kept.
 */
import { isJsonArray, isJsonObject, type Json, type JsonObject } from "../kernel/index.ts";
import { buildTrie, dataClasses, isStored, normalize, type ObjectTrie, readJsonText, type Trie } from "../masking/index.ts";
import type { Resource } from "./bundle.ts";

export interface SortedFields {
  /** Index = level; `undefined` where no field of that level is present. */
  readonly levels: readonly (JsonObject | undefined)[];
  /** What is not stored: paths that the policy does not name, the topmost only, and secrets; each once. A key that may itself be data is written `*`. */
  readonly unnamed: readonly string[];
  /** Values for the blind index, normalized, each once. */
  readonly searchable: readonly SearchableValue[];
  /** What stands at the subject's path, where it is a non-empty text. */
  readonly subjectReference: string | null;
}

export interface SearchableValue {
  readonly field: string;
  readonly value: string;
}

type FieldRules = Resource["fields"][string] & { readonly path: string };
type Levels = readonly (Json | undefined)[];

const levelCount = 1 + Math.max(...Object.values(dataClasses).map(({ level }) => level));
const tries = new WeakMap<Resource, ObjectTrie<FieldRules>>();

export function sortFields(resource: Resource, document: JsonObject): SortedFields {
  const sorter = new Sorter("received");
  const levels = sorter.object(trieOf(resource), document, "");
  return { levels, unnamed: [...sorter.unnamed], searchable: sorter.values(), subjectReference: subjectReference(resource, document) };
}

/** Of a document that nobody keeps, and that is not looked for by what is in it. */
export function sortLevels(resource: Resource, document: JsonObject): Pick<SortedFields, "levels" | "unnamed"> {
  const sorter = new Sorter("received");
  return { levels: sorter.object(trieOf(resource), document, ""), unnamed: [...sorter.unnamed] };
}

/** What a stored document is found by: what `sortFields` said of it on its way in, or would say today where the policy has changed since. */
export function searchableIn(resource: Resource, stored: JsonObject): readonly SearchableValue[] {
  const sorter = new Sorter("stored");
  sorter.object(trieOf(resource), stored, "");
  return sorter.values();
}

/** Where the values lie that records are found by. */
export function searchLevels(resource: Resource): readonly number[] {
  const searched = Object.values(resource.fields).filter((field) => field.search && isStored(field.class));
  return [...new Set(searched.flatMap((field) => [dataClasses[field.class].level, ...(field.older ?? [])]))].sort();
}

/** The inverse: one document of several levels' documents. Where two hold a value at one place, the first counts. */
export function mergeLevels(documents: readonly JsonObject[]): JsonObject {
  const [only, second] = documents;
  return only !== undefined && second === undefined ? only : mergeObjects(documents);
}

function mergeObjects(objects: readonly JsonObject[]): JsonObject {
  const merged: Record<string, Json> = {};
  for (const object of objects) {
    for (const key in object) {
      // No path has this key, and assigning it would change the prototype.
      if (key === "__proto__" || !Object.hasOwn(object, key)) continue;
      const value = object[key] ?? null;
      merged[key] = Object.hasOwn(merged, key) ? merge(merged[key] ?? null, value) : value;
    }
  }
  return merged;
}

function merge(first: Json, second: Json): Json {
  if (isJsonObject(first) && isJsonObject(second)) return mergeObjects([first, second]);
  if (!isJsonArray(first) || !isJsonArray(second)) return first;
  const longer = first.length >= second.length ? first : second;
  return longer.map((_, index) => {
    const [a, b] = [first[index], second[index]];
    return a === undefined ? (b ?? null) : b === undefined ? a : merge(a, b);
  });
}

function trieOf(resource: Resource): ObjectTrie<FieldRules> {
  const standing = tries.get(resource);
  if (standing !== undefined) return standing;
  const made = buildTrie(Object.entries(resource.fields).map(([path, field]) => [path, { ...field, path }] as const));
  tries.set(resource, made);
  return made;
}

class Sorter {
  readonly unnamed = new Set<string>();
  readonly #searched: { readonly field: FieldRules; readonly value: Json }[] = [];
  readonly #form: "received" | "stored";

  constructor(form: "received" | "stored") {
    this.#form = form;
  }

  values(): SearchableValue[] {
    const found = new Map<string, Set<string>>();
    for (const { field, value } of this.#searched) {
      const normalized = normalize(field.class, value);
      if (normalized !== null) found.set(field.path, (found.get(field.path) ?? new Set()).add(normalized));
    }
    return [...found].flatMap(([field, values]) => [...values].map((value) => ({ field, value })));
  }

  object(node: ObjectTrie<FieldRules>, object: JsonObject, path: string): readonly (JsonObject | undefined)[] {
    const levels: (Record<string, Json> | undefined)[] = noLevels();
    for (const key of Object.keys(object)) {
      const value = object[key];
      if (value === undefined) continue;
      const member = node.members.get(key);
      if (member === undefined) this.unnamed.add(join(path, countedKey(key)));
      else if (member.kind === "leaf") put(levels, this.#levelOf(member.leaf, value), key, value);
      else
        this.#value(member, value, join(path, key)).forEach((part, level) => {
          put(levels, level, key, part);
        });
    }
    return levels;
  }

  #value(node: Trie<FieldRules>, value: Json, path: string): Levels {
    if (node.kind === "leaf") {
      const levels: (Json | undefined)[] = noLevels();
      const level = this.#levelOf(node.leaf, value);
      if (level !== null) levels[level] = value;
      return levels;
    }
    if (node.kind === "object" && isJsonObject(value)) return this.object(node, value, path);
    if (node.kind === "array" && isJsonArray(value)) return this.#elements(node.inside, value, `${path}[]`);
    if (node.kind === "map" && isJsonObject(value)) return this.#map(node.inside, value, `${path}{}`);
    const inner = node.kind === "json" ? this.#said(value) : null;
    if (node.kind === "json" && inner !== null) return this.#value(node.inside, inner, `${path}$`);
    // Not the shape that the policy names: nothing in it has a class, so nothing in it is kept.
    if (value !== null) this.unnamed.add(path);
    return [];
  }

  /** JSON inside a text was kept as what it says. */
  #said(value: Json): Json | null {
    if (this.#form === "stored") return value;
    return typeof value === "string" ? readJsonText(value) : null;
  }

  /** Numbered as in the list of its members, in every level alike: the mask numbers them so too. */
  #map(member: Trie<FieldRules>, map: JsonObject, path: string): Levels {
    return this.#elements(member, Object.values(map), path).map((parts) =>
      parts === undefined ? undefined : Object.fromEntries(parts.map((part, index) => [`${index + 1}`, part])),
    );
  }

  #elements(element: Trie<FieldRules>, items: readonly Json[], path: string): readonly (readonly Json[] | undefined)[] {
    const sorted = items.map((item) => this.#value(element, item, path));
    const placeholder = placeholderOf(element);
    return Array.from({ length: levelCount }, (_, level) => {
      if (sorted.every((levels) => levels[level] === undefined)) return undefined;
      return sorted.map((levels) => levels[level] ?? placeholder);
    });
  }

  /** `null` = it is not kept. */
  #levelOf(field: FieldRules, value: Json): number | null {
    if (!isStored(field.class)) {
      this.unnamed.add(field.path);
      return null;
    }
    if (field.search) this.#searched.push({ field, value });
    return dataClasses[field.class].level;
  }
}

function noLevels(): undefined[] {
  return Array.from({ length: levelCount });
}

function put(levels: (Record<string, Json> | undefined)[], level: number | null, key: string, part: Json | undefined): void {
  if (level === null || part === undefined) return;
  const standing = levels[level] ?? Object.create(null);
  levels[level] = standing;
  standing[key] = part;
}

/** What keeps an element's place in a level where nothing of it lies. */
function placeholderOf(node: Trie<FieldRules>): Json {
  if (node.kind === "json") return placeholderOf(node.inside);
  return node.kind === "array" ? [] : {};
}

const nameLike = /^[A-Za-z_][A-Za-z0-9_-]{0,63}$/;

/** Keys are data too: `credit_card_7815826`, `13800001234`, a customer's name. */
function countedKey(key: string): string {
  return nameLike.test(key) && !/[0-9]{4}/.test(key) ? key : "*";
}

function join(path: string, key: string): string {
  return path === "" ? key : `${path}.${key}`;
}

function subjectReference(resource: Resource, document: JsonObject): string | null {
  if (resource.subject.path === null) return null;
  let at: Json | undefined = document;
  for (const key of resource.subject.path.split(".")) {
    at = at !== undefined && isJsonObject(at) && Object.hasOwn(at, key) ? at[key] : undefined;
  }
  return typeof at === "string" && at !== "" ? at : null;
}
