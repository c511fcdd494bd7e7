/**
 * Masks a whole document by a compiled plan. The plan is walked, not the document: what no path names is never looked at, so it cannot leave.
 *
 * A withheld field is `null` where it would stand in an object, present or not (its absence says nothing), and left out inside lists and maps.
 * A value of the wrong shape (an object under `phone`, a text where `items[]` expects a list, a text under `payload$` that is not JSON) is withheld
 * whole. What a map's keys say does not leave: its members are numbered. JSON inside a text is parsed losslessly, masked, and printed again.
 */
import { isJsonArray, isJsonObject, type Json, type JsonObject, printJson } from "../kernel/index.ts";
import { generalizeValue, maskOf, revealOf } from "./class-masks.ts";
import type { DataClass } from "./class-names.ts";
import { pseudonymizeValue } from "./classes.ts";
import { answerOf, type Derivation } from "./derived.ts";
import { guardJoins } from "./joins.ts";
import { readJsonText } from "./json-text.ts";
import { buildTrie, type Trie } from "./path.ts";
import type { Generalization, MaskProfile, Treatment } from "./treatment.ts";

export interface PlannedField {
  readonly path: string;
  readonly class: DataClass;
  readonly treatment: Treatment;
  /** Of `mask`; default `cn-default`. */
  readonly profile?: MaskProfile;
  /** Of `generalize`. */
  readonly to?: Generalization;
  /** Of class `derived`, and never without it: what is at the path is made of other fields, whatever their own treatment. */
  readonly derive?: Derivation;
  /** Why the guard against joins lowered it. */
  readonly lowered?: string;
}

/** What a mask may depend on besides the value. */
export interface MaskingMoment {
  /** The civil date in the contract's zone, `2026-11-22`. */
  readonly today: string;
  /** Of the contract, so that its pseudonyms mean nothing elsewhere. */
  readonly pseudonymKey: Uint8Array;
}

/** Opaque: made once by `compilePlan`, used for every document. */
export interface MaskingPlan {
  readonly root: PlanNode;
  /** What the fields at these places are called in `shown`. */
  summarize(left: readonly boolean[]): Masked["shown"];
  /** By path, at the profile that the guard against joins left them. */
  readonly fields: readonly PlannedField[];
}

export interface Masked {
  readonly fields: JsonObject;
  /** Policy path → treatment of every field that left with a value: present, not null, not withheld; sorted by path. What the log says. */
  readonly shown: Readonly<Record<string, Treatment>>;
  /** Members that no path names, and values of a shape that the plan does not know: withheld, and counted for the metric. */
  readonly unknown: number;
}

/** Elements of one list, or members of one map. */
const elementsMax = 10_000;

interface Walk extends MaskingMoment {
  /** The whole, for the answers that are made of it. */
  readonly document: JsonObject;
  /** By the fields' place in the plan. */
  readonly shown: boolean[];
  unknown: number;
}

/** `undefined` in = absent; `undefined` out = leave it out. `within`: inside a list or a map. */
type PlanNode = (value: Json | undefined, within: boolean, walk: Walk) => Json | undefined;

/** Throws a RangeError where the fields' paths overlap or are outside the grammar; a parsed policy's are neither. */
export function compilePlan(fields: readonly PlannedField[]): MaskingPlan {
  const sorted = guardJoins(fields.toSorted((a, b) => (a.path < b.path ? -1 : 1)));
  const places = new Map(sorted.map((field, place) => [field.path, place]));
  const ordered = fields.map(({ path }) => [path, places.get(path) ?? 0] as const);
  return { root: compileNode(buildTrie(ordered), sorted), summarize: summarizer(sorted), fields: sorted };
}

/** Records of one kind mostly show the same fields: the last answer is kept. */
function summarizer(plan: Plan): MaskingPlan["summarize"] {
  let last: { readonly left: readonly boolean[]; readonly shown: Masked["shown"] } | undefined;
  return (left) => {
    if (last === undefined || !left.every((leaves, place) => leaves === last?.left[place])) {
      const shown = plan.filter((_, place) => left[place]).map(({ path, treatment }) => [path, treatment] as const);
      last = { left, shown: Object.freeze(Object.fromEntries(shown)) };
    }
    return last.shown;
  };
}

export function maskDocument(plan: MaskingPlan, document: JsonObject, { today, pseudonymKey }: MaskingMoment): Masked {
  const walk: Walk = { document, today, pseudonymKey, shown: plan.fields.map(() => false), unknown: 0 };
  const fields = plan.root(document, false, walk);
  const shown = plan.summarize(walk.shown);
  return { fields: fields !== undefined && isJsonObject(fields) ? fields : {}, shown, unknown: walk.unknown };
}

type Plan = readonly PlannedField[];

function compileNode(node: Trie<number>, plan: Plan): PlanNode {
  if (isHidden(node, plan)) return node.kind === "object" ? hiddenObject(node, plan) : hidden;
  if (node.kind === "leaf") return leafNode(node.leaf, plan);
  if (node.kind === "object") return objectNode([...node.members].map(([key, member]) => ({ key, mask: compileNode(member, plan) })));
  const inside = compileNode(node.inside, plan);
  if (node.kind === "array") return arrayNode(inside);
  return node.kind === "map" ? mapNode(inside) : jsonNode(inside);
}

function hidden(_value: Json | undefined, within: boolean): null | undefined {
  return within ? undefined : null;
}

/** Its members are `null` each, so that it looks the same whether it is there or not. */
function hiddenObject(node: Extract<Trie<number>, { kind: "object" }>, plan: Plan): PlanNode {
  const mask = objectNode([...node.members].map(([key, member]) => ({ key, mask: compileNode(member, plan) })));
  return (value, within, walk) => (within ? undefined : mask(value, within, walk));
}

function leafNode(place: number, plan: Plan): PlanNode {
  const field = plan[place];
  if (field === undefined) return hidden;
  if (field.derive !== undefined) return answerNode(place, field.derive);
  const treat = treatmentOf(field);
  return (value, _within, walk) => {
    if (value === undefined || value === null) return value;
    const out = treat(value, walk);
    if (out !== null) walk.shown[place] = true;
    else if (typeof value === "object") walk.unknown++;
    return out;
  };
}

/** An answer that leaves: made of the document, `null` where there is none. What a document has under its name is nothing that anybody named. */
function answerNode(place: number, derive: Derivation): PlanNode {
  const sources = derive.from.map(({ path }) => path.split("."));
  return (value, _within, walk) => {
    const values = sources.map((keys) => valueAt(walk.document, keys));
    const out = answerOf(derive, values, walk.today);
    if (out !== null) walk.shown[place] = true;
    if (value !== undefined) walk.unknown++;
    return out;
  };
}

function valueAt(document: JsonObject, keys: readonly string[]): Json {
  let at: Json = document;
  for (const key of keys) at = isJsonObject(at) && Object.hasOwn(at, key) ? (at[key] ?? null) : null;
  return at;
}

/** What is done to a value that is not `null`; a treatment without what it needs withholds. */
function treatmentOf(field: PlannedField): (value: Json, moment: MaskingMoment) => Json {
  const { treatment, class: name, to } = field;
  if (treatment === "pseudonymize") return (value, { pseudonymKey }) => pseudonymizeValue(name, value, pseudonymKey);
  if (treatment === "generalize") return (value, { today }) => (to === undefined ? null : generalizeValue(name, value, to, today));
  if (treatment !== "mask" && treatment !== "reveal") return () => null;
  const show = treatment === "reveal" ? revealOf(name) : maskOf(name, field.profile);
  return (value, { today }) => show(value, today);
}

function arrayNode(element: PlanNode): PlanNode {
  return (value, _within, walk) => {
    if (value === undefined || value === null) return value;
    if (!isJsonArray(value) || value.length > elementsMax) return misshapen(walk);
    return value.map((item) => element(item, true, walk) ?? null);
  };
}

function mapNode(member: PlanNode): PlanNode {
  return (value, _within, walk) => {
    if (value === undefined || value === null) return value;
    if (!isJsonObject(value)) return misshapen(walk);
    const members = Object.values(value);
    if (members.length > elementsMax) return misshapen(walk);
    return Object.fromEntries(members.map((item, index) => [`${index + 1}`, member(item, true, walk) ?? null]));
  };
}

/** A text, or what policy/sort-fields.ts has already read from one. */
function jsonNode(inside: PlanNode): PlanNode {
  return (value, within, walk) => {
    if (value === null) return null;
    const document = typeof value === "string" ? readJsonText(value) : value;
    if (document === null || (document !== undefined && !isJsonArray(document) && !isJsonObject(document))) return misshapen(walk);
    const out = inside(document, within, walk);
    return out === undefined || out === null ? out : printJson(out);
  };
}

function objectNode(members: readonly { readonly key: string; readonly mask: PlanNode }[]): PlanNode {
  return (value, within, walk) => {
    const object = value !== undefined && isJsonObject(value) ? value : undefined;
    const out: Record<string, Json> = {};
    let empty = true;
    let named = 0;
    for (const { key, mask } of members) {
      const found = object?.[key];
      // A prototype may have a member of that name: it is none of the document's.
      const present = found !== undefined && object !== undefined && Object.hasOwn(object, key);
      if (present) named++;
      const member = mask(present ? found : undefined, within, walk);
      if (member === undefined) continue;
      out[key] = member;
      empty = false;
    }
    if (object !== undefined) walk.unknown += Object.keys(object).length - named;
    else if (value !== undefined && value !== null) walk.unknown++;
    if (object !== undefined || !empty) return out;
    return value === undefined ? undefined : null;
  };
}

function misshapen(walk: Walk): null {
  walk.unknown++;
  return null;
}

function isHidden(node: Trie<number>, plan: Plan): boolean {
  if (node.kind === "leaf") return (plan[node.leaf]?.treatment ?? "withhold") === "withhold";
  if (node.kind === "object") return [...node.members.values()].every((member) => isHidden(member, plan));
  return isHidden(node.inside, plan);
}
