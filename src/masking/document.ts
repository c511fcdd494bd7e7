/**
 * Masks a whole document by a compiled plan. The plan is walked, not the document: what no path names is never looked at, so it cannot leave.
 *
 * A withheld field is `null` where it would stand in an object, present or not (its absence says nothing), and left out inside arrays.
 * A value of the wrong shape (an object under `phone`, a string where `items[]` expects an array) is withheld.
 */
import { isJsonArray, isJsonObject, type Json, type JsonObject } from "../kernel/index.ts";
import { type DataClass, dataClasses } from "./classes.ts";
import { buildTrie, type Trie } from "./path.ts";
import type { Treatment } from "./treatment.ts";

export interface PlannedField {
  readonly path: string;
  readonly class: DataClass;
  readonly treatment: Treatment;
}

/** Opaque: made once by `compilePlan`, used for every document. */
export interface MaskingPlan {
  readonly root: PlanNode;
  /** By path. */
  readonly fields: readonly PlannedField[];
}

export interface Masked {
  readonly fields: JsonObject;
  /** Policy path → treatment of every field that left with a value: present, not null, not withheld; sorted by path. What the log says. */
  readonly shown: Readonly<Record<string, Treatment>>;
}

type Shown = Set<PlannedField>;

/** `undefined` in = absent; `undefined` out = leave it out. */
type PlanNode = (value: Json | undefined, inArray: boolean, shown: Shown) => Json | undefined;

/** Throws a RangeError where the fields' paths overlap or are outside the grammar; a parsed policy's are neither. */
export function compilePlan(fields: readonly PlannedField[]): MaskingPlan {
  return {
    root: compileNode(buildTrie(fields.map((field) => [field.path, field] as const))),
    fields: fields.toSorted((a, b) => (a.path < b.path ? -1 : 1)),
  };
}

export function maskDocument(plan: MaskingPlan, document: JsonObject): Masked {
  const left: Shown = new Set();
  const fields = plan.root(document, false, left);
  const shown: Record<string, Treatment> = {};
  for (const field of plan.fields) if (left.has(field)) shown[field.path] = field.treatment;
  return { fields: fields !== undefined && isJsonObject(fields) ? fields : {}, shown };
}

function compileNode(node: Trie<PlannedField>): PlanNode {
  if (node.kind === "object") {
    const mask = objectNode([...node.members].map(([key, member]) => ({ key, mask: compileNode(member) })));
    return isHidden(node) ? (value, inArray, shown) => (inArray ? undefined : mask(value, inArray, shown)) : mask;
  }
  if (isHidden(node)) return hidden;
  return node.kind === "leaf" ? leafNode(node.leaf) : arrayNode(compileNode(node.element));
}

function hidden(_value: Json | undefined, inArray: boolean): null | undefined {
  return inArray ? undefined : null;
}

function leafNode(field: PlannedField): PlanNode {
  const rules = dataClasses[field.class];
  const treat: (value: Json) => Json = field.treatment === "reveal" ? rules.reveal : rules.mask;
  return (value, _inArray, shown) => {
    if (value === undefined || value === null) return value;
    const out = treat(value);
    if (out !== null) shown.add(field);
    return out;
  };
}

function arrayNode(element: PlanNode): PlanNode {
  return (value, _inArray, shown) => {
    if (value === undefined || value === null) return value;
    if (!isJsonArray(value)) return null;
    return value.map((item) => element(item, true, shown) ?? null);
  };
}

function objectNode(members: readonly { readonly key: string; readonly mask: PlanNode }[]): PlanNode {
  return (value, inArray, shown) => {
    const object = value !== undefined && isJsonObject(value) ? value : undefined;
    const out: Record<string, Json> = {};
    let empty = true;
    for (const { key, mask } of members) {
      const member = mask(object !== undefined && Object.hasOwn(object, key) ? object[key] : undefined, inArray, shown);
      if (member === undefined) continue;
      out[key] = member;
      empty = false;
    }
    if (object !== undefined || !empty) return out;
    return value === undefined ? undefined : null;
  };
}

function isHidden(node: Trie<PlannedField>): boolean {
  if (node.kind === "leaf") return node.leaf.treatment === "withhold";
  if (node.kind === "array") return isHidden(node.element);
  return [...node.members.values()].every(isHidden);
}
