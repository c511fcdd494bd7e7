/**
 * Any policy at all: what somebody might write, right or wrong. Either it is refused, with reasons, or whatever is asked of it is answered, within the contract's
 * ceiling, and nothing leaves a document but by a path that the policy names and shows. 100,000 policies with POSTERN_TEST_LONG=1.
 */
import * as fc from "fast-check";
import { describe, expect, it, vi } from "vitest";
import { printJson } from "../src/kernel/index.ts";
import { classNames, maskDocument, treatmentNames } from "../src/masking/index.ts";
import { readContract } from "../src/policy/contract-document.ts";
import { admit, type Bundle, compile, decide, describeProblem, type Settled, settle } from "../src/policy/index.ts";
import { readPolicy } from "../src/policy/policy-document.ts";
import { runs, runsTimeoutMs } from "./support/long.ts";
import { documents, holds, leads, type Policy, policies, type Seeded } from "./support/policy-arbitrary.ts";
import { factsOf, moments, sourceOf } from "./support/policy-worlds.ts";

const numRuns = runs(300);
vi.setConfig({ testTimeout: runsTimeoutMs });

/** An answer is revealed or withheld, and generalize says to what. */
const ceilings = fc.dictionary(
  fc.constantFrom(...classNames.filter((name) => name !== "derived")),
  fc.constantFrom(...treatmentNames.filter((word) => word !== "generalize")),
);
const generous = Object.fromEntries(classNames.map((name) => [name, "reveal"]));

function contractValue(roles: readonly string[], ceiling: object): object {
  return {
    contract: "c-1",
    parties: { merchant: "m", vendor: "v" },
    term: { start: "2026-01-01", end: "2027-01-01", zone: "UTC" },
    purposes: { wide: {}, narrow: { classes: ["phone", "person_name"] } },
    ceiling: { ...generous, ...ceiling },
    policy: "p",
    roles,
  };
}

/** `null` = refused, each time with a message and where. */
function bundleOf(policy: Policy, ceiling: object): Bundle | null {
  const read = readPolicy(sourceOf("p.yaml", policy));
  if (!read.ok) {
    expect(read.refusal.map(describeProblem).filter((said) => !/^p\.yaml:1:1: ./.test(said))).toEqual([]);
    expect(read.refusal).not.toEqual([]);
    return null;
  }
  const contract = readContract(sourceOf("c.yaml", contractValue(Object.keys(policy.roles), ceiling)));
  if (!contract.ok) throw new Error(contract.refusal.map(describeProblem).join("\n"));
  const bundle = compile(read.value, contract.value);
  if (!bundle.ok) throw new Error(bundle.refusal.map(describeProblem).join("\n"));
  return bundle.value;
}

/** What is wrong with an answer; nothing, if all is well. */
function faultsOf(policy: Policy, ceiling: Readonly<Record<string, string>>, settled: Settled, { document, ways }: Seeded): string[] {
  const { fields } = policy.resources.thing;
  const faults =
    [...Object.keys(fields)].sort().join() ===
    settled.fields
      .map(({ path }) => path)
      .sort()
      .join()
      ? []
      : ["not each field once"];
  for (const { path, class: name, treatment } of settled.fields) {
    const most = ceiling[name] ?? "reveal";
    if (![most, "withhold"].includes(treatment) && most !== "reveal") faults.push(`${path} is above the ceiling`);
  }
  const text = printJson(maskDocument(settled.plan, document, { today: "2026-11-22", pseudonymKey: new Uint8Array(32).fill(7) }).fields);
  // There is nothing to mask of what is plain.
  const clear = settled.fields.filter((field) => field.treatment === "reveal" || (field.treatment === "mask" && field.class === "plain"));
  for (const [canary, way] of ways) {
    const field = clear.find(({ path }) => leads(path, way));
    const isShown = text.includes(canary);
    if (isShown && !clear.some((each) => holds(each, way))) faults.push(`${canary} left from ${way.join(".")}`);
    if (!isShown && field?.class === "plain" && printJson(document).includes(canary))
      faults.push(`${canary} did not leave by ${field.path}`);
  }
  return faults;
}

describe("any policy that somebody might write", () => {
  it("is refused with reasons, or decides whatever it is asked, and lets nothing out but what it names and shows", () => {
    let accepted = 0;
    fc.assert(
      fc.property(policies, ceilings, documents, moments, fc.nat(2), (policy, ceiling, seeded, moment, place) => {
        const bundle = bundleOf(policy, ceiling);
        const role = place % Object.keys(policy.roles).length;
        const decision = bundle && decide(bundle, { role: `r${role}`, type: "thing", purpose: moment.purpose });
        if (decision === null) return;
        accepted++;
        const facts = { ...factsOf(role, moment), record: seeded.document };
        expect(["holds", "fails_to_hold", "failed"]).toContain(admit(decision, facts));
        expect(faultsOf(policy, ceiling, settle(decision, facts), seeded)).toEqual([]);
      }),
      { numRuns },
    );
    // Neither all refused nor all accepted: both are tried.
    expect(accepted).toBeGreaterThan(numRuns / 10);
    expect(accepted).toBeLessThan(numRuns);
  });

  it("found by chance: fields, roles and resources may have the names that every object of the language has", () => {
    const rules = { constructor: { mask: { when: "request.hour < 12" } }, toString: { mask: { when: "request.hour < 12" } } };
    const fields = { constructor: { class: "plain" }, toString: { class: "plain" } };
    const named: Policy = {
      resources: { thing: { subject: "id", fields } },
      roles: { constructor: { thing: rules }, valueOf: { extends: "constructor", thing: rules } },
    };
    const bundle = bundleOf(named, {});
    expect(bundle && decide(bundle, { role: "valueOf", type: "thing", purpose: "wide" })).not.toBeNull();
    expect(bundle && decide(bundle, { role: "hasOwnProperty", type: "thing", purpose: "wide" })).toBeNull();
    const empty = readPolicy(sourceOf("p.yaml", { resources: { name: { subject: "id", fields } } }));
    const contract = readContract(sourceOf("c.yaml", contractValue(["constructor"], {})));
    expect(empty.ok && contract.ok && compile(empty.value, contract.value).ok).toBe(true);
  });
});
