/** What a policy lets be written into a merchant's own API: the words, their place under a contract, and what counts as more. */
import { describe, expect, it } from "vitest";
import {
  type Bundle,
  compile,
  describeProblem,
  diffBundles,
  isWider,
  lastDaysOf,
  parseContract,
  parsePolicy,
  writableIn,
} from "../src/policy/index.ts";
import { contract, policy, problemsOf } from "./support/small-policy.ts";

describe("what a role may write", () => {
  const writing = (writes: string) =>
    problemsOf(
      parsePolicy(
        policy.replace("    customer:\n      phone: reveal", `    customer:\n      writes: ${writes}\n      phone: reveal`),
        "p.yaml",
      ),
    );

  it.each(["[]", "[status]", '["items[].sku", { phone: { purposes: [after_sales] } }]'])("may be %s", (writes) => {
    expect(writing(writes).map(describeProblem)).toEqual([]);
  });

  it.each([
    ["[statu]", "did you mean status?"],
    ["[status, status]", "stands twice"],
    ["[{ status: { purposes: [] } }]", "name at least one"],
    ["[{ status: { purposes: [a] }, phone: { purposes: [a] } }]", "one field in each entry"],
    ["{ status: reveal }", "expected array"],
  ])("cannot be %s", (writes, said) => {
    const [problem, second] = writing(writes);
    expect(second).toBeUndefined();
    expect(problem && `${describeProblem(problem)} ${problem.hint}`).toContain(said);
  });

  it("is said for itself: who extends a role has its own words for all of it, and nothing above the ceiling", () => {
    const read = (text: string, at: (bundle: Bundle) => Bundle = (bundle) => bundle) => {
      const [parsed, signed] = [parsePolicy(text, "p.yaml"), parseContract(contract.replace("phone: reveal, ", ""), "c.yaml")];
      if (!parsed.ok || !signed.ok) throw new Error("a problem");
      const bundle = compile(parsed.value, signed.value);
      return bundle.ok
        ? ["first_line", "senior"].map((role) => writableIn(at(bundle.value), { role, type: "customer", purpose: "after_sales" }))
        : [];
    };
    const base = policy.replace("      phone: mask\n", "      writes: [phone, status]\n      phone: mask\n");
    expect(read(base)).toEqual([["status"], ["status"]]);
    expect(read(base, lastDaysOf)).toEqual([[], []]);
    expect(read(base.replace("      phone: reveal", "      writes: [address]\n      phone: reveal"))).toEqual([["status"], ["address"]]);
  });

  it("is compared field by field and purpose by purpose", () => {
    const bundleWith = (writes: string) => {
      const text = policy.replace("      phone: mask\n", `      writes: ${writes}\n      phone: mask\n`);
      const terms = contract.replace("{ after_sales: {} }", "{ after_sales: {}, logistics: {} }").replace(", senior", "");
      const [parsed, signed] = [parsePolicy(text, "p.yaml"), parseContract(terms, "c.yaml")];
      const bundle = parsed.ok && signed.ok ? compile(parsed.value, signed.value) : null;
      if (!bundle?.ok) throw new Error("a problem");
      return bundle.value;
    };
    const rowsOf = (before: string, after: string) =>
      diffBundles(bundleWith(before), bundleWith(after)).map(({ what, field, purposes, direction }) => [what, field, purposes, direction]);
    expect(rowsOf("[status]", "[phone]")).toEqual([
      ["write", "phone", undefined, "widened"],
      ["write", "status", undefined, "narrowed"],
    ]);
    expect(rowsOf("[{ status: { purposes: [logistics] } }]", "[status]")).toEqual([["write", "status", ["after_sales"], "widened"]]);
    expect(rowsOf("[status, phone]", "[phone, status]")).toEqual([]);
    expect(isWider(diffBundles(bundleWith("[]"), bundleWith("[status]")))).toBe(true);
  });
});

describe("how long a contract lets answers of the merchant's own API be kept", () => {
  it.each([
    ["", "upstream: { cache_minutes: 5 }", "widened"],
    ["upstream: { cache_minutes: 5 }", "upstream: { cache_minutes: 4 }", "narrowed"],
    ["upstream: { cache_minutes: 5 }", "", "narrowed"],
  ])("from %j to %j is %s", (before, after, direction) => {
    const [old, next] = [before, after].map((more) => {
      const [parsed, signed] = [parsePolicy(policy, "p.yaml"), parseContract(`${contract}${more}\n`, "c.yaml")];
      const bundle = parsed.ok && signed.ok ? compile(parsed.value, signed.value) : null;
      if (!bundle?.ok) throw new Error("a problem");
      return bundle.value;
    });
    expect(old && next && diffBundles(old, next).map((found) => found.direction)).toEqual([direction]);
  });

  it.each(["0", "61", "1.5", "'5'"])("is not %s minutes", (minutes) => {
    expect(problemsOf(parseContract(`${contract}upstream: { cache_minutes: ${minutes} }\n`, "c.yaml"))).toHaveLength(1);
  });
});
