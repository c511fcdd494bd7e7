/** Policies as somebody might write them, right or wrong, and documents that may or may not be what they describe. */
import * as fc from "fast-check";
import { type Json, type JsonObject, printJson } from "../../src/kernel/index.ts";
import { classNames, generalizations, maskProfiles } from "../../src/masking/index.ts";

/** Mostly right: `wrong` stands in now and then. */
const mostly = <Value>(right: fc.Arbitrary<Value>, ...wrong: Value[]) =>
  fc.oneof({ weight: 60, arbitrary: right }, { weight: 1, arbitrary: fc.constantFrom(...wrong) });

const paths = [
  "a",
  "b.c",
  "b.d.e",
  "items[].x",
  "items[].y.z",
  "tags[]",
  "map{}.k",
  "map{}.l[]",
  "text$.p",
  "text$.q[].r",
  "rows[].cells[].v",
  "b.json$.m{}",
] as const;
const path: fc.Arbitrary<string> = mostly<string>(fc.constantFrom(...paths), "a.b", "items", "x[0]", "*", "constructor", "rows");
const shown = ["plain", "plain", "plain", "phone", "person_name", "amount", "birth_date", "resident_id"] as const;
const dataClass = mostly<string>(fc.oneof(fc.constantFrom(...shown), fc.constantFrom(...classNames)), "plian");
/** What the conditions ask about; a policy may class one of them as something else, and then its conditions are wrong. */
const known = Object.fromEntries(
  ["a", "b.c", "b.d.e", "items[].x", "tags[]", "rows[].cells[].v"].map((name) => [name, { class: "plain" }]),
);
const field = fc.record({ class: dataClass, search: fc.boolean() }, { requiredKeys: ["class"] });
const others = fc.oneof(
  { weight: 4, arbitrary: fc.constantFrom(...paths.filter((name) => !Object.hasOwn(known, name))) },
  { weight: 1, arbitrary: path },
);
const resource = fc.dictionary(others, field, { maxKeys: 6 }).map((fields) => ({ subject: "id", fields: { ...known, ...fields } }));

const test = fc.constantFrom(
  "request.hour < 12",
  "request.weekday in [1, 2]",
  'request.purpose == "wide"',
  'agent.role == "r1"',
  "true",
  "has(record.a)",
  'record.a == "C0Z"',
  "record.b.c > 5",
  "record.b.d.e + 1 > 2",
  "size(record.tags) > 1",
  'record.tags.exists(t, t == "C1Z")',
  'record.items.all(i, i.x != "closed")',
  "daysBetween(request.date, record.a) < 3",
  "record.rows.exists(r, size(r.cells) > 1)",
  "int(record.b.c) / 0 == 1",
);
const condition = mostly<string>(
  fc.oneof(
    test,
    fc.tuple(test, fc.constantFrom("&&", "||", "=="), test).map(([one, and, other]) => `(${one}) ${and} (${other})`),
    test.map((one) => `!(${one})`),
  ),
  "request.huor < 3",
  "1 +",
  'record.a.matches("x")',
  "7",
);

const purposes = fc.subarray(["wide", "narrow", "unheard_of"], { minLength: 1 });
const asked = { purposes, when: condition };
const optional = { requiredKeys: [] };
const words = mostly<unknown>(fc.constantFrom("withhold", "pseudonymize", "mask", "reveal"), "revael", "generalize", 7, []);
const quota = mostly(fc.constant("20/day"), "lots");
const rule = fc.letrec<{ rule: unknown }>((tie) => {
  const withElse = (word: string, options: Record<string, fc.Arbitrary<unknown>>) =>
    fc
      .tuple(fc.record(options, optional), fc.option(tie("rule"), { nil: undefined, freq: 3 }))
      .map(([of, otherwise]) => ({ [word]: of, ...(otherwise !== undefined && { else: otherwise }) }));
  const profile = fc.constantFrom(...maskProfiles);
  return {
    rule: fc.oneof(
      { depthSize: "small" },
      { weight: 4, arbitrary: words },
      { weight: 4, arbitrary: withElse("mask", { ...asked, profile }) },
      { weight: 4, arbitrary: withElse("reveal", { ...asked, quota, reason: fc.constant("required"), seconds: fc.nat(30) }) },
      { weight: 3, arbitrary: withElse("pseudonymize", asked) },
      // Only three classes can be made coarser.
      { weight: 1, arbitrary: withElse("generalize", { ...asked, to: fc.constantFrom(...generalizations) }) },
    ),
  };
}).rule;

const role = fc.record(
  {
    extends: mostly(fc.constantFrom("r0", "r0", "r1"), "r9"),
    thing: fc
      .dictionary(path, rule, { maxKeys: 5 })
      .chain((rules) => fc.option(condition, { nil: null }).map((rows) => ({ ...rules, ...(rows !== null && { rows }) }))),
  },
  { requiredKeys: ["thing"] },
);

export interface Policy {
  readonly resources: { readonly thing: { readonly subject: string; readonly fields: Readonly<Record<string, unknown>> } };
  readonly roles: Readonly<Record<string, Readonly<Record<string, unknown>>>>;
}

/** A role extends one before it, and names the fields of the resource; mostly. */
export const policies = fc
  .record({
    thing: resource,
    roles: fc.array(role, { minLength: 1, maxLength: 3 }),
    isTidy: fc.integer({ min: 0, max: 19 }).map((n) => n > 0),
  })
  .map(({ thing, roles, isTidy }): Policy => {
    const tidy = ({ extends: parent, thing: rules, ...rest }: (typeof roles)[number], index: number) => ({
      ...rest,
      ...(parent !== undefined && (!isTidy || Number(parent[1]) < index) && { extends: parent }),
      thing: Object.fromEntries(Object.entries(rules).filter(([name]) => !isTidy || name === "rows" || Object.hasOwn(thing.fields, name))),
    });
    return { resources: { thing }, roles: Object.fromEntries(roles.map((one, index) => [`r${index}`, tidy(one, index)])) };
  });

/** Stands for a key that is data. */
const aKey = "a key";

/** Every text in it is a canary of its own, `C12Z`, and so is every key that is data. */
export interface Seeded {
  readonly document: JsonObject;
  /** Canary → the way to it: keys, `[]` for an element of a list, `$` for the JSON in a text. */
  readonly ways: ReadonlyMap<string, readonly string[]>;
}

type Shape =
  | "text"
  | 7
  | true
  | null
  | readonly Shape[]
  | { readonly json: Shape }
  | { readonly members: readonly (readonly [string, Shape])[] };

const keys = fc.constantFrom(
  "a",
  "b",
  "c",
  "d",
  "e",
  "items",
  "x",
  "y",
  "z",
  "tags",
  "map",
  "k",
  "l",
  "text",
  "p",
  "q",
  "r",
  "rows",
  "cells",
  "v",
  "json",
  "m",
  aKey,
  "constructor",
);
const shape = fc.letrec<{ shape: Shape }>((tie) => ({
  shape: fc.oneof(
    { depthSize: "small", withCrossShrink: true },
    fc.constantFrom<Shape>("text", "text", "text", 7, true, null),
    fc.array(tie("shape"), { maxLength: 3 }),
    fc.array(fc.tuple(keys, tie("shape")), { maxLength: 5 }).map((members) => ({ members })),
    tie("shape").map((json) => ({ json })),
  ),
})).shape;

/** Mostly what the paths describe, with any shape here and there. */
const text = fc.oneof({ weight: 9, arbitrary: fc.constant<Shape>("text") }, { weight: 1, arbitrary: shape });
const object = (members: Readonly<Record<string, fc.Arbitrary<Shape>>>): fc.Arbitrary<Shape> =>
  fc.record(members, { requiredKeys: [] }).map((made) => ({ members: Object.entries(made) as [string, Shape][] }));
const list = (item: fc.Arbitrary<Shape>): fc.Arbitrary<Shape> => fc.array(item, { maxLength: 2 });
const map = (item: fc.Arbitrary<Shape>): fc.Arbitrary<Shape> =>
  fc.dictionary(fc.constantFrom(aKey, "home", "7"), item, { maxKeys: 2 }).map((made) => ({ members: Object.entries(made) }));
const json = (inside: fc.Arbitrary<Shape>): fc.Arbitrary<Shape> => inside.map((made) => ({ json: made }));
const described = object({
  a: text,
  b: object({ c: text, d: object({ e: text }), json: json(object({ m: map(text) })) }),
  items: list(object({ x: text, y: object({ z: text }) })),
  tags: list(text),
  map: map(object({ k: text, l: list(text) })),
  text: json(object({ p: text, q: list(object({ r: text })) })),
  rows: list(object({ cells: list(object({ v: text })) })),
  x: text,
});

export const documents: fc.Arbitrary<Seeded> = fc
  .oneof(
    { weight: 3, arbitrary: described },
    { weight: 1, arbitrary: object({ a: shape, b: shape, items: shape, tags: shape, map: shape, text: shape, rows: shape, x: shape }) },
  )
  .map((made) => {
    const ways = new Map<string, readonly string[]>();
    return { document: seeded(made, [], ways) as JsonObject, ways };
  });

function seeded(made: Shape, way: readonly string[], ways: Map<string, readonly string[]>): Json {
  const canary = (here: readonly string[]) => {
    const name = `C${ways.size}Z`;
    ways.set(name, here);
    return name;
  };
  if (made === "text") return canary(way);
  if (typeof made !== "object" || made === null) return made;
  if ("json" in made) return printJson(seeded(made.json, [...way, "$"], ways));
  if (!("members" in made)) return made.map((item) => seeded(item, [...way, "[]"], ways));
  const named = made.members.map(([key, member]) => [key === aKey ? canary([...way, aKey, "key"]) : key, member] as const);
  return Object.fromEntries(named.map(([key, member]) => [key, seeded(member, [...way, key], ways)]));
}

/** Is what stands there part of the field's value? A text has all the JSON that is in it; what is plain may be a list. */
export function holds({ path, class: name }: { readonly path: string; readonly class: string }, way: readonly string[]): boolean {
  const wholes = [way, ...way.flatMap((step, place) => (step === "$" ? [way.slice(0, place)] : []))];
  return wholes.some((whole) => leads(path, whole) || (name === "plain" && whole.at(-1) === "[]" && leads(path, whole.slice(0, -1))));
}

/** Does the path of a policy lead this way? The JSON of a text may have been read already: then no text stands between. */
export function leads(path: string, way: readonly string[]): boolean {
  const steps = path.replaceAll(/(\[\]|\{\}|\$)/g, ".$1").split(".");
  return (
    isWay(steps, way) ||
    isWay(
      steps.filter((step) => step !== "$"),
      way,
    )
  );
}

function isWay(steps: readonly string[], way: readonly string[]): boolean {
  const fits = (step: string, taken: string | undefined) => step === taken || (step === "{}" && taken !== "[]" && taken !== "$");
  return steps.length === way.length && steps.every((step, place) => fits(step, way[place]));
}
