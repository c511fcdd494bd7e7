/**
 * What may be written in policy and contract files beyond one word a field, and what a condition may not say. Each message: policy-check.test.ts.
 */
import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import {
  checkFiles,
  compile,
  describeProblem,
  fileJsonSchema,
  fileKinds,
  type Problem,
  parseContract,
  parsePolicy,
} from "../src/policy/index.ts";
import { cpuMilliseconds } from "./support/cpu-time.ts";
import { contract, policy, problemsOf } from "./support/small-policy.ts";

/** The problems of the policy in which the senior's phone is written so. */
const written = (rule: string) => problemsOf(parsePolicy(policy.replace("phone: reveal", `phone: ${rule}`), "p.yaml"));

describe("a rule", () => {
  it.each([
    "withhold",
    "pseudonymize",
    "{ mask: {} }",
    "{ mask: { profile: strict } }",
    "{ pseudonymize: { purposes: [after_sales] } }",
    "{ reveal: { purposes: [after_sales, logistics], when: 'request.hour < 18', quota: 20/day, reason: required, seconds: 30 } }",
    "{ reveal: { purposes: [after_sales] }, else: mask }",
    "{ reveal: { when: 'record.status == \"open\"' }, else: { mask: { when: agent.role == 'senior' }, else: { mask: { profile: strict } } } }",
    "{ reveal: { quota: 20/day, purposes: [after_sales] }, else: { reveal: { quota: 5/day } } }",
  ])("may be %s", (rule) => {
    expect(written(rule).map(describeProblem)).toEqual([]);
  });
});

describe("a condition", () => {
  it.each([
    ["of a field that is not there", 'record.statsu == "open"', "did you mean status?"],
    ["of a field that is not plain", 'record.phone == "1"', "plain fields alone"],
    ["of an element's field that is not there", 'record.items.exists(i, i.skuu == "a")', "did you mean sku?"],
    ["of a variable that is not there", "reqest.hour < 18", "did you mean request?"],
    ["of an attribute that is not there", 'agent.rol == "senior"', "did you mean role?"],
    ["that compares an hour with a text", 'request.hour < "18"', "int < string"],
    ["that is no yes or no", "request.hour", "compare it with something"],
    ["that is no expression", "request.hour <", "at character"],
    ["that is empty", "", "at character 1"],
    ["with a text that does not end", 'record.status == "open', "unterminated"],
    ["that calls matches", 'record.status.matches("(a+)+$")', "contains, startsWith, endsWith"],
    ["that calls matches on what it made", '("a" + record.status).matches("a")', "matches is not accepted"],
    ["that nests comprehensions", "record.items.exists(i, record.items.exists(j, i.sku == j.sku))", "one of all, exists"],
    ["that nests one in what another filters", "record.items.filter(i, record.items.all(j, j == i)).size() > 0", "one of all, exists"],
    ["that builds values", "record.items.map(i, i.sku).size() > 0", "there are all, exists"],
    ["that binds values", "cel.bind(x, record.status + record.status, x == x)", "no function"],
    ["that hides a type", "dyn(record).statsu == 1", "no function"],
    ["that takes an element by its place", 'record.items[0].sku == "a"', "exists or all"],
    ["that runs long", `${"record.status + ".repeat(40)}"" == "x"`, "shorter"],
    ["of 1,001 characters", `record.status == "${"x".repeat(983)}"`, "1000 characters"],
    ["that is deeper than it is long", `${"(".repeat(400)}true${")".repeat(400)}`, "shorter"],
  ])("%s is refused", (_what, text, said) => {
    const quoted = `'${text.replaceAll("'", "''")}'`;
    for (const [rules, place] of [
      [`{ reveal: { when: ${quoted} } }`, "18:32 bad_condition"],
      [`reveal\n      rows: ${quoted}`, "19:13 bad_condition"],
    ] as const) {
      const found = written(rules);
      expect(found.map(({ line, column, code }) => `${line}:${column} ${code}`)).toEqual([place]);
      expect(found.map(describeProblem).join("\n")).toContain(said);
      expect(found.map(describeProblem).join("\n").length).toBeLessThan(400);
      expect(found.every(({ hint }) => hint !== undefined)).toBe(true);
    }
  });

  it("that is no text is refused, and so are more than anybody could read", () => {
    expect(written("reveal\n      rows: { a: b }")).toMatchObject([{ line: 19, column: 13, code: "bad_condition" }]);
    const chain = (depth: number, n: number): string =>
      depth === 0 ? "mask" : `{ mask: { when: 'request.hour < ${n * 100 + depth}' }, else: ${chain(depth - 1, n)} }`;
    const many = `${chain(6, 1)}\n      address: ${chain(6, 2)}\n      status: ${chain(6, 3).replaceAll("mask", "reveal")}\n`;
    const wide = policy.replace("phone: reveal", `phone: ${many}`);
    expect(problemsOf(parsePolicy(wide, "p.yaml"))).toEqual([]);
    const fields = Array.from({ length: 33 }, (_, n) => `f${n}`);
    const rules = fields.map((name, n) => `${name}: { reveal: { when: "request.hour < ${n}" } }`);
    const head = `resources:\n  customer:\n    subject: id\n    fields: { ${fields.map((name) => `${name}: { class: plain }`).join(", ")} }\nroles:\n`;
    const role = (name: string, from: number, to: number) => `  ${name}:\n    customer: { ${rules.slice(from, to).join(", ")} }\n`;
    expect(problemsOf(parsePolicy(head + role("a", 0, 33), "p.yaml"))).toMatchObject([{ line: 7, column: 5, code: "too_many_conditions" }]);
    // What is inherited is asked as well.
    const [one, other] = [role("a", 0, 17), role("b", 17, 33)];
    expect(problemsOf(parsePolicy(head + one + other, "p.yaml"))).toEqual([]);
    const heir = other.replace("  b:\n", "  b:\n    extends: a\n");
    expect(problemsOf(parsePolicy(head + one + heir, "p.yaml"))).toMatchObject([{ line: 10, column: 5, code: "too_many_conditions" }]);
  });

  it("cannot be the name of a field", () => {
    expect(problemsOf(parsePolicy(policy.replace("status: {", "rows: {"), "p.yaml"))[0]).toMatchObject({ line: 7, code: "wrong_value" });
  });
});

describe("a contract", () => {
  it("may have hours, networks and purposes that need less", () => {
    const text = `${contract.replace("{ after_sales: {} }", "{ after_sales: { preset: after_sales }, ads: { classes: [] } }").replace("phone: reveal", "phone: { mask: { profile: strict } }")}hours:
  - { days: mon-fri, from: "09:00", to: "18:00" }
  - { days: [sat, sun-mon], from: "22:00", to: "06:00" }
  - { from: "12:00", to: "24:00" }
networks: { office: [203.0.113.0/24], vpn: ["2001:db8::/32", 198.51.100.7] }
`;
    expect(parseContract(text, "c.yaml")).toMatchObject({
      ok: true,
      value: {
        purposes: { after_sales: { classes: ["phone"] }, ads: { classes: [] } },
        hours: [
          { days: [1, 2, 3, 4, 5], from: 540, to: 1080 },
          { days: [1, 6, 7], from: 1320, to: 360 },
          { days: [1, 2, 3, 4, 5, 6, 7], from: 720, to: 1440 },
        ],
        networks: [
          { name: "office", blocks: ["203.0.113.0/24"] },
          { name: "vpn", blocks: ["2001:db8::/32", "198.51.100.7"] },
        ],
        ceiling: { phone: { treatment: "mask", profile: "strict" } },
      },
    });
  });
});

describe("hostile files", () => {
  it.each([
    ["10 MB", `# ${"x".repeat(10_000_000)}`, "too_large"],
    ["10 MB in one value", `roles: "${"x".repeat(10_000_000)}"`, "too_large"],
    ["a billion laughs", `a: &a ["x","x"]\nb: &b [*a,*a]\nc: &c [*b,*b]\nroles: *c\n`, "yaml"],
    ["a function", "roles: !!js/function 'function () { return 1 }'\n", "yaml"],
    ["a merge key", "roles:\n  <<: { a: {} }\n", "yaml"],
    ["a key twice, deep inside", policy.replace("phone: mask", "phone: mask\n      phone: reveal"), "yaml"],
    ["a tab", policy.replace("      phone: mask", "\tphone: mask"), "yaml"],
  ])("%s is refused with its place, and soon", (_what, text, code) => {
    let found: Problem[] = [];
    const workedMs = cpuMilliseconds(() => {
      found = problemsOf(parsePolicy(text, "p.yaml"));
    });
    expect(found[0]).toMatchObject({ file: "p.yaml", code });
    expect(workedMs).toBeLessThan(1_000);
  });
});

describe("a policy that grants more than the contract", () => {
  it("is capped, and warned of once for each rule, with both places and the cure", () => {
    const parsed = parsePolicy(policy, "cs.yaml");
    const narrowText = contract.replace("phone: reveal, address: mask", "phone: mask");
    const narrow = parseContract(narrowText, "c.yaml");
    if (!parsed.ok || !narrow.ok) throw new Error("does not parse");
    const files = [
      { file: "cs.yaml", text: policy },
      { file: "c.yaml", text: narrowText },
    ];
    expect(
      checkFiles(files)
        .warnings.filter(({ code }) => code === "exceeds_contract")
        .map(describeProblem),
    ).toEqual([
      "cs.yaml:13:7: customer.address → mask is more than the contract's ceiling for address: withhold (c.yaml:5) (the contract caps it; write here what holds, or raise the ceiling)",
      "cs.yaml:18:7: customer.phone → reveal is more than the contract's ceiling for phone: mask (c.yaml:5) (the contract caps it; write here what holds, or raise the ceiling)",
    ]);
    const bundle = compile(parsed.value, narrow.value);
    expect(bundle.ok && bundle.value.roles.senior?.customer?.fields).toMatchObject({
      phone: [{ treatment: "mask" }],
      address: [{ treatment: "withhold" }],
    });
  });
});

describe("the schemas for editors", () => {
  it.each(fileKinds)("of a %s file are the ones beside the shipped policies", (kind) => {
    const shipped: unknown = JSON.parse(readFileSync(new URL(`../policies/${kind}.schema.json`, import.meta.url), "utf8"));
    // Written by: postern policy schema KIND
    expect(shipped).toEqual(fileJsonSchema(kind));
  });
});
