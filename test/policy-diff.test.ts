/**
 * What a new policy widens and what it narrows. The law first: where nothing is widened, nobody sees more, whoever, for whatever, of whatever record.
 */
import * as fc from "fast-check";
import { describe, expect, it, vi } from "vitest";
import {
  type Bundle,
  compile,
  compileAlone,
  type Difference,
  describeProblem,
  diffBundles,
  isWider,
  parseContract,
  parsePolicy,
} from "../src/policy/index.ts";
import { contractText, shippedPolicy } from "./support/agreement.ts";
import { runs, runsTimeoutMs } from "./support/long.ts";
import { allows, kindsOf, paths, type Role, type World } from "./support/policy-reading.ts";
import { bundleOf, factsOf, moments, settledFor, worldOf } from "./support/policy-worlds.ts";

vi.setConfig({ testTimeout: runsTimeoutMs });

/** Each run compiles two policies. */
const longRuns = 10_000;

/** Worlds that have much in common, as an old policy and a new one do. */
const changes = fc.tuple(worldOf(), worldOf(), fc.array(fc.boolean(), { minLength: 12, maxLength: 12 })).map(([before, other, picks]) => {
  const pick = <Value>(index: number, old: Value, next: Value) => (picks[index % picks.length] ? next : old);
  const roles = before.roles.map(({ rows, rules }, link): Role => {
    const theirs = other.roles[link]?.rules;
    const picked = paths.map((path, index) => [path, pick(link * 5 + index, rules[path], theirs?.[path] ?? [])] as const);
    return { rows, rules: { ...rules, ...Object.fromEntries(picked) } };
  });
  const after: World = { roles, ceiling: pick(10, before.ceiling, other.ceiling), needed: pick(11, before.needed, other.needed) };
  return [before, after] as const;
});

describe("a policy that widens nothing", () => {
  it("shows nobody more: no role, for no purpose, at no moment, of no record", () => {
    let narrower = 0;
    fc.assert(
      fc.property(changes, fc.array(moments, { minLength: 4, maxLength: 4 }), ([before, after], asks) => {
        const [old, next] = [bundleOf(before), bundleOf(after)];
        const differences = diffBundles(old, next);
        const wider = new Set(differences.filter(({ direction }) => direction !== "narrowed").map(({ role, field }) => `${role} ${field}`));
        if (wider.size === 0) narrower++;
        // Where the contract itself widened a purpose, every field of it may have.
        if (differences.some(({ what, direction }) => what.startsWith("purpose") && direction !== "narrowed")) return;
        for (const moment of asks) {
          before.roles.forEach((_, role) => {
            const facts = factsOf(role, moment);
            const [was, is] = [old, next].map((bundle) => kindsOf(settledFor(bundle, role, facts)));
            for (const path of paths) {
              const shown = [was?.[path] ?? "W", is?.[path] ?? "W"] as const;
              if (!wider.has(`r${role} ${path}`)) expect([role, path, shown, allows(...shown)]).toEqual([role, path, shown, true]);
            }
          });
        }
      }),
      { numRuns: Math.min(runs(200), longRuns) },
    );
    expect(narrower).toBeGreaterThan(5);
  });

  it("and between a bundle and itself there is no difference", () => {
    fc.assert(
      fc.property(worldOf(), (world) => {
        expect(diffBundles(bundleOf(world), bundleOf(world))).toEqual([]);
      }),
      { numRuns: Math.min(runs(50), longRuns) },
    );
  });
});

const base = `resources:
  customer:
    subject: id
    fields:
      name: { class: person_name }
      phone: { class: phone, search: true }
      born: { class: birth_date }
      id_card: { class: resident_id }
      address: { class: address }
      note: { class: plain }
      vip: { class: plain }
roles:
  first:
    customer:
      rows: record.vip == true
      name: mask
      phone: { reveal: { when: request.hour < 18 }, else: mask }
      born: reveal
      id_card: mask
      address: { generalize: { to: district } }
      note: reveal
`;
const terms = {
  roles: "[first]",
  ceiling: "{ plain: reveal, person_name: reveal, phone: reveal, birth_date: reveal, resident_id: reveal, address: reveal, email: reveal }",
};

function bundle(policy: string, contract = contractText(terms)): Bundle {
  const [written, agreed] = [parsePolicy(policy, "policy.yaml"), parseContract(contract, "contract.yaml")];
  if (!written.ok) throw new Error(written.refusal.map(describeProblem).join("\n"));
  if (!agreed.ok) throw new Error(agreed.refusal.map(describeProblem).join("\n"));
  const compiled = compile(written.value, agreed.value);
  if (!compiled.ok) throw new Error(compiled.refusal.map(describeProblem).join("\n"));
  return compiled.value;
}

function changed(from: string, to: string): Difference[] {
  expect(base).toContain(from);
  return diffBundles(bundle(base), bundle(base.replace(from, to)));
}

describe("a change of one line", () => {
  it.each([
    ["name: mask", "name: reveal", "widened"],
    ["name: mask", "name: withhold", "narrowed"],
    ["name: mask", "name: { mask: { profile: strict } }", "narrowed"],
    ["name: mask", "name: { mask: { profile: hutool } }", "changed"],
    ["name: mask", "name: { mask: { profile: cn-default } }", null],
    ["name: mask", "name: pseudonymize", "changed"],
    ["name: mask", "name: { mask: { when: request.hour < 18 } }", "narrowed"],
    ["name: mask", "name: { mask: { purposes: [logistics] } }", "narrowed"],
    ["name: mask", "name: { reveal: { quota: 20/day } }", "widened"],
    ["request.hour < 18", "request.hour < 12", "changed"],
    ["{ when: request.hour < 18 }, else: mask", "{ when: request.hour < 18 }", "narrowed"],
    ["{ when: request.hour < 18 }, else: mask", "{ when: request.hour < 18, quota: 9/day }, else: mask", "narrowed"],
    ["phone: { reveal: { when: request.hour < 18 }, else: mask }", "phone: reveal", "widened"],
    ["to: district", "to: city", "narrowed"],
    ["address: { generalize: { to: district } }", "address: mask", "changed"],
    ["rows: record.vip == true", "rows: record.vip == false", "changed"],
    ["      rows: record.vip == true\n", "", "widened"],
    ["search: true", "search: false", "narrowed"],
    ["{ class: person_name }", "{ class: person_name, search: true }", "widened"],
    ["name: { class: person_name }", "name: { class: phone }", "changed"],
    ["      name: { class: person_name }", "      name: { class: person_name }\n      mail: { class: email }", "widened"],
    ["subject: id", "subject: { other: user_id }", "changed"],
  ] as const)("%s → %s is %s", (from, to, direction) => {
    const policy = to.includes("other:") ? base.replace("roles:", "  other: { subject: id, fields: {} }\nroles:") : base;
    const differences = diffBundles(bundle(policy), bundle(policy.replace(from, to)));
    expect(differences.map((found) => found.direction)[0] ?? null).toBe(direction);
    expect(isWider(differences)).toBe(direction === "widened" || direction === "changed");
  });

  it.each([
    ["quota: 20/day", "quota: 19/day", "narrowed"],
    ["quota: 20/day", "quota: 21/day", "widened"],
    ["quota: 20/day", "quota: 20/hour", "changed"],
    ["quota: 20/day, ", "", "widened"],
    ["reason: required, ", "", "widened"],
    ["seconds: 30", "seconds: 29", "narrowed"],
    ["seconds: 30", "seconds: 31", "widened"],
    [", seconds: 30", "", "widened"],
  ] as const)("of what an agent owes: %s → %s is %s", (from, to, direction) => {
    const owed = base.replace("name: mask", "name: { reveal: { quota: 20/day, reason: required, seconds: 30 } }");
    const differences = diffBundles(bundle(owed), bundle(owed.replace(from, to)));
    expect(differences).toMatchObject([{ what: "treatment", role: "first", type: "customer", field: "name", direction }]);
  });

  it("says what it was, what it is, and where both are written", () => {
    expect(changed("phone: { reveal: { when: request.hour < 18 }, else: mask }", "phone: mask")).toEqual([
      {
        what: "treatment",
        role: "first",
        type: "customer",
        field: "phone",
        before: "reveal when request.hour < 18, else mask",
        after: "mask",
        direction: "narrowed",
        at: { before: { file: "policy.yaml", line: 17 }, after: { file: "policy.yaml", line: 17 } },
      },
    ]);
    expect(changed("      name: mask\n", "")).toMatchObject([{ field: "name", before: "mask", after: "withhold", direction: "narrowed" }]);
  });

  it("that makes a condition read something else is a change of every rule that asks it", () => {
    const before = base.replace("name: mask", 'name: { mask: { when: record.note == "x" } }').replace("note: reveal", "vip: reveal");
    const after = before.replace("note: { class: plain }", 'note: { class: plain }\n      "more[]": { class: plain }');
    expect(diffBundles(bundle(before), bundle(after)).map(({ what }) => what)).toEqual(["field"]);
    const moved = before.replace("note: { class: plain }", "note.text: { class: plain }").replace("record.note ==", "record.note.text ==");
    const nested = moved.replace("note.text: { class: plain }", "note.text: { class: plain }\n      note.kind: { class: plain }");
    expect(diffBundles(bundle(moved), bundle(nested))).toContainEqual(expect.objectContaining({ field: "name", direction: "changed" }));
  });

  it("that takes away what lowered a mask beside it is no mere narrowing", () => {
    const differences = changed("born: reveal", "born: mask");
    expect(differences).toContainEqual(expect.objectContaining({ field: "born", direction: "narrowed" }));
    expect(differences).toContainEqual(
      expect.objectContaining({ field: "id_card", after: "mask, no longer less beside another field", direction: "changed" }),
    );
  });
});

describe("a contract's own terms", () => {
  const withMore = (more: string, purposes = "{ after_sales: {} }") => bundle(base, contractText({ ...terms, more, purposes }));

  it.each([
    ["", 'hours: { from: "09:00", to: "18:00" }', "narrowed"],
    ['hours: { from: "09:00", to: "18:00" }', "", "widened"],
    ['hours: { from: "09:00", to: "18:00" }', 'hours: { days: mon-fri, from: "09:00", to: "18:00" }', "narrowed"],
    ['hours: { from: "09:00", to: "18:00" }', 'hours: { from: "10:00", to: "19:00" }', "changed"],
    ['hours: { from: "22:00", to: "06:00" }', 'hours: [{ from: "00:00", to: "06:00" }, { from: "22:00", to: "24:00" }]', null],
    ["", "dpop: required", "narrowed"],
    ["dpop: required", "", "widened"],
    ["dpop: required", "dpop: required", null],
    ["", "networks: [203.0.113.0/24]", "narrowed"],
    ["networks: [203.0.113.0/24]", "networks: [203.0.113.0/25]", "narrowed"],
    ["networks: [203.0.113.0/24]", "networks: [203.0.113.0/24, '2001:db8::/32']", "widened"],
    ["networks: [203.0.113.0/24]", "networks: [203.0.114.0/24]", "changed"],
    ["", "seats: {}", null],
    ["", "seats: { sharing: note }", null],
    ["seats: { sharing: note }", "seats: { sharing: refuse }", "narrowed"],
    ["seats: { sharing: refuse }", "seats: {}", "widened"],
    ["seats: { sharing: note }", "seats: { sharing: step_up }", "narrowed"],
    ["seats: { sharing: refuse }", "seats: { sharing: step_up }", "widened"],
    ["", "seats: { roles: [first] }", "narrowed"],
    ["seats: { roles: [first] }", "seats: {}", "widened"],
    ["", "seats: { agreement: required }", "narrowed"],
    ["seats: { training: required }", "", "widened"],
    ["seats: { training: required }", "seats: { training: { within: 365d } }", "narrowed"],
    ["seats: { training: { within: 30d } }", "seats: { training: { within: 31d } }", "widened"],
    ["", "approvals: {}", null],
    ["", "approvals: { purge: other_organisation }", "changed"],
    ["approvals: { purge: other_organisation, amend: other_organisation }", "approvals: { purge: other_organisation }", "widened"],
  ] as const)("%s → %s is %s", (before, after, direction) => {
    const found = diffBundles(withMore(before), withMore(after)).filter(({ what }) =>
      /^(hours|networks|seats|shared|who approves|proof of possession)/.test(what),
    );
    expect(found[0]?.direction ?? null).toBe(direction);
  });

  it.each([
    ["{ after_sales: {} }", "{ after_sales: {}, ads: {} }", "widened"],
    ["{ after_sales: {}, ads: {} }", "{ after_sales: {} }", "narrowed"],
    ["{ after_sales: {} }", "{ after_sales: { classes: [phone] } }", "narrowed"],
    ["{ after_sales: { classes: [phone] } }", "{ after_sales: { classes: [email] } }", "changed"],
  ] as const)("purposes %s → %s is %s", (before, after, direction) => {
    expect(diffBundles(withMore("", before), withMore("", after))[0]).toMatchObject({
      what: expect.stringMatching(/^purpose /),
      direction,
    });
  });

  it("name the purposes for which a treatment changed, where it is not all of them", () => {
    const purposes = "{ after_sales: {}, logistics: {} }";
    const next = bundle(base.replace("name: mask", "name: { mask: { purposes: [logistics] } }"), contractText({ ...terms, purposes }));
    expect(diffBundles(withMore("", purposes), next)).toMatchObject([{ field: "name", purposes: ["after_sales"], direction: "narrowed" }]);
  });

  it("a ceiling that falls narrows what stands under it; one that rises widens", () => {
    const low = bundle(base, contractText({ ...terms, ceiling: terms.ceiling.replace("phone: reveal", "phone: mask") }));
    expect(diffBundles(bundle(base), low)).toMatchObject([{ field: "phone", direction: "narrowed" }]);
    expect(diffBundles(low, bundle(base))).toMatchObject([{ field: "phone", direction: "widened" }]);
  });

  it.each([
    ["end: 2099-01-01", "end: 2098-01-01", "term end", "narrowed"],
    ["start: 2026-01-01", "start: 2025-01-01", "term start", "widened"],
    ["zone: Asia/Shanghai", "zone: UTC", "zone", "changed"],
    ["purge_after: 7d", "purge_after: 8d", "purge after", "widened"],
    ["vendor: v-yunfu", "vendor: v-other", "vendor", "changed"],
    ["subprocessors: []", "subprocessors: [v-sub]", "subprocessor", "widened"],
    ["backup_horizon: 30d", "backup_horizon: 10d", "backup horizon", "narrowed"],
  ])("%s → %s", (from, to, what, direction) => {
    const differences = diffBundles(bundle(base), bundle(base, contractText(terms).replace(from, to)));
    expect(differences).toContainEqual(expect.objectContaining({ what, direction }));
  });

  it("a role more is wider, a role less is not", () => {
    const two = `${base}  second: { extends: first }\n`;
    const [one, both] = [bundle(two), bundle(two, contractText({ ...terms, roles: "[first, second]" }))];
    expect(diffBundles(one, both)[0]).toMatchObject({ what: "role", role: "second", direction: "widened" });
    expect(diffBundles(one, both)).toContainEqual(
      expect.objectContaining({ role: "second", field: "born", after: "reveal", direction: "widened" }),
    );
    expect(isWider(diffBundles(both, one))).toBe(false);
  });
});

describe("two policies without a contract", () => {
  it("are compared under a ceiling of everything", () => {
    const policy = (text: string) => {
      const parsed = parsePolicy(text, "p.yaml");
      if (!parsed.ok) throw new Error("not a policy");
      return parsed.value;
    };
    const shipped = shippedPolicy("cs-standard");
    const [before, after] = compileAlone(
      policy(shipped),
      policy(shipped.replace("phone: mask", "phone: { reveal: { purposes: [ads] }, else: mask }")),
    );
    expect(diffBundles(before, after)).toMatchObject([{ role: "first_line", field: "phone", purposes: ["ads"], direction: "widened" }]);
    const [empty, full] = compileAlone(policy(""), policy(shipped));
    expect(isWider(diffBundles(empty, full))).toBe(true);
    expect(isWider(diffBundles(full, empty))).toBe(false);
  });
});
