/**
 * From two files to a decision, and from a document to its levels and back.
 */
import { readFileSync } from "node:fs";
import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type Json, type JsonObject, parseJson, printJson } from "../src/kernel/index.ts";
import { classMasks, classNames, maskDocument, maskValue, type Treatment, treatmentNames } from "../src/masking/index.ts";
import {
  type Bundle,
  bundleDigest,
  bundleText,
  cap,
  compile,
  type Decision,
  decide,
  type Facts,
  mergeLevels,
  parseBundle,
  parseContract,
  parsePolicy,
  type Settled,
  settle,
  sortFields,
} from "../src/policy/index.ts";

const shipped = readFileSync(new URL("../policies/cs-standard.yaml", import.meta.url), "utf8");

function contractText(ceiling: string, roles = "[first_line, senior]"): string {
  return `contract: c-1
parties: { merchant: m-1, vendor: v-1 }
term: { start: 2026-01-01, end: 2027-01-01, zone: Asia/Shanghai }
purposes: { after_sales: {} }
ceiling: ${ceiling}
policy: cs-standard
roles: ${roles}
`;
}

const moment = { today: "2026-11-22", pseudonymKey: new Uint8Array(32).fill(7) };
const everything = `{ ${classNames.map((name) => `${name}: reveal`).join(", ")} }`;
const usual = "{ person_name: mask, phone: mask, email: mask, address: mask, plain: reveal }";

function compiled(policyText: string, contract: string): Bundle {
  const policy = parsePolicy(policyText, "p.yaml");
  const document = parseContract(contract, "c.yaml");
  if (!policy.ok || !document.ok) throw new Error(JSON.stringify([policy, document]));
  const bundle = compile(policy.value, document.value);
  if (!bundle.ok) throw new Error(JSON.stringify(bundle.refusal));
  return bundle.value;
}

const standard = compiled(shipped, contractText(usual));
/** The rule that holds where nothing is asked of it. */
const rule = (bundle: Bundle, role: string, path: string, type = "customer") => bundle.roles[role]?.[type]?.fields[path]?.at(-1);

const facts: Facts = {
  agent: { role: "first_line", issuer: "demo", subject: "li" },
  contract: { id: "c-1", merchant: "m-1", vendor: "v-1" },
  request: { hour: 9, minute: 30, weekday: 1, date: "2026-03-02", network: "", purpose: "after_sales", ticket: "" },
  record: {},
};

function settled(decision: Decision | null): Settled {
  if (!decision) throw new Error("no decision");
  return settle(decision, facts);
}

/** Where the shipped policy says `text` within a role, from 1. */
function lineOf(text: string, role: string): number {
  const before = shipped.slice(0, shipped.indexOf(text, shipped.indexOf(`\n  ${role}:\n`)));
  return before.split("\n").length;
}

describe("the effective policy", () => {
  it("gives every role a rule with its reason for every field", () => {
    for (const role of ["first_line", "senior"]) {
      for (const [type, resource] of Object.entries(standard.resources)) {
        expect(Object.keys(standard.roles[role]?.[type]?.fields ?? {}).sort()).toEqual(Object.keys(resource.fields).sort());
      }
    }
    expect(rule(standard, "first_line", "phone")).toEqual({
      treatment: "mask",
      why: `role first_line: phone → mask (p.yaml:${lineOf("phone: mask", "first_line")})`,
      at: { file: "p.yaml", line: lineOf("phone: mask", "first_line") },
    });
    expect(rule(standard, "first_line", "id_card")).toEqual({ treatment: "withhold", why: "role first_line has no rule for id_card" });
    expect(rule(standard, "senior", "id_card")).toMatchObject({
      treatment: "withhold",
      why: `above the contract's ceiling (p.yaml:${lineOf("id_card: mask", "senior")})`,
    });
    expect(rule(standard, "senior", "phone")).toMatchObject({
      treatment: "mask",
      why: `role senior: phone → reveal; the contract's ceiling: mask (p.yaml:${lineOf("phone: reveal", "senior")})`,
    });
    // Inherited: the line is the one where it is written.
    const inherited = `role senior: name → mask (p.yaml:${lineOf("name: mask", "first_line")})`;
    expect(rule(standard, "senior", "name")).toMatchObject({ treatment: "mask", why: inherited });
  });

  it("withholds free text even where policy and contract would show it", () => {
    const text =
      "resources: { customer: { subject: id, fields: { note: { class: free_text } } } }\nroles: { first_line: { customer: { note: reveal } } }\n";
    expect(rule(compiled(text, contractText(everything, "[first_line]")), "first_line", "note")).toMatchObject({
      treatment: "withhold",
      why: "free text is withheld until it can be redacted",
    });
  });

  it("never exceeds the contract's ceiling, nor the role's own rule", () => {
    const treatment = fc.constantFrom<Treatment>(...treatmentNames.filter((name) => name !== "generalize"));
    fc.assert(
      fc.property(treatment, fc.option(treatment), (own, ceiling) => {
        const text = `resources: { customer: { subject: id, fields: { phone: { class: phone } } } }\nroles: { first_line: { customer: { phone: ${own} } } }\n`;
        const got = rule(
          compiled(text, contractText(ceiling === null ? "{}" : `{ phone: ${ceiling} }`, "[first_line]")),
          "first_line",
          "phone",
        )?.treatment;
        expect(got).toBe(cap(own, ceiling ?? "withhold"));
        if (got !== undefined) expect([cap(got, own), cap(got, ceiling ?? "withhold")]).toEqual([got, got]);
      }),
    );
  });

  it("is refused where the contract names a role that the policy has not", () => {
    const policy = parsePolicy(shipped, "p.yaml");
    const contract = parseContract(contractText(usual, "[first_line, senor]"), "c.yaml");
    if (!policy.ok || !contract.ok) throw new Error("does not parse");
    expect(compile(policy.value, contract.value)).toMatchObject({
      ok: false,
      refusal: [{ file: "c.yaml", line: 7, column: 21, code: "unknown_role", hint: "did you mean senior?" }],
    });
  });

  it("of an empty policy denies everything", () => {
    const bundle = compiled("", contractText(everything));
    expect(decide(bundle, { role: "first_line", type: "customer", purpose: "after_sales" })).toBeNull();
  });

  it("holds only the roles of the contract", () => {
    expect(Object.keys(compiled(shipped, contractText(usual, "[first_line]")).roles)).toEqual(["first_line"]);
  });

  it("is one text with one digest, and reads back equal", () => {
    const text = bundleText(standard);
    expect(parseBundle(text)).toEqual(standard);
    expect(bundleText(parseBundle(text))).toBe(text);
    expect(bundleDigest(text)).toMatch(/^sha256:[0-9a-f]{64}$/);
    expect(bundleDigest(text)).toBe(bundleDigest(bundleText(compiled(shipped, contractText(usual)))));
    expect(() => parseBundle(text.replace('"mask"', '"show"'))).toThrow();
  });
});

describe("a decision", () => {
  const question = { role: "first_line", type: "customer", purpose: "after_sales" };

  it("names the levels to open, and every field that is not simply shown", () => {
    const decision = settled(decide(standard, question));
    expect(decision.levels).toEqual([0, 1, 2]);
    expect(decision.masking.map(({ path }) => path).sort()).toEqual([
      "address",
      "email",
      "id_card",
      "name",
      "note",
      "phone",
      "registered_at",
    ]);
    expect(decision.masking.find(({ path }) => path === "phone")).toEqual({
      path: "phone",
      class: "phone",
      treatment: "mask",
      why: `role first_line: phone → mask (p.yaml:${lineOf("phone: mask", "first_line")})`,
      can: [],
    });
    expect(settled(decide(compiled(shipped, contractText("{ plain: reveal }")), question)).levels).toEqual([0]);
  });

  it("is made once for a bundle, a role and a type", () => {
    expect(decide(standard, question)).toBe(decide(standard, { ...question }));
  });

  it("is none for a role, type or purpose that the contract has not", () => {
    for (const name of ["nobody", "__proto__", "constructor", "toString", ""]) {
      for (const key of ["role", "type", "purpose"]) expect(decide(standard, { ...question, [key]: name })).toBeNull();
    }
  });

  it("shows a senior everything that it shows the first line", () => {
    const customer = parseJson(
      '{"name":"林黛玉","phone":"13812345678","email":"lin@126.com","address":"浙江省杭州市西湖区文三路","vip":true,"registered_at":"2020-01-01"}',
    ) as JsonObject;
    for (const ceiling of [usual, everything]) {
      const bundle = compiled(shipped, contractText(ceiling));
      const [low, high] = ["first_line", "senior"].map((role) => settled(decide(bundle, { ...question, role })));
      if (!low || !high) throw new Error("no decision");
      const rank = (treatment: Treatment | undefined) => treatmentNames.indexOf(treatment ?? "withhold");
      const shown = maskDocument(high.plan, customer, moment).shown;
      for (const [path, treatment] of Object.entries(maskDocument(low.plan, customer, moment).shown))
        expect(rank(shown[path])).toBeGreaterThanOrEqual(rank(treatment));
    }
  });
});

const order = standard.resources.order ?? { subject: { type: "", path: null }, fields: {} };

describe("a document sorted into levels", () => {
  it("counts what the policy does not name, hiding keys that may be data", () => {
    const sorted = sortFields(
      order,
      parseJson(
        '{"order_no":"1","user":{"a":1},"13800001234":1,"card_7815826":1,"林黛玉":1,"items":[{"title":"a","options":{"x":1}},{"options":1}],"receiver":"林","__proto__":1}',
      ) as JsonObject,
    );
    expect([...sorted.unnamed].sort()).toEqual(["*", "__proto__", "items[].options", "receiver", "user"]);
    expect(printJson(mergeLevels(sorted.levels.filter((level) => level !== undefined)))).toBe(
      '{"order_no":"1","items":[{"title":"a"},{}]}',
    );
  });

  it("keeps each value at its class's level, in its place", () => {
    const { levels } = sortFields(
      order,
      parseJson('{"receiver":{"name":"林黛玉","mobile":"13812345678"},"items":[{"x":1},{"price":1.50}]}') as JsonObject,
    );
    expect(levels.map((level) => (level === undefined ? null : printJson(level)))).toEqual([
      '{"items":[{},{"price":1.50}]}',
      '{"receiver":{"name":"林黛玉"}}',
      '{"receiver":{"mobile":"13812345678"}}',
      null,
    ]);
  });

  it("gives the index every searchable value once, normalized", () => {
    const { searchable } = sortFields(order, { receiver: { mobile: "138-1234-5678" }, tracking_no: " SF12 " });
    expect(searchable).toEqual([
      { field: "receiver.mobile", value: "+8613812345678" },
      { field: "tracking_no", value: "sf12" },
    ]);
  });

  it("finds the subject only where a text stands", () => {
    expect(sortFields(order, { customer_id: "C1" }).subjectReference).toBe("C1");
    for (const reference of ["", null, 1, ["C1"], { id: "C1" }])
      expect(sortFields(order, { customer_id: reference }).subjectReference).toBeNull();
    expect(sortFields(order, {}).subjectReference).toBeNull();
  });

  it("is, merged again, the document without what nobody named", () => {
    const leaf = fc.oneof(fc.string(), fc.integer(), fc.constant(null), fc.array(fc.integer(), { maxLength: 2 }));
    const item = fc.record({ title: leaf, price: leaf, other: leaf }, { requiredKeys: [] });
    const receiver = fc.record({ name: leaf, mobile: leaf, address: leaf, other: leaf }, { requiredKeys: [] });
    const any = fc.record(
      { order_no: leaf, amount: leaf, other: leaf, receiver, items: fc.array(item, { maxLength: 4 }) },
      { requiredKeys: [] },
    );
    fc.assert(
      fc.property(any, (value) => {
        const { levels } = sortFields(order, value as JsonObject);
        const merged = mergeLevels(levels.filter((level) => level !== undefined));
        expect(JSON.parse(printJson(merged))).toEqual(restricted(value as Record<string, Json>));
      }),
    );
  });
});

/** What `any` above keeps: named fields only, structure without a named value dropped. */
function restricted(value: Record<string, Json>): unknown {
  const kept = ({ other: _other, ...rest }: Record<string, Json>) => rest;
  const { receiver, items, ...rest } = kept(value);
  const people = receiver === undefined ? {} : kept(receiver as Record<string, Json>);
  const lines = items === undefined ? [] : (items as Record<string, Json>[]).map(kept);
  return JSON.parse(
    JSON.stringify({
      ...rest,
      ...(Object.keys(people).length === 0 ? {} : { receiver: people }),
      ...(lines.every((line) => Object.keys(line).length === 0) ? {} : { items: lines }),
    }),
  );
}

describe("the order of permission", () => {
  it("is a cap: commutative, never above either side", () => {
    for (const a of treatmentNames) {
      expect(cap(a, a)).toBe(a);
      for (const b of treatmentNames) expect(cap(a, b)).toBe(cap(b, a));
    }
    expect([cap("reveal", "mask"), cap("mask", "withhold"), cap("reveal", "withhold")]).toEqual(["mask", "withhold", "withhold"]);
  });

  it("is monotone in characters: withhold shows none, mask no more than reveal", () => {
    const shown = (value: Json) => (typeof value === "string" ? value.replace(/^\[敏感.*\]$/, "").replaceAll("*", "").length : 0);
    for (const name of classNames) {
      for (const value of ["13812345678", "林黛玉", "daniel@126.com", "6222021234562631"]) {
        expect(shown(maskValue(name, value))).toBeLessThanOrEqual(shown(classMasks[name].reveal(value)));
      }
    }
  });
});
