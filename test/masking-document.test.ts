/**
 * Whole documents: a field that no plan names never leaves, and a withheld one looks the same whether it is there or not.
 */
import * as fc from "fast-check";
import { describe, expect, it, vi } from "vitest";
import { type Json, type JsonObject, parseJson, printJson } from "../src/kernel/index.ts";
import { compilePlan, type MaskingPlan, maskDocument as maskAt, type PlannedField, parsePath } from "../src/masking/index.ts";
import { runs, runsTimeoutMs } from "./support/long.ts";

vi.setConfig({ testTimeout: runsTimeoutMs });

const field = (path: string, name: PlannedField["class"], treatment: PlannedField["treatment"]): PlannedField => ({
  path,
  class: name,
  treatment,
});
const moment = { today: "2026-11-22", pseudonymKey: new Uint8Array(32).fill(7) };
const maskDocument = (plan: MaskingPlan, value: JsonObject) => maskAt(plan, value, moment);
const document = (text: string): JsonObject => parseJson(text) as JsonObject;

const plan = compilePlan([
  field("order_no", "plain", "reveal"),
  field("amount", "plain", "reveal"),
  field("receiver.name", "person_name", "mask"),
  field("receiver.mobile", "phone", "reveal"),
  field("receiver.address", "address", "withhold"),
  field("items[].title", "plain", "reveal"),
  field("items[].engraving", "free_text", "withhold"),
  field("items[].gift.to", "person_name", "mask"),
  field("items[].gift.card", "payment_card", "withhold"),
  field("phones[]", "phone", "mask"),
  field("notes[].text", "free_text", "withhold"),
  field("id_card", "resident_id", "withhold"),
]);

describe("a document masked by a plan", () => {
  it("holds each named field at its treatment, in its place, and nothing else", () => {
    const masked = maskDocument(
      plan,
      document(`{"order_no":"#W1","amount":47.840,"extra":"x","receiver":{"name":"林黛玉","mobile":"13812345678","address":"浙江省杭州市西湖区","x":1},
        "items":[{"title":"杯","engraving":"给黛玉","secret":1,"gift":{"to":"贾宝玉","card":"6222021234562631"}},{"title":"壶"}],"phones":["13812345678",13800138000],"notes":[{"text":"a"}]}`),
    );
    expect(JSON.parse(printJson(masked.fields))).toEqual({
      order_no: "#W1",
      amount: 47.84,
      receiver: { name: "林**", mobile: "13812345678", address: null },
      items: [{ title: "杯", gift: { to: "贾**" } }, { title: "壶" }],
      phones: ["138****5678", null],
      notes: null,
      id_card: null,
    });
    expect(printJson(masked.fields)).toContain('"amount":47.840');
  });

  it("says which fields left, and at which treatment", () => {
    const { shown } = maskDocument(
      plan,
      document('{"order_no":"#W1","amount":null,"receiver":{"name":["林"],"mobile":"1"},"items":[{"gift":{"to":"贾宝玉"}}],"id_card":"3"}'),
    );
    expect(shown).toEqual({ order_no: "reveal", "receiver.mobile": "reveal", "items[].gift.to": "mask" });
  });

  it("says nothing of whether a withheld field is there", () => {
    const empty = maskDocument(plan, {}).fields;
    expect(empty).toEqual({ receiver: { address: null }, notes: null, id_card: null });
    expect(maskDocument(plan, document('{"id_card":"330106199001011234","notes":[{},{}],"receiver":{"address":"x"}}')).fields).toEqual(
      empty,
    );
  });

  it("withholds what has another shape than the plan names", () => {
    const { fields, shown } = maskDocument(
      plan,
      document('{"order_no":{"a":1},"receiver":"林黛玉 13812345678","items":{"title":"x"},"phones":"13812345678"}'),
    );
    expect(fields).toEqual({ order_no: null, receiver: { address: null }, items: null, phones: null, notes: null, id_card: null });
    expect(shown).toEqual({});
    expect(maskDocument(plan, document('{"items":["林黛玉",null,[1],{"title":[["x"]]}]}')).fields.items).toEqual([
      null,
      null,
      null,
      { title: null },
    ]);
  });

  it("takes no field from a prototype, and gives none to one", () => {
    const inherited = compilePlan([field("constructor", "plain", "reveal"), field("toString.name", "plain", "reveal")]);
    expect(maskDocument(inherited, {}).fields).toEqual({});
    maskDocument(plan, document('{"__proto__":{"polluted":1},"receiver":{"__proto__":{"polluted":1},"name":"林黛玉"}}'));
    expect("polluted" in {}).toBe(false);
    expect(parsePath("__proto__")).toBeNull();
    expect(parsePath("a.__proto__.b")).toBeNull();
  });

  it("refuses a plan whose paths overlap", () => {
    for (const [a, b] of [
      ["a", "a.b"],
      ["a.b", "a"],
      ["a", "a[]"],
      ["a[]", "a[].b"],
      ["a[].b", "a[]"],
      ["a[].b", "a.b"],
      ["a", "a"],
    ] as const) {
      expect(() => compilePlan([field(a, "plain", "reveal"), field(b, "plain", "reveal")])).toThrow(RangeError);
    }
  });
});

const canary = "CANARY13800001234";
const keys = fc.constantFrom(
  "order_no",
  "receiver",
  "name",
  "items",
  "title",
  "phones",
  "id_card",
  "notes",
  "text",
  "unknown",
  "__proto__",
  "constructor",
);
const hostile: fc.Arbitrary<Json> = fc.letrec<{ value: Json }>((tie) => ({
  value: fc.oneof(
    { depthSize: "small", withCrossShrink: true },
    fc.constantFrom<Json>(canary, 7, true, null),
    fc.array(tie("value"), { maxLength: 3 }),
    fc.array(fc.tuple(keys, tie("value")), { maxLength: 5 }).map((members) => {
      const object: Record<string, Json> = Object.create(null);
      for (const [key, value] of members) object[key] = value;
      return object;
    }),
  ),
})).value;

describe("a document of any shape", () => {
  it("lets no value out but through a path that is shown", () => {
    const closed = compilePlan([
      field("order_no", "person_name", "mask"),
      field("receiver.name", "phone", "mask"),
      field("items[].title", "email", "mask"),
      field("items[].text", "plain", "withhold"),
      field("phones[]", "payment_card", "mask"),
      field("notes[].text", "free_text", "mask"),
      field("id_card", "resident_id", "mask"),
    ]);
    fc.assert(
      fc.property(fc.dictionary(keys, hostile), (value) => {
        const text = printJson(maskDocument(closed, value).fields);
        expect(text).not.toContain("CANARY");
        expect(text).not.toContain("unknown");
        expect(text).not.toMatch(/[7]|true/);
      }),
      { numRuns: runs(2000) },
    );
  });
});
