/** Policies and contracts that pass the check, at random: as values, and as the text that an owner would write. */
import * as fc from "fast-check";
import type { JsonObject, Result } from "../../src/kernel/index.ts";
import { readContract } from "../../src/policy/contract-document.ts";
import {
  type Bundle,
  bundleText,
  type ContractDocument,
  compile,
  type Decision,
  decide,
  describeProblem,
  type Facts,
  type PolicyDocument,
  type Problem,
  parseBundle,
  parseContract,
  parsePolicy,
  type Settled,
  settle,
} from "../../src/policy/index.ts";
import { readPolicy } from "../../src/policy/policy-document.ts";
import type { Source } from "../../src/policy/yaml-source.ts";
import {
  allows,
  type ClassName,
  classes,
  conditionTexts,
  fields,
  type Kind,
  paths,
  type Role,
  type World,
  type Written,
} from "./policy-reading.ts";

const purposes = ["wide", "narrow"] as const;

const spelled: Readonly<Record<Kind, readonly [string, object]>> = {
  W: ["withhold", {}],
  P: ["pseudonymize", {}],
  GD: ["generalize", { to: "district" }],
  GC: ["generalize", { to: "city" }],
  M: ["mask", {}],
  MS: ["mask", { profile: "strict" }],
  R: ["reveal", {}],
  Q: ["reveal", { quota: "20/day" }],
};

const resources = {
  order: { subject: "id", fields: Object.fromEntries(Object.entries(fields).map(([path, name]) => [path, { class: name }])) },
};

const optionsOf = ({ kind, purposes: only, when }: Written) => ({
  ...spelled[kind][1],
  ...(only && { purposes: only }),
  ...(when && { when }),
});

function ruleValue([first, ...rest]: readonly Written[]): unknown {
  if (first === undefined || first.kind === "W") return "withhold";
  return { [spelled[first.kind][0]]: optionsOf(first), ...(rest.length > 0 && { else: ruleValue(rest) }) };
}

function roleValue({ rows, rules }: Role, index: number): object {
  const written = Object.entries(rules).flatMap(([path, rule]) => (rule.length > 0 ? [[path, ruleValue(rule)] as const] : []));
  return { ...(index > 0 && { extends: `r${index - 1}` }), order: { ...(rows && { rows }), ...Object.fromEntries(written) } };
}

function policyValue({ roles }: World): object {
  return { resources, roles: Object.fromEntries(roles.map((role, index) => [`r${index}`, roleValue(role, index)])) };
}

function contractValue({ roles, ceiling, needed }: World): object {
  const most = ([word, options]: readonly [string, object]) => (Object.keys(options).length > 0 ? { [word]: options } : word);
  return {
    contract: "c-1",
    parties: { merchant: "m", vendor: "v" },
    term: { start: "2026-01-01", end: "2027-01-01", zone: "UTC" },
    purposes: { wide: {}, narrow: { classes: needed } },
    ceiling: Object.fromEntries(Object.entries(ceiling).map(([name, kind]) => [name, most(spelled[kind])])),
    policy: "p",
    roles: roles.map((_, index) => `r${index}`),
  };
}

/** What YAML would have been read to; every line is the first. */
export function sourceOf(file: string, value: object): Source {
  const problem: Source["problem"] = (path, code, message) => ({
    file,
    line: 1,
    column: 1,
    code,
    message: `${path.join(".")}: ${message}`,
  });
  return { file, value, problem, valueProblem: problem, placeOf: () => ({ line: 1, column: 1 }) };
}

export function policyOf(world: World): PolicyDocument {
  return expectOk(readPolicy(sourceOf("p.yaml", policyValue(world))));
}

export function bundleOf(world: World, policy = policyOf(world)): Bundle {
  return bundleFrom(policy, expectOk(readContract(sourceOf("c.yaml", contractValue(world)))));
}

function bundleFrom(policy: PolicyDocument, contract: ContractDocument): Bundle {
  return expectOk(compile(policy, contract));
}

/** The way it takes in the product: from a file, and out of the database. `lines`: where each alternative stands, by role, path and its number. */
export function storedBundleOf(world: World): { readonly bundle: Bundle; readonly lines: ReadonlyMap<string, number> } {
  const { text, lines } = policyText(world);
  const contract = expectOk(parseContract(JSON.stringify(contractValue(world)), "c.yaml"));
  return { bundle: parseBundle(bundleText(bundleFrom(expectOk(parsePolicy(text, "p.yaml")), contract))), lines };
}

function policyText({ roles }: World): { readonly text: string; readonly lines: ReadonlyMap<string, number> } {
  const text = [`resources: ${JSON.stringify(resources)}`, "roles:"];
  const lines = new Map<string, number>();
  roles.forEach(({ rows, rules }, index) => {
    text.push(`  r${index}:`, ...(index > 0 ? [`    extends: r${index - 1}`] : []));
    const isEmpty = rows === undefined && Object.values(rules).every((rule) => rule.length === 0);
    text.push(`    order:${isEmpty ? " {}" : ""}`, ...(rows ? [`      rows: ${JSON.stringify(rows)}`] : []));
    for (const [path, rule] of Object.entries(rules)) {
      let [indent, key] = ["      ", path];
      for (const [place, written] of rule.entries()) {
        const [word] = spelled[written.kind];
        if (written.kind === "W") text.push(`${indent}${key}: withhold`);
        else text.push(`${indent}${key}:`, `${indent}  ${word}: ${JSON.stringify(optionsOf(written))}`);
        lines.set(`${index} ${path} ${place}`, text.length);
        [indent, key] = [`${indent}  `, "else"];
      }
    }
  });
  return { text: text.join("\n"), lines };
}

function expectOk<Value>(read: Result<Value, Problem[]>): Value {
  if (!read.ok) throw new Error(read.refusal.map(describeProblem).join("\n"));
  return read.value;
}

const possible: Readonly<Record<ClassName, readonly Kind[]>> = {
  phone: ["W", "P", "M", "MS", "R", "Q"],
  person_name: ["W", "P", "M", "MS", "R", "Q"],
  address: ["W", "P", "GD", "GC", "M", "MS", "R", "Q"],
  plain: ["W", "P", "M", "R", "Q"],
};

interface Wishes {
  readonly kinds?: readonly Kind[];
  readonly namesPurposes?: boolean;
}

/** Alternatives in falling order: all but the last with something asked, as the check demands. */
function ruleOf(name: ClassName, { kinds = possible[name], namesPurposes = true }: Wishes): fc.Arbitrary<readonly Written[]> {
  const when = fc.constantFrom(...conditionTexts);
  const asked = namesPurposes
    ? fc.record({ purposes: fc.subarray([...purposes], { minLength: 1 }), when }, { requiredKeys: [] })
    : fc.record({ when }, { requiredKeys: [] });
  const alternative = fc.record({ kind: fc.constantFrom(...kinds), asked });
  return fc.array(alternative, { maxLength: 3 }).map((list) => {
    const rule: Written[] = [];
    for (const { kind, asked: options } of list) {
      const last = rule.at(-1);
      if (last !== undefined && (last.kind === "W" || !allows(last.kind, kind) || Object.keys(last).length === 1)) break;
      rule.push(kind === "W" ? { kind } : { kind, ...options });
    }
    return rule;
  });
}

export function roleOf(wishes: Wishes = {}): fc.Arbitrary<Role> {
  const rules = fc.record(Object.fromEntries(paths.map((path) => [path, ruleOf(fields[path], wishes)]))) as fc.Arbitrary<Role["rules"]>;
  return fc.record({ rows: fc.option(fc.constantFrom(...conditionTexts), { nil: undefined, freq: 2 }), rules });
}

export const ceilings = fc.record(
  Object.fromEntries(classes.map((name) => [name, fc.constantFrom(...possible[name].filter((kind) => kind !== "Q"))])),
  { requiredKeys: [] },
) as fc.Arbitrary<World["ceiling"]>;

export function worldOf(wishes: Wishes = {}): fc.Arbitrary<World> {
  return fc.record({
    roles: fc.array(roleOf(wishes), { minLength: 1, maxLength: 3 }),
    ceiling: ceilings,
    needed: fc.subarray(["phone", "person_name", "address"]),
  });
}

const records: fc.Arbitrary<JsonObject> = fc.record(
  { status: fc.constantFrom("open", "closed", "other"), amount: fc.constantFrom<string | number>(1, 5, 6, 7.5, "many") },
  { requiredKeys: [] },
);

export interface Moment {
  readonly hour: number;
  readonly record: JsonObject;
  readonly purpose: string;
}

export const moments: fc.Arbitrary<Moment> = fc.record({
  hour: fc.constantFrom(9, 15),
  record: records,
  purpose: fc.constantFrom(...purposes),
});

export function factsOf(role: number, { hour, record, purpose }: Moment): Facts {
  return {
    agent: { role: `r${role}`, issuer: "i", subject: "s" },
    contract: { id: "c-1", merchant: "m", vendor: "v" },
    request: { hour, minute: 0, weekday: 1, date: "2026-03-02", network: "", purpose, ticket: "" },
    record,
  };
}

export function decisionOf(bundle: Bundle, role: number, purpose: string): Decision {
  const decision = decide(bundle, { role: `r${role}`, type: "order", purpose });
  if (decision === null) throw new Error("no decision");
  return decision;
}

export function settledFor(bundle: Bundle, role: number, facts: Facts): Settled {
  return settle(decisionOf(bundle, role, facts.request.purpose), facts);
}
