/**
 * The shipped policies against the platforms' own shapes: a canary at every path where personal data may stand, read by a first-line agent under a contract
 * that allows everything. None comes out, in values, keys or reasons, in any of eight encodings, while the order stays workable.
 */
import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { type Json, type JsonObject, printJson } from "../src/kernel/index.ts";
import { classNames, maskDocument } from "../src/masking/index.ts";
import {
  type Bundle,
  circumstancesOf,
  compile,
  type Decision,
  decide,
  describeProblem,
  parseContract,
  parsePolicy,
  type Shown,
  showDocument,
} from "../src/policy/index.ts";
import { createLeakScanner, type Leak } from "./support/leaks.ts";
import {
  type Canary,
  canaryKinds,
  candidatePaths,
  filledDocuments,
  hasShapes,
  type PlatformShape,
  platformShapes,
  textsOf,
  withStrangers,
} from "./support/platform-shapes.ts";

const strangerKey = "kanarie-key-zq7w-13960358147";
const strangerValue = "kanarie-stranger-zq7w";
const purposes = ["after_sales", "shipping"];
const pseudonymKey = new Uint8Array(32).fill(7);

/** The policy is all that holds anything back. */
function bundleOf(policyName: string): Bundle {
  const file = `${policyName}.yaml`;
  const policy = parsePolicy(readFileSync(new URL(`../policies/${file}`, import.meta.url), "utf8"), file);
  const contract = parseContract(
    `contract: c-1
parties: { merchant: m-1, vendor: v-1 }
term: { start: 2026-01-01, end: 2027-01-01, zone: UTC }
purposes: { ${purposes.map((purpose) => `${purpose}: {}`).join(", ")} }
ceiling: { ${classNames.map((name) => `${name}: reveal`).join(", ")} }
policy: ${policyName}
roles: [first_line]
`,
    "c.yaml",
  );
  if (!policy.ok || !contract.ok) throw new Error("does not parse");
  const bundle = compile(policy.value, contract.value);
  if (!bundle.ok) throw new Error(bundle.refusal.map(describeProblem).join("\n"));
  return bundle.value;
}

const bundles = new Map(["western-shop", "cs-standard"].map((name) => [name, bundleOf(name)]));

function shippedBundle({ policy }: PlatformShape): Bundle {
  const bundle = bundles.get(policy);
  if (!bundle) throw new Error("no such policy");
  return bundle;
}

/** As an agent of the first line gets it: out of the vault, which keeps what the policy names. */
function read(bundle: Bundle, type: string, purpose: string, document: JsonObject): Shown | null {
  const agent = { role: "first_line", issuer: "i", subject: "s" };
  const circumstances = circumstancesOf(bundle, { agent, now: Date.UTC(2026, 2, 2, 10), proven: true, purpose, ticket: null });
  const decision: Decision | null = decide(bundle, { role: agent.role, type, purpose });
  if (!circumstances.ok || decision === null) throw new Error("no decision");
  const shown = showDocument(decision, circumstances.value, document, pseudonymKey);
  return typeof shown === "string" ? null : shown;
}

function canariesOf(shape: PlatformShape, kind: string): Map<string, Canary> {
  const make = canaryKinds[kind];
  if (!make) throw new Error("no such kind");
  return new Map(candidatePaths(shape).map((path, place) => [path, make(place, path)]));
}

function scannerOf(canaries: ReadonlyMap<string, Canary>): (value: Json) => Leak[] {
  const scanner = createLeakScanner([...[...canaries.values()].flatMap(({ secrets }) => secrets), strangerKey, strangerValue]);
  return (value) => scanner.scan(printJson(value), { fields: textsOf(value) });
}

function asJson({ fields, settled }: Shown): Json {
  return { fields, masking: settled.masking.map(({ path, why, can }) => ({ path, why, can })) };
}

/** At a path of names and `[]`. */
function valuesAt(value: Json, path: string): Json[] {
  return path.split(".").reduce<Json[]>(
    (values, part) => {
      const key = part.replace("[]", "");
      return values.flatMap((one) => {
        const member = (one as JsonObject)[key];
        return member === undefined ? [] : part.endsWith("[]") ? [...(member as readonly Json[])] : [member];
      });
    },
    [value],
  );
}

/** The shipped policy with one path opened by hand, whatever it said of that path, of what is inside it, or around it. */
function opened(bundle: Bundle, type: string, path: string): Bundle {
  const isInside = (one: string, other: string) => one.startsWith(`${other}.`) || one.startsWith(`${other}[`);
  const isApart = (other: string) => other !== path && !isInside(other, path) && !isInside(path, other);
  const keep = <Value>(fields: Readonly<Record<string, Value>>) =>
    Object.fromEntries(Object.entries(fields).filter(([other]) => isApart(other)));
  const resource = bundle.resources[type];
  const rules = bundle.roles.first_line?.[type];
  if (!resource || !rules) throw new Error("no such type");
  return {
    ...bundle,
    resources: { [type]: { ...resource, fields: { ...keep(resource.fields), [path]: { class: "plain", search: false } } } },
    roles: { first_line: { [type]: { fields: { ...keep(rules.fields), [path]: [{ treatment: "reveal", why: "opened by hand" }] } } } },
  };
}

describe.runIf(hasShapes).each(platformShapes.map((shape) => [shape.list, shape] as const))(
  "a record in the shape of %s",
  (_list, shape) => {
    const bundle = shippedBundle(shape);

    it.each(Object.keys(canaryKinds))("lets no canary out (%s)", (kind) => {
      const canaries = canariesOf(shape, kind);
      const scan = scannerOf(canaries);
      const documents = filledDocuments(shape, canaries).map(
        (document) => withStrangers(document, strangerKey, strangerValue) as JsonObject,
      );
      // Every one of them is there to be found.
      const all = new Set([...canaries.values()].flatMap(({ secrets }) => secrets));
      const held = new Set(documents.flatMap((document) => scan(document).map(({ value }) => value)));
      expect([...all].filter((secret) => !held.has(secret))).toEqual([]);
      for (const document of documents) {
        for (const purpose of purposes) {
          const shown = read(bundle, shape.type, purpose, document);
          if (shown === null) throw new Error("not there");
          expect(scan(asJson(shown))).toEqual([]);
          for (const [path, value] of Object.entries(shape.readable)) {
            const values = valuesAt(shown.fields, path);
            expect(values.length, path).toBeGreaterThan(0);
            expect(new Set(values), path).toEqual(new Set([value]));
          }
          // The same document on its way through, which no vault has sorted, and within the envelope that the platform sends it in.
          const { plan } = shown.settled;
          const moment = { today: "2026-03-02", pseudonymKey };
          expect(scan(maskDocument(plan, document, moment).fields)).toEqual([]);
          expect(scan(maskDocument(plan, { [shape.type]: document, order: [document] }, moment).fields)).toEqual([]);
        }
      }
    });

    it("lets out the one whose path somebody opened by hand, whichever it is", () => {
      const canaries = canariesOf(shape, "text");
      const scan = scannerOf(canaries);
      const [inner, outer] = filledDocuments({ ...shape, samples: () => [] }, canaries);
      for (const [path, { secrets }] of canaries) {
        const decided = opened(bundle, shape.type, path);
        const leaks = [inner, outer].flatMap((document) => {
          const shown = document && read(decided, shape.type, "shipping", document);
          return shown ? scan(asJson(shown)).map(({ value }) => value) : [];
        });
        expect(new Set(leaks), path).toEqual(new Set(secrets));
      }
    });
  },
);
