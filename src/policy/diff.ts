/**
 * What a new bundle shows more of than an old one, and what less: total, and on the safe side. Whatever is not proven to be no wider counts as wider:
 * a condition that was changed, treatments that do not compare, a field of another class.
 */
import { joins } from "../masking/index.ts";
import type { Bundle, Resource, Rule } from "./bundle.ts";
import { rulesFor } from "./decide.ts";
import { diffContracts } from "./diff-contract.ts";
import { type Comparison, compareRules, describeRules, isSameBut, sharedConditions } from "./diff-rules.ts";
import type { Difference, Direction } from "./difference.ts";
import { writableIn } from "./writes.ts";

export function diffBundles(before: Bundle, after: Bundle): Difference[] {
  const types = namesOf(before.resources, after.resources);
  const roles = namesOf(before.roles, after.roles);
  return [
    ...diffContracts(before.contract, after.contract),
    ...diffRest(before, after),
    ...roles.flatMap((role) => diffPresence("role", { role }, own(before.roles, role), own(after.roles, role))),
    ...types.flatMap((type) => diffResources(type, own(before.resources, type), own(after.resources, type))),
    ...roles.flatMap((role) => types.flatMap((type) => diffRole({ before, after, role, type }))),
  ];
}

/** May one owner alone bring it into force? */
export function isWider(differences: readonly Difference[]): boolean {
  return differences.some(({ direction }) => direction !== "narrowed");
}

function diffRest(before: Bundle, after: Bundle): Difference[] {
  if (isSameBut(before, after, ["contract", "policy", "resources", "roles"])) return [];
  return [{ what: "bundle", before: "as it was", after: "otherwise", direction: "changed" }];
}

function diffPresence(
  what: "role" | "resource",
  place: Pick<Difference, "role" | "type">,
  before: object | undefined,
  after: object | undefined,
): Difference[] {
  if (before === undefined) return [{ what, ...place, before: "–", after: "added", direction: "widened" }];
  return after === undefined ? [{ what, ...place, before: "there", after: "–", direction: "narrowed" }] : [];
}

function diffResources(type: string, before: Resource | undefined, after: Resource | undefined): Difference[] {
  const presence = diffPresence("resource", { type }, before, after);
  const fields = namesOf(before?.fields ?? {}, after?.fields ?? {});
  const found = fields.flatMap((field) => diffField({ type, field }, own(before?.fields ?? {}, field), own(after?.fields ?? {}, field)));
  if (before === undefined || after === undefined) return [...presence, ...found];
  const [was, is] = [before, after].map(({ subject }) => (subject.path === null ? "id" : `${subject.type}: ${subject.path}`));
  const isSame = was === is && isSameBut(before, after, ["subject", "fields"]);
  return [...found, ...(isSame ? [] : [{ what: "subject", type, before: was ?? "", after: is ?? "", direction: "changed" } as const])];
}

type Field = Resource["fields"][string];

function diffField(place: { type: string; field: string }, before: Field | undefined, after: Field | undefined): Difference[] {
  const row = (what: string, direction: Direction, was: string, is: string) => ({ what, ...place, before: was, after: is, direction });
  if (after === undefined) return [row("field", "narrowed", before?.class ?? "", "not stored from now on")];
  const isNew = before === undefined;
  const held = isNew ? [row("field", "widened", "not stored", after.class)] : [];
  const moved = !isNew && !isSameField(before, after) ? [row("class", "changed", before.class, after.class)] : [];
  const was = before?.search === true;
  if (was === after.search) return [...held, ...moved];
  const searched = after.search
    ? row("search", "widened", "not searchable", "searchable, as records are imported again")
    : row("search", "narrowed", "searchable", "not searchable");
  return [...held, ...moved, searched];
}

/** Where older values lie, and whether they are searched, is no matter of how they are shown. */
function isSameField(before: Field, after: Field): boolean {
  return isSameBut(before, after, ["search", "older"]);
}

interface Pair {
  readonly before: Bundle;
  readonly after: Bundle;
  readonly role: string;
  readonly type: string;
}

function diffRole(pair: Pair): Difference[] {
  const { before, after } = pair;
  const isShared = sharedConditions(before, after, pair.type);
  const purposes = Object.keys(after.contract.purposes).filter((purpose) => Object.hasOwn(before.contract.purposes, purpose));
  const rows = diffRows(pair, isShared);
  const found = new Map<string, { difference: Difference; purposes: string[] }>();
  for (const purpose of purposes) {
    for (const difference of diffTreatments(pair, purpose, isShared)) {
      const key = JSON.stringify(difference);
      const known = found.get(key) ?? { difference, purposes: [] };
      known.purposes.push(purpose);
      found.set(key, known);
    }
  }
  const writes = diffWrites(pair, purposes);
  const treatments = [...found.values()].map(({ difference, purposes: only }) =>
    only.length === purposes.length ? difference : { ...difference, purposes: only },
  );
  return [...rows, ...writes, ...treatments];
}

function diffRows({ before, after, role, type }: Pair, isShared: (text: string) => boolean): Difference[] {
  const [old, next] = [before, after].map((bundle) => own(own(bundle.roles, role) ?? {}, type));
  // A role or a type that one of them does not have has its own line.
  if (old === undefined || next === undefined) return [];
  const [was, is] = [old.rows, next.rows];
  const isSame = was?.when === is?.when && (was === undefined || isShared(was.when)) && isSameBut(old, next, ["rows", "writes", "fields"]);
  if (isSame) return [];
  const direction = was === undefined ? "narrowed" : is === undefined ? "widened" : "changed";
  const at = { ...(was && { before: was.at }), ...(is && { after: is.at }) };
  return [{ what: "rows", role, type, before: was?.when ?? "every record", after: is?.when ?? "every record", direction, at }];
}

/** To write more is wider, whatever is seen. */
function diffWrites({ before, after, role, type }: Pair, purposes: readonly string[]): Difference[] {
  const forWhich = (bundle: Bundle) =>
    Map.groupBy(
      purposes.flatMap((purpose) => writableIn(bundle, { role, type, purpose }).map((field) => ({ field, purpose }))),
      ({ field }) => field,
    );
  const [was, is] = [forWhich(before), forWhich(after)];
  return [...new Set([...was.keys(), ...is.keys()])].sort().flatMap((field) => {
    const [old, next] = [was, is].map((writes) => writes.get(field)?.map(({ purpose }) => purpose) ?? []);
    const row = (direction: Direction, only: readonly string[]): Difference[] => {
      const [unwritten, written] = ["not written", "written"];
      const [from, to] = direction === "widened" ? [unwritten, written] : [written, unwritten];
      const some = only.length < purposes.length && { purposes: only };
      return only.length === 0 ? [] : [{ what: "write", role, type, field, ...some, before: from, after: to, direction }];
    };
    return [...row("widened", without(next, old)), ...row("narrowed", without(old, next))];
  });
}

function without(names: readonly string[] = [], others: readonly string[] = []): string[] {
  return names.filter((name) => !others.includes(name));
}

interface Side {
  readonly class: string | undefined;
  /** Of an answer: the paths of what it is made of. */
  readonly from: readonly string[];
  readonly rules: readonly Rule[];
}

interface Compared {
  readonly path: string;
  readonly before: Side;
  readonly after: Side;
  readonly comparison: Comparison;
}

function diffTreatments(pair: Pair, purpose: string, isShared: (text: string) => boolean): Difference[] {
  const { before, after, role, type } = pair;
  const [old, next] = [own(before.resources, type)?.fields ?? {}, own(after.resources, type)?.fields ?? {}];
  const compared = namesOf(old, next).map((path): Compared => {
    const [was, is] = [own(old, path), own(next, path)];
    const [rules, newRules] = [before, after].map((bundle) => rulesFor(bundle, { role, type, purpose }, path));
    const sides = { before: sideOf(was, rules), after: sideOf(is, newRules) };
    const isSame = was !== undefined && is !== undefined && isSameField(was, is);
    return {
      path,
      ...sides,
      comparison: compareRules({ before: sides.before.rules, after: sides.after.rules, isSameField: isSame, isShared }),
    };
  });
  return compared.flatMap((field) => {
    const row = (direction: Direction, more = "") => [treatmentRow({ role, type }, field, direction, more)];
    if (field.comparison === "widened" || field.comparison === "changed") return row(field.comparison);
    if (isLoosened(field, compared)) return row("changed", ", no longer less beside another field");
    return field.comparison === "same" ? [] : row(field.comparison);
  });
}

function sideOf(field: Field | undefined, rules: readonly Rule[] = []): Side {
  return { class: field?.class, from: field?.derive?.from ?? [], rules };
}

function treatmentRow(
  place: { role: string; type: string },
  { path, before, after }: Compared,
  direction: Direction,
  more: string,
): Difference {
  const [was, is] = [before, after].map(({ rules }) => rules.find(({ at }) => at !== undefined)?.at);
  return {
    what: "treatment",
    ...place,
    field: path,
    before: describeRules(before.rules) || "withhold",
    after: `${describeRules(after.rules) || "withhold"}${more}`,
    direction,
    at: { ...(was && { before: was }), ...(is && { after: is }) },
  };
}

/** What was lowered beside another field (masking/joins.ts) rises where that field shows less; an answer, where one of those does that it is made of. */
function isLoosened({ path, before, after }: Compared, fields: readonly Compared[]): boolean {
  const moved = fields.filter((other) => other.path !== path && other.comparison !== "same");
  const leaves = (rules: readonly Rule[], treatment: string) => rules.some((rule) => rule.treatment === treatment);
  const leavesStill = (treatment: string) => leaves(before.rules, treatment) && leaves(after.rules, treatment);
  if (leavesStill("reveal") && moved.some((other) => before.from.includes(other.path))) return true;
  return joins.some(({ lowers, beside }) => {
    if (before.class !== lowers.class || !leavesStill(lowers.treatment)) return false;
    return moved.some((other) => other.before.class === beside.class && leaves(other.before.rules, beside.treatment));
  });
}

function namesOf(before: object, after: object): string[] {
  return [...new Set([...Object.keys(before), ...Object.keys(after)])];
}

function own<Value>(record: Readonly<Record<string, Value>>, key: string): Value | undefined {
  return Object.hasOwn(record, key) ? record[key] : undefined;
}
