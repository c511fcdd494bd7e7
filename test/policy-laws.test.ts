/**
 * Laws of the decision, for any policy and contract that pass the check: it is what a plain reading of the files says, it is total, and less permission never
 * shows more. 100,000 times each with POSTERN_TEST_LONG=1, each time in another world; the first goes by way of the files' text and the stored bundle, the
 * others begin at the files' values, which takes a third of the time.
 */
import * as fc from "fast-check";
import { describe, expect, it, vi } from "vitest";
import type { Json, JsonObject } from "../src/kernel/index.ts";
import { maskDocument } from "../src/masking/index.ts";
import { admit, type Bundle, decide, type Facts, type Settled } from "../src/policy/index.ts";
import { runs, runsTimeoutMs } from "./support/long.ts";
import { both, classes, type Kind, kindsOf, paths, readField, readRows, type World } from "./support/policy-reading.ts";
import {
  bundleOf,
  ceilings,
  decisionOf,
  factsOf,
  moments,
  policyOf,
  roleOf,
  settledFor,
  storedBundleOf,
  worldOf,
} from "./support/policy-worlds.ts";

const numRuns = runs(300);
vi.setConfig({ testTimeout: runsTimeoutMs });

describe("a compiled decision", () => {
  it("is what a plain reading of both files says, of every role, field and record, and names the line that decided", () => {
    fc.assert(
      fc.property(worldOf(), moments, (world, moment) => {
        const { bundle, lines } = storedBundleOf(world);
        world.roles.forEach((_, role) => {
          const facts = factsOf(role, moment);
          expect(decided(bundle, role, facts)).toBe(read(world, role, facts, lines));
        });
      }),
      { numRuns },
    );
  });

  it("found by chance: where an inherited rule comes to nothing, another that is inherited may still hold", () => {
    const unnamed = { phone: [], name: [], address: [], home: [], status: [] };
    const open = 'record.status == "open"';
    const world: World = {
      roles: [
        { rules: { ...unnamed, amount: [{ kind: "R", purposes: ["wide"] }, { kind: "P" }] } },
        { rules: { ...unnamed, amount: [{ kind: "Q", when: open }] } },
        { rules: { ...unnamed, amount: [{ kind: "P", when: open }] } },
      ],
      ceiling: { plain: "R" },
      needed: [],
    };
    const { bundle, lines } = storedBundleOf(world);
    const facts = factsOf(2, { hour: 9, record: {}, purpose: "narrow" });
    expect(decided(bundle, 2, facts)).toContain(`amount P line ${lines.get("0 amount 1")}`);
    expect(decided(bundle, 2, facts)).toBe(read(world, 2, facts, lines));
  });

  it("is total: any names, any record, any moment", () => {
    const word = fc.oneof(fc.constantFrom("r0", "order", "wide", "__proto__", "constructor", "toString", ""), fc.string());
    const json = fc.jsonValue().map((value) => ({ status: value, amount: value, other: value }) as JsonObject);
    fc.assert(
      fc.property(worldOf(), word, word, word, json, (world, role, type, purpose, record) => {
        const bundle = bundleOf(world);
        const isKnown =
          /^r[012]$/.test(role) && Number(role[1]) < world.roles.length && type === "order" && ["wide", "narrow"].includes(purpose);
        expect(decide(bundle, { role, type, purpose }) !== null).toBe(isKnown);
        const facts = { ...factsOf(0, { hour: 9, record, purpose: "wide" }), agent: { role, issuer: type, subject: purpose } };
        const settled = settledFor(bundle, 0, facts);
        expect(settled.fields.map(({ path }) => path)).toEqual(paths);
        for (const { path } of settled.obligations) expect(settled.fields.find((field) => field.path === path)?.treatment).toBe("mask");
      }),
      { numRuns },
    );
  });
});

/** What a role gets, in one line: is the record there, and each field's kind with the line that decided. */
function decided(bundle: Bundle, role: number, facts: Facts): string {
  const admitted = admit(decisionOf(bundle, role, facts.request.purpose), facts) === "holds";
  const settled = settledFor(bundle, role, facts);
  const kinds = kindsOf(settled);
  const said = settled.fields.map(
    ({ path, at, why }) => `${path} ${kinds[path]} ${at === undefined ? "by no line" : `line ${at.line}`}${why ? "" : " without a reason"}`,
  );
  return [admitted, ...said.sort()].join(", ");
}

function read(world: World, role: number, facts: Facts, lines: ReadonlyMap<string, number>): string {
  const said = paths.map((path) => {
    const { kind, by } = readField(world, role, path, facts);
    return `${path} ${kind} ${by === undefined ? "by no line" : `line ${lines.get(by)}`}`;
  });
  return [readRows(world, role, facts), ...said.sort()].join(", ");
}

/** withhold ≤ mask ≤ reveal, as a read shows them; `null` = of another kind, which promises nothing about characters. */
const rank: Readonly<Record<Kind, number | null>> = { W: 0, P: null, GD: null, GC: null, MS: 1, M: 2, Q: 2, R: 3 };

const documents: fc.Arbitrary<JsonObject> = fc.record({
  phone: fc.constantFrom("13812345678", "0915-6234579", "+44 20 7946 1234", "13212345774-1234"),
  name: fc.constantFrom("林黛玉", "欧阳娜娜", "Daniel Webster", "13812345678"),
  address: fc.constantFrom("北京市海淀区马连洼街道289号", "986 Sunset Drive, Denver, CO 80279", "somewhere"),
  home: fc.constantFrom("浙江省杭州市西湖区文三路1号", "12 Main Street, Austin, TX 78701"),
  status: fc.string({ maxLength: 8 }),
  amount: fc.integer(),
});

function expectNoMore(document: JsonObject, low: Settled, high: Settled): void {
  const [lower, higher] = [low, high].map((settled) => ({
    kinds: kindsOf(settled),
    shown: maskDocument(settled.plan, document, { today: "2026-11-22", pseudonymKey: new Uint8Array(32).fill(7) }).fields,
  }));
  const more = paths.filter((path) => {
    const [a, b] = [lower, higher].map((side) => rank[side?.kinds[path] ?? "W"] ?? null);
    if (a === undefined || b === undefined || a === null || b === null) return false;
    return a > b || characters(lower?.shown[path]) > characters(higher?.shown[path]);
  });
  expect(more).toEqual([]);
}

/** Letters and digits that a reader sees. */
function characters(value: Json | undefined): number {
  return value === undefined || value === null ? 0 : String(value).replaceAll(/[^\p{L}\p{N}]/gu, "").length;
}

describe("less permission never shows more", () => {
  it("by a lower ceiling", () => {
    fc.assert(
      fc.property(worldOf(), ceilings, moments, documents, (world, other, moment, document) => {
        const policy = policyOf(world);
        const pairs = classes.map((name) => [name, both(world.ceiling[name] ?? "W", other[name] ?? "W")] as const);
        const lower = bundleOf({ ...world, ceiling: Object.fromEntries(pairs) }, policy);
        const facts = factsOf(0, moment);
        expectNoMore(document, settledFor(lower, 0, facts), settledFor(bundleOf(world, policy), 0, facts));
      }),
      { numRuns },
    );
  });

  it("by a role that another only adds to", () => {
    fc.assert(
      fc.property(worldOf(), roleOf({ kinds: ["R"] }), moments, documents, (world, added, moment, document) => {
        const role = world.roles.length;
        const bundle = bundleOf({ ...world, roles: [...world.roles, added] });
        // One agent in two seats: who asks must not be what differs.
        const facts = factsOf(0, moment);
        expectNoMore(document, settledFor(bundle, role - 1, facts), settledFor(bundle, role, facts));
      }),
      { numRuns },
    );
  });

  it("by a purpose that needs less, where no rule names purposes", () => {
    fc.assert(
      fc.property(worldOf({ namesPurposes: false }), moments, documents, (world, moment, document) => {
        const bundle = bundleOf(world);
        const [narrow, wide] = (["narrow", "wide"] as const).map((purpose) => settledFor(bundle, 0, factsOf(0, { ...moment, purpose })));
        if (narrow && wide) expectNoMore(document, narrow, wide);
      }),
      { numRuns },
    );
  });
});
