/**
 * Laws of the decision, for any policy and contract that pass the check: it is total, it is what a plain reading of the files says, and less permission never shows more.
 */
import * as fc from "fast-check";
import { describe, expect, it, vi } from "vitest";
import type { JsonObject } from "../src/kernel/index.ts";
import { decide, type Settled } from "../src/policy/index.ts";
import { runs, runsTimeoutMs } from "./support/long.ts";
import {
  both,
  bundleOf,
  ceilings,
  classes,
  factsOf,
  fields,
  interpret,
  type Kind,
  kindOf,
  moments,
  type Role,
  roleOf,
  settledFor,
  type Written,
  worlds,
} from "./support/policy-worlds.ts";

const numRuns = runs(300);
vi.setConfig({ testTimeout: runsTimeoutMs });

const paths = Object.keys(fields) as (keyof typeof fields)[];

describe("a compiled decision", () => {
  it("is what a plain reading of policy and contract says, of every field", () => {
    fc.assert(
      fc.property(worlds, moments, (world, { hour, record, purpose }) => {
        const bundle = bundleOf(world);
        world.roles.forEach((_, role) => {
          const facts = factsOf(role, hour, record, purpose);
          const settled = settledFor(bundle, role, facts);
          for (const path of paths) expect([path, kindOf(settled, path)]).toEqual([path, interpret(world, role, path, purpose, facts)]);
        });
      }),
      { numRuns },
    );
  });

  it("names for each field the line that decided, and no field twice", () => {
    fc.assert(
      fc.property(worlds, moments, (world, { hour, record, purpose }) => {
        const settled = settledFor(bundleOf(world), 0, factsOf(0, hour, record, purpose));
        expect(settled.fields.map(({ path }) => path).sort()).toEqual([...paths].sort());
        for (const { treatment, why, at } of settled.fields) {
          expect(why).not.toBe("");
          if (treatment !== "withhold") expect(at).toEqual({ file: "p.yaml", line: 1 });
        }
        for (const { path } of settled.obligations) expect(settled.fields.find((field) => field.path === path)?.treatment).toBe("mask");
      }),
      { numRuns },
    );
  });

  it("is total: any names, any record, any moment", () => {
    const word = fc.oneof(fc.constantFrom("r0", "order", "wide", "__proto__", "constructor", "toString", ""), fc.string());
    const json = fc.jsonValue().map((value) => ({ status: value, amount: value, other: value }) as JsonObject);
    fc.assert(
      fc.property(worlds, word, word, word, json, (world, role, type, purpose, record) => {
        const bundle = bundleOf(world);
        const isKnown =
          /^r[012]$/.test(role) && Number(role[1]) < world.roles.length && type === "order" && ["wide", "narrow"].includes(purpose);
        expect(decide(bundle, { role, type, purpose }) !== null).toBe(isKnown);
        const facts = { ...factsOf(0, 9, record, "wide"), agent: { role, issuer: type, subject: purpose } };
        const settled = settledFor(bundle, 0, facts);
        expect(settled.fields).toHaveLength(paths.length);
      }),
      { numRuns },
    );
  });
});

/** withhold ≤ mask ≤ reveal, as a read shows them; `null` = of another kind, which promises nothing about characters. */
const rank: Readonly<Record<Kind, number | null>> = { W: 0, P: null, GD: null, GC: null, MS: 1, M: 2, Q: 2, R: 3 };

function expectNoMore(low: Settled, high: Settled): void {
  for (const path of paths) {
    const [a, b] = [rank[kindOf(low, path)], rank[kindOf(high, path)]];
    if (a !== null && b !== null) expect([path, a <= b]).toEqual([path, true]);
  }
}

describe("less permission never shows more", () => {
  it("by a lower ceiling", () => {
    fc.assert(
      fc.property(worlds, ceilings, moments, (world, other, { hour, record, purpose }) => {
        const pairs = classes.map((name) => [name, both(world.ceiling[name] ?? "W", other[name] ?? "W")] as const);
        const lower = bundleOf({ ...world, ceiling: Object.fromEntries(pairs) });
        const facts = factsOf(0, hour, record, purpose);
        expectNoMore(settledFor(lower, 0, facts), settledFor(bundleOf(world), 0, facts));
      }),
      { numRuns },
    );
  });

  it("by a role that another only adds to", () => {
    fc.assert(
      fc.property(worlds, roleOf(["R"]), moments, (world, added, { hour, record, purpose }) => {
        const role = world.roles.length;
        const bundle = bundleOf({ ...world, roles: [...world.roles, added] });
        // One agent in two seats: who asks must not be what differs.
        const facts = factsOf(0, hour, record, purpose);
        expectNoMore(settledFor(bundle, role - 1, facts), settledFor(bundle, role, facts));
      }),
      { numRuns },
    );
  });

  it("by a purpose that needs less, where no rule names purposes", () => {
    fc.assert(
      fc.property(worlds, moments, (world, { hour, record }) => {
        const unnamed = world.roles.map((role) =>
          Object.fromEntries(Object.entries(role).map(([path, rule]) => [path, rule.filter(({ purposes: only }) => only === undefined)])),
        );
        const bundle = bundleOf({ ...world, roles: unnamed.map((role) => cutAtUnasked(role)) });
        const [narrow, wide] = (["narrow", "wide"] as const).map((purpose) => settledFor(bundle, 0, factsOf(0, hour, record, purpose)));
        if (narrow && wide) expectNoMore(narrow, wide);
      }),
      { numRuns },
    );
  });
});

/** What filtering may have left behind an alternative that asks nothing. */
function cutAtUnasked(role: Role): Role {
  const cut = (rule: readonly Written[]) => {
    const last = rule.findIndex(({ when }) => when === undefined);
    return last < 0 ? rule : rule.slice(0, last + 1);
  };
  return Object.fromEntries(Object.entries(role).map(([path, rule]) => [path, cut(rule)]));
}
