/**
 * Paths into maps whose keys are data, and into JSON inside texts: what leaves, what is stored, and that both agree.
 */
import * as fc from "fast-check";
import { describe, expect, it, vi } from "vitest";
import { type Json, type JsonObject, parseJson, printJson } from "../src/kernel/index.ts";
import { buildTrie, compilePlan, maskDocument, PathSet, type PlannedField, parsePath } from "../src/masking/index.ts";
import { mergeLevels, type Resource, sortFields } from "../src/policy/index.ts";
import { runs, runsTimeoutMs } from "./support/long.ts";

vi.setConfig({ testTimeout: runsTimeoutMs });

const moment = { today: "2026-11-22", pseudonymKey: new Uint8Array(32).fill(7) };
const document = (text: string): JsonObject => parseJson(text) as JsonObject;

const fields: readonly PlannedField[] = [
  { path: "phones{}.number", class: "phone", treatment: "mask" },
  { path: "phones{}.label", class: "plain", treatment: "reveal" },
  { path: "phones{}.pin", class: "secret", treatment: "reveal" },
  { path: "tags{}[]", class: "plain", treatment: "reveal" },
  { path: "payload$.receiver.mobile", class: "phone", treatment: "mask" },
  { path: "payload$.amount", class: "plain", treatment: "reveal" },
  { path: "payload$.note", class: "free_text", treatment: "withhold" },
  { path: "events[].body$[].name", class: "person_name", treatment: "mask" },
  { path: "events[].at", class: "plain", treatment: "reveal" },
];
const plan = compilePlan(fields);
const resource: Resource = {
  subject: { type: "order", path: null },
  fields: Object.fromEntries(fields.map(({ path, class: name }) => [path, { class: name, search: path === "phones{}.number" }])),
};
const masked = (value: JsonObject) => maskDocument(plan, value, moment);
const stored = (value: JsonObject) => mergeLevels(sortFields(resource, value).levels.filter((level) => level !== undefined));

const order = document(`{
  "phones": { "13800001234": { "number": "13812345678", "label": "home", "pin": "1234" }, "noah_brown_6181": { "number": "+44 20 7946 1234" } },
  "tags": { "林黛玉": ["vip", "new"] },
  "payload": "{\\"receiver\\":{\\"mobile\\":\\"13812345678\\",\\"name\\":\\"林黛玉\\"},\\"amount\\":47.840,\\"note\\":\\"打13812345678\\",\\"id\\":2188082354079975123}",
  "events": [ { "at": "2026-11-01", "body": "[{\\"name\\":\\"林黛玉\\"},{\\"name\\":[1]}]" }, { "at": "2026-11-02", "body": "林黛玉 13812345678" } ]
}`);

describe("a path", () => {
  it("names keys, lists, maps and JSON inside texts", () => {
    expect(parsePath("events[].body$[].name")).toEqual(["events", "[]", "body", "$", "[]", "name"]);
    expect(parsePath("a{}{}[].b")).toEqual(["a", "{}", "{}", "[]", "b"]);
    for (const path of ["a$", "a[]$", "a$$.b", "{}.a", "$.a", "a.{}", "a{x}", "a[0]", "a{", "", "a..b", "a".repeat(300), "a[]".repeat(9)])
      expect(parsePath(path), path).toBeNull();
  });

  it("is refused beside one that says something else of the same place", () => {
    for (const [a, b] of [
      ["a{}", "a.b"],
      ["a[]", "a{}"],
      ["a$.b", "a.b"],
      ["a$.b", "a"],
      ["a$[].b", "a$.b"],
    ] as const) {
      const plain = { class: "plain", treatment: "reveal" } as const;
      expect(
        () =>
          compilePlan([
            { path: a, ...plain },
            { path: b, ...plain },
          ]),
        `${a} ${b}`,
      ).toThrow(RangeError);
    }
  });
});

describe("a set of paths", () => {
  it("takes, one by one, what can stand in one tree, and nothing else", () => {
    const step = fc.constantFrom("a", "b", "a[]", "a{}", "b$", "a[][]", "b{}[]");
    const path = fc
      .array(step, { minLength: 1, maxLength: 3 })
      .map((steps) => steps.join("."))
      .filter((text) => parsePath(text) !== null);
    fc.assert(
      fc.property(fc.array(path, { maxLength: 8 }), (paths) => {
        const set = new PathSet();
        const taken: string[] = [];
        for (const one of paths) {
          const fits = set.add(parsePath(one) ?? []);
          expect([one, ...taken, fits]).toEqual([one, ...taken, isTree([...taken, one])]);
          if (fits) taken.push(one);
        }
      }),
      { numRuns: runs(500) },
    );
  });
});

function isTree(paths: readonly string[]): boolean {
  try {
    buildTrie(paths.map((path) => [path, null]));
    return true;
  } catch {
    return false;
  }
}

describe("a masked document", () => {
  it("numbers the members of a map, because its keys may be data", () => {
    const { fields: out } = masked(order);
    expect(out.phones).toEqual({ 1: { number: "138****5678", label: "home", pin: null }, 2: { number: "+44 ****1234" } });
    expect(out.tags).toEqual({ 1: ["vip", "new"] });
    expect(printJson(out)).not.toMatch(/13800001234|noah|黛玉/);
  });

  it("holds the JSON of a text masked, in its digits, printed again; a text that is none is withheld", () => {
    const { fields: out, shown, unknown } = masked(order);
    expect(out.payload).toBe('{"receiver":{"mobile":"138****5678"},"amount":47.840,"note":null}');
    expect(out.events).toEqual([
      { at: "2026-11-01", body: '[{"name":"林**"},{"name":null}]' },
      { at: "2026-11-02", body: null },
    ]);
    expect(shown).toEqual({
      "events[].at": "reveal",
      "events[].body$[].name": "mask",
      "payload$.amount": "reveal",
      "payload$.receiver.mobile": "mask",
      "phones{}.label": "reveal",
      "phones{}.number": "mask",
      "tags{}[]": "reveal",
    });
    // receiver.name and id inside the payload, a list as a name, a body that is no JSON.
    expect(unknown).toBe(4);
  });

  it("withholds a key that stands twice, too deep a text, scalars and lists where an object is named", () => {
    for (const payload of [
      '{"amount":1,"amount":2}',
      `${'{"amount":'.repeat(60)}1${"}".repeat(60)}`,
      '"13812345678"',
      "13812345678",
      "null",
      "{",
      "",
    ])
      expect(masked({ payload }).fields.payload, payload).toBeNull();
    expect(masked({ payload: "[13812345678]" }).fields.payload).toBe('{"note":null}');
    expect(masked({ phones: ["13812345678"], tags: "x" }).fields).toMatchObject({ phones: null, tags: null });
  });

  it("counts what it withholds: members that nobody named, shapes that nobody named", () => {
    expect(masked(document('{"x":1,"y":{"z":1},"phones":7,"events":{"a":1},"payload":{"amount":{"a":1},"q":1}}')).unknown).toBe(6);
    expect(masked({}).unknown).toBe(0);
  });

  it("withholds a list or a map that is longer than any that we read", () => {
    const many = Array.from({ length: 10_001 }, () => ({ at: "x" }));
    expect(masked({ events: many, phones: { ...many } }).fields).toMatchObject({ events: null, phones: null });
    expect(masked({ events: many.slice(1) }).fields.events).toHaveLength(10_000);
  });
});

const canary = "CANARY13800001234";
const key = fc.constantFrom(
  "phones",
  "number",
  "label",
  "tags",
  "payload",
  "receiver",
  "mobile",
  "events",
  "body",
  "name",
  "at",
  canary,
  "__proto__",
);
const hostile: fc.Arbitrary<Json> = fc.letrec<{ value: Json }>((tie) => ({
  value: fc.oneof(
    { depthSize: "small", withCrossShrink: true },
    fc.constantFrom<Json>(canary, 7, true, null),
    fc.array(tie("value"), { maxLength: 3 }),
    fc.array(fc.tuple(key, tie("value")), { maxLength: 5 }).map((members) => {
      const object: Record<string, Json> = Object.create(null);
      for (const [name, value] of members) object[name] = value;
      return object;
    }),
    tie("value").map((value) => JSON.stringify(value)),
  ),
})).value;

describe("a document of any shape, with maps and with JSON in its texts", () => {
  it("lets nothing out but what a path names, at its treatment: no key of a map, no text that is not JSON", () => {
    const closed = compilePlan([
      { path: "phones{}.number", class: "phone", treatment: "mask" },
      { path: "phones{}.label", class: "secret", treatment: "reveal" },
      { path: "tags{}[]", class: "email", treatment: "mask", profile: "hutool" },
      { path: "payload$.receiver.mobile", class: "person_name", treatment: "mask", profile: "strict" },
      { path: "payload$.events[]", class: "resident_id", treatment: "mask" },
      { path: "events[].body$[].name", class: "payment_card", treatment: "mask" },
      { path: "events[].body$[].phones{}", class: "phone", treatment: "pseudonymize" },
      { path: "events[].at", class: "birth_date", treatment: "generalize", to: "year" },
    ]);
    fc.assert(
      fc.property(fc.dictionary(key, hostile), (value) => {
        expect(printJson(maskDocument(closed, value, moment).fields)).not.toMatch(/CANARY|true|__proto__/);
      }),
      { numRuns: runs(1000) },
    );
  });
});

describe("a document on its way into the vault", () => {
  it("leaves the keys of maps, what is unnamed inside texts, and secrets behind", () => {
    const sorted = sortFields(resource, order);
    expect([...sorted.unnamed].sort()).toEqual(["events[].body", "payload$.id", "payload$.receiver.name", "phones{}.pin"]);
    expect(sorted.searchable).toEqual([
      { field: "phones{}.number", value: "+8613812345678" },
      { field: "phones{}.number", value: "+442079461234" },
    ]);
    const kept = sorted.levels.map((level) => (level === undefined ? "" : printJson(level))).join("\n");
    expect(kept).not.toMatch(/13800001234|noah|林黛玉":|2188082354079975123|"pin"/);
    expect(kept).toContain("47.840");
  });

  it("is masked afterwards as it would have been before", () => {
    expect(withoutNothing(masked(stored(order)).fields)).toEqual(withoutNothing(masked(order).fields));
    const leaf = fc.oneof(fc.constantFrom<Json>("13812345678", "林黛玉", 7, true, null, "x"), fc.constant<Json>(["a"]));
    const inner = fc.record(
      { receiver: fc.record({ mobile: leaf, x: leaf }, { requiredKeys: [] }), amount: leaf, note: leaf },
      { requiredKeys: [] },
    );
    const any = fc.record(
      {
        phones: fc.dictionary(
          fc.constantFrom("13800001234", "noah", "7", "home"),
          fc.record({ number: leaf, label: leaf, pin: leaf }, { requiredKeys: [] }),
        ),
        payload: fc.oneof(
          inner.map((value) => JSON.stringify(value)),
          leaf,
        ),
        events: fc.array(
          fc.record({
            at: leaf,
            body: fc.oneof(
              leaf,
              fc.array(fc.record({ name: leaf })).map((value) => JSON.stringify(value)),
            ),
          }),
          { maxLength: 3 },
        ),
        other: leaf,
      },
      { requiredKeys: [] },
    );
    fc.assert(
      fc.property(any, (value) => {
        const [before, after] = [value as JsonObject, stored(value as JsonObject)].map((from) =>
          printJson(withoutNothing(masked(from).fields) ?? {}),
        );
        expect(after).toBe(before);
      }),
      { numRuns: runs(500) },
    );
  });
});

/** Without what holds no value: an empty list or object that was not worth storing is absent afterwards. */
function withoutNothing(value: Json): Json | undefined {
  if (typeof value === "string" && /^[[{]/.test(value)) return withoutNothing(parseJson(value));
  if (value === null || typeof value !== "object") return value ?? undefined;
  const kept = Object.entries(value).flatMap(([key, member]) => {
    const left = withoutNothing(member);
    return left === undefined ? [] : [[key, left] as const];
  });
  return kept.length === 0 ? undefined : Object.fromEntries(kept);
}
