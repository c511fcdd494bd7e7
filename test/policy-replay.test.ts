/**
 * Recorded decisions taken again. The law: where the log suffices, what is said of a new policy is what it would have shown; where it does not, nothing is
 * guessed.
 */
import * as fc from "fast-check";
import { describe, expect, it, vi } from "vitest";
import { showsNothing, type Treatment } from "../src/masking/index.ts";
import {
  type Bundle,
  bundleDigest,
  bundleText,
  compile,
  createReplay,
  describeProblem,
  parseContract,
  parsePolicy,
  type ReplayResult,
  type Settled,
} from "../src/policy/index.ts";
import { type Replayed, replay } from "../src/policy/replay.ts";
import { contractText } from "./support/agreement.ts";
import { runs, runsTimeoutMs } from "./support/long.ts";
import { paths } from "./support/policy-reading.ts";
import { bundleOf, factsOf, moments, settledFor, worldOf } from "./support/policy-worlds.ts";

vi.setConfig({ testTimeout: runsTimeoutMs });

/** Each run compiles two policies. */
const longRuns = 10_000;

/** Without row rules: of those the log says nothing that could be asked again. */
const worlds = worldOf().map(({ roles, ...world }) => ({ ...world, roles: roles.map(({ rules }) => ({ rules })) }));

/** What leaves of a record that has a value at `there` and nowhere else. */
function shownOf(settled: Settled, there: readonly string[]): Record<string, Treatment> {
  const leaving = settled.fields.filter((field) => there.includes(field.path) && !showsNothing(field.class, field.treatment));
  return Object.fromEntries(leaving.map(({ path, treatment }) => [path, treatment]));
}

function decided(outcome: Replayed): Extract<Replayed, { kind: "decided" }>["fields"] {
  if (outcome.kind !== "decided") throw new Error(`${outcome.kind}: ${outcome.code}`);
  return outcome.fields;
}

describe("a recorded decision, taken again", () => {
  const cases = fc.record({ before: worlds, after: worlds, moment: moments, there: fc.subarray([...paths]), isAtHand: fc.boolean() });

  it("by another bundle is what that would have shown, or open", () => {
    let [told, open] = [0, 0];
    fc.assert(
      fc.property(cases, ({ before, after, moment, there, isAtHand }) => {
        const [old, next] = [bundleOf(before), bundleOf(after)];
        const facts = factsOf(0, moment);
        const was = settledFor(old, 0, facts);
        const [left, truth] = [shownOf(was, there), shownOf(settledFor(next, 0, facts), there)];
        const recorded = {
          role: "r0",
          type: "order",
          purpose: moment.purpose,
          time: Date.UTC(2026, 2, 2, moment.hour),
          fields: left,
          outcomes: [was.outcome],
          searchedBy: null,
        };
        const found = decided(replay(recorded, { before: isAtHand ? old : null, after: next }));
        expect(
          found
            .filter(({ isThere }) => isThere)
            .map(({ path }) => path)
            .sort(),
        ).toEqual(Object.keys(left).sort());
        for (const path of there) {
          const field = found.find((known) => known.path === path);
          if (field?.is.treatment === "open") open++;
          else expect([path, field?.is.treatment ?? "withhold"]).toEqual([path, truth[path] ?? "withhold"]);
          if (field?.isThere) told++;
        }
      }),
      { numRuns: Math.min(runs(200), longRuns) },
    );
    expect(told).toBeGreaterThan(10);
    expect(open).toBeGreaterThan(0);
  });

  it("by the bundle that took it is what it was, and nothing is open", () => {
    fc.assert(
      fc.property(worlds, moments, fc.subarray([...paths]), (world, moment, there) => {
        const bundle = bundleOf(world);
        const settled = settledFor(bundle, 0, factsOf(0, moment));
        const left = shownOf(settled, there);
        const recorded = {
          role: "r0",
          type: "order",
          purpose: moment.purpose,
          time: 0,
          fields: left,
          outcomes: [settled.outcome],
          searchedBy: null,
        };
        const found = decided(replay(recorded, { before: bundle, after: bundle }));
        expect(Object.fromEntries(found.map(({ path, is }) => [path, is.treatment]))).toEqual(left);
      }),
      { numRuns: Math.min(runs(100), longRuns) },
    );
  });
});

const policy = `resources:
  customer:
    subject: id
    fields:
      name: { class: person_name }
      phone: { class: phone, search: true }
      email: { class: email, search: true }
      spent: { class: amount }
      vip: { class: plain }
roles:
  first_line:
    customer:
      rows: record.vip == true
      name: { reveal: { when: record.vip == true }, else: mask }
      phone: mask
      spent: mask
      vip: reveal
`;
const ceiling = "{ plain: reveal, person_name: reveal, phone: reveal, email: reveal, amount: reveal }";

function compiled(text: string, more: Parameters<typeof contractText>[0] = {}): Bundle {
  const written = parsePolicy(text, "policy.yaml");
  const agreed = parseContract(contractText({ ceiling, roles: "[first_line]", ...more }), "contract.yaml");
  if (!written.ok) throw new Error(written.refusal.map(describeProblem).join("\n"));
  if (!agreed.ok) throw new Error(agreed.refusal.map(describeProblem).join("\n"));
  const bundle = compile(written.value, agreed.value);
  if (!bundle.ok) throw new Error(bundle.refusal.map(describeProblem).join("\n"));
  return bundle.value;
}

const standing = compiled(policy);
const digest = bundleDigest(bundleText(standing));
/** Monday 2026-03-02, 15:00 in the contract's zone. */
const monday = Date.UTC(2026, 2, 2, 7);
const asked = { role: "first_line", type: "customer", purpose: "after_sales", time: monday, outcomes: ["1"], searchedBy: "phone" };
const answer = { ...asked, fields: { name: "reveal", phone: "mask", vip: "reveal" } } as const;

/** `answer`, three times, under a policy that differs in one place. */
function under(
  from: string,
  to: string,
  {
    more = {},
    recorded = answer,
    atHand = true,
  }: Partial<{ more: Parameters<typeof contractText>[0]; recorded: typeof answer; atHand: boolean }> = {},
): ReplayResult {
  if (from !== "") expect(policy).toContain(from);
  const run = createReplay(compiled(policy.replace(from, to), more), new Map(atHand ? [[digest, standing]] : []));
  for (let i = 0; i < 3; i++) run.add(recorded, digest);
  return run.result();
}

function countsOf({ counts }: ReplayResult, name: string) {
  return Object.fromEntries(
    counts.filter((count) => count.class === name).map(({ treatment, before, after, perhaps }) => [treatment, [before, after, perhaps]]),
  );
}

describe("a log under a new policy", () => {
  it("says how often a class was revealed then and would be now", () => {
    const found = under("phone: mask", "phone: reveal");
    expect(found).toMatchObject({ replayed: 3, refused: {}, open: {}, missing: {} });
    expect(countsOf(found, "phone")).toEqual({ mask: [3, 0, 0], reveal: [0, 3, 0] });
    expect(countsOf(under("phone: mask", "phone: withhold"), "phone")).toEqual({ mask: [3, 0, 0], withhold: [0, 3, 0] });
  });

  it("says at most how often, where nobody knows whether what was withheld was there", () => {
    expect(countsOf(under("      vip: reveal", "      vip: reveal\n      email: mask"), "email")).toEqual({ mask: [0, 0, 3] });
    // A mask of an amount shows nothing, so neither is it known of it.
    expect(countsOf(under("spent: mask", "spent: reveal"), "amount")).toEqual({ reveal: [0, 0, 3] });
    // It would have left, had it been there.
    const nameless = { ...answer, fields: { phone: "mask", vip: "reveal" } } as unknown as typeof answer;
    expect(
      countsOf(under("name: { reveal: { when: record.vip == true }, else: mask }", "name: reveal", { recorded: nameless }), "person_name"),
    ).toEqual({});
  });

  it("keeps how a condition came out that is still there, answers one about the time, and leaves another open", () => {
    expect(countsOf(under("phone: mask", "phone: { reveal: { when: record.vip == true }, else: mask }"), "phone")).toEqual({
      mask: [3, 0, 0],
      reveal: [0, 3, 0],
    });
    expect(
      countsOf(under("phone: mask", "phone: { reveal: { when: request.hour == 15 && request.weekday == 1 }, else: mask }"), "phone"),
    ).toMatchObject({ reveal: [0, 3, 0] });
    for (const condition of ["record.vip == false", 'agent.subject == "x"', 'request.ticket != ""']) {
      const found = under("phone: mask", `phone: { reveal: { when: '${condition}' }, else: mask }`);
      expect([condition, countsOf(found, "phone")]).toEqual([condition, { mask: [3, 0, 0], open: [0, 3, 0] }]);
    }
  });

  it("without the policy that decided then, leaves open what depends on a record and says how much that is", () => {
    const found = under("      rows: record.vip == true\n", "", { atHand: false });
    expect(found.missing).toEqual({ [digest]: 3 });
    expect(countsOf(found, "person_name")).toEqual({ open: [0, 3, 0], reveal: [3, 0, 0] });
    expect(countsOf(found, "phone")).toEqual({ mask: [3, 3, 0] });
  });

  it("of several records counts the most that would have left", () => {
    const several = { ...answer, outcomes: ["1", "0"] } as unknown as typeof answer;
    const found = under("phone: mask", "phone: { reveal: { when: record.vip == true }, else: mask }", { recorded: several });
    expect(countsOf(found, "phone")).toEqual({ mask: [3, 0, 0], reveal: [0, 3, 0] });
  });

  it.each([
    [
      "a search by a field that is not searched any more",
      "phone: { class: phone, search: true }",
      "phone: { class: phone }",
      {},
      { not_permitted: 3 },
    ],
    ["a purpose that is gone", "", "", { purposes: "{ logistics: {} }" }, { purpose_unknown: 3 }],
    ["a role that is gone", "first_line:", "other:", { roles: "[other]" }, { not_found: 3 }],
    ["hours that it lies outside of", "", "", { more: 'hours: { from: "09:00", to: "12:00" }' }, { outside_hours: 3 }],
    ["a row rule that did not hold", "rows: record.vip == true", "rows: request.hour < 12", {}, { row_rule: 3 }],
  ])("shows nothing by %s", (_what, from, to, more, refused) => {
    const found = under(from, to, { more });
    expect(found).toMatchObject({ replayed: 3, refused });
    expect(countsOf(found, "phone")).toEqual({ mask: [3, 0, 0], withhold: [0, 3, 0] });
  });

  it.each([
    ["a row rule that the log cannot answer", "rows: record.vip == true", "rows: record.vip == false", {}, { row_rule: 3 }],
    ["networks that were not there", "", "", { more: "networks: [203.0.113.0/24]" }, { network: 3 }],
  ])("is open as a whole by %s", (_what, from, to, more, open) => {
    const found = under(from, to, { more });
    expect(found).toMatchObject({ replayed: 0, open });
    expect(countsOf(found, "phone")).toEqual({ mask: [3, 0, 0], open: [0, 3, 0] });
  });
});
