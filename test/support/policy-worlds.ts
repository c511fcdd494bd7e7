/** Policies and contracts that pass the check, at random; and what a plain reading of them says, written anew and without the product's code. */
import * as fc from "fast-check";
import type { JsonObject } from "../../src/kernel/index.ts";
import {
  type Bundle,
  bundleText,
  compile,
  decide,
  describeProblem,
  type Facts,
  parseBundle,
  parseContract,
  parsePolicy,
  type Settled,
  settle,
} from "../../src/policy/index.ts";

/** `Q`: reveal that has to be asked for. */
export type Kind = "W" | "P" | "GD" | "GC" | "M" | "MS" | "R" | "Q";

export interface Written {
  readonly kind: Kind;
  readonly purposes?: readonly string[];
  readonly when?: keyof typeof conditions;
}

export type Role = Readonly<Record<string, readonly Written[]>>;

export interface World {
  /** Each extends the one before it. */
  readonly roles: readonly Role[];
  readonly ceiling: Readonly<Record<string, Kind>>;
  /** Classes that the purpose `narrow` needs. */
  readonly needed: readonly string[];
}

export const fields = {
  phone: "phone",
  name: "person_name",
  address: "address",
  home: "address",
  status: "plain",
  amount: "plain",
} as const;
export const classes = ["phone", "person_name", "address", "plain"] as const;
const purposes = ["wide", "narrow"] as const;

/** What each says of the facts below; `null` = it cannot be evaluated. */
const conditions = {
  "request.hour < 12": (facts: Facts) => facts.request.hour < 12,
  'record.status == "open"': ({ record }: Facts) => (Object.hasOwn(record, "status") ? record.status === "open" : null),
  "record.amount > 5": ({ record }: Facts) => (typeof record.amount === "number" ? record.amount > 5 : null),
  'agent.role == "r1"': (facts: Facts) => facts.agent.role === "r1",
} as const;

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

/** The most that two kinds both allow, as a table would have it. */
export function both(a: Kind, b: Kind): Kind {
  if (a === b) return a;
  for (const [one, other] of [
    [a, b],
    [b, a],
  ] as const) {
    if (one === "R") return other;
    if (one === "Q" && other !== "W") return other;
    if (one === "GD" && other === "GC") return "GC";
    if (one === "M" && other === "MS") return "MS";
  }
  return "W";
}

const allows = (upper: Kind, lower: Kind) => both(upper, lower) === lower && !(upper === "Q" && lower === "R");

/** Where a condition fails, no more than it would have given; what had to be asked for is not shown unasked. */
const under = (upper: Kind, lower: Kind): Kind =>
  upper === "Q" && lower === "R" ? "M" : upper === "R" || upper === "Q" ? lower : both(upper, lower);

/** The plain reading: role by role, alternative by alternative, asked anew each time. */
export function interpret(world: World, role: number, path: keyof typeof fields, purpose: string, facts: Facts): Kind {
  const name = fields[path];
  if (purpose === "narrow" && name !== "plain" && !world.needed.includes(name)) return "W";
  const limits: Kind[] = [];
  for (let link = role; link >= 0; link--) {
    const rule = world.roles[link]?.[path] ?? [];
    for (const { kind, purposes: only, when } of rule) {
      const holds = only?.includes(purpose) !== false && (when === undefined || conditions[when](facts) === true);
      if (holds)
        return both(
          world.ceiling[name] ?? "W",
          limits.reduceRight((lower, limit) => under(limit, lower), kind),
        );
    }
    const last = rule.at(-1);
    if (last !== undefined && last.purposes === undefined && last.when === undefined) break;
    if (last !== undefined) limits.push(last.kind);
  }
  return "W";
}

function policyText({ roles }: World): string {
  const alternative = ([first, ...rest]: readonly Written[]): unknown => {
    if (first === undefined) return "withhold";
    const [word, options] = spelled[first.kind];
    if (first.kind === "W") return word;
    const { purposes: only, when } = first;
    return {
      [word]: { ...options, ...(only && { purposes: only }), ...(when && { when }) },
      ...(rest.length > 0 && { else: alternative(rest) }),
    };
  };
  const spelledRole = (role: Role, index: number) => ({
    ...(index > 0 && { extends: `r${index - 1}` }),
    order: Object.fromEntries(Object.entries(role).flatMap(([path, rule]) => (rule.length > 0 ? [[path, alternative(rule)]] : []))),
  });
  return JSON.stringify({
    resources: {
      order: { subject: "id", fields: Object.fromEntries(Object.entries(fields).map(([path, name]) => [path, { class: name }])) },
    },
    roles: Object.fromEntries(roles.map((role, index) => [`r${index}`, spelledRole(role, index)])),
  });
}

function contractText({ roles, ceiling, needed }: World): string {
  const most = ([word, options]: readonly [string, object]) => (Object.keys(options).length > 0 ? { [word]: options } : word);
  return JSON.stringify({
    contract: "c-1",
    parties: { merchant: "m", vendor: "v" },
    term: { start: "2026-01-01", end: "2027-01-01", zone: "UTC" },
    purposes: { wide: {}, narrow: { classes: needed } },
    ceiling: Object.fromEntries(Object.entries(ceiling).map(([name, kind]) => [name, most(spelled[kind])])),
    policy: "p",
    roles: roles.map((_, index) => `r${index}`),
  });
}

export function bundleOf(world: World): Bundle {
  const policy = parsePolicy(policyText(world), "p.yaml");
  const contract = parseContract(contractText(world), "c.yaml");
  const problems = [...(policy.ok ? [] : policy.refusal), ...(contract.ok ? [] : contract.refusal)];
  if (!policy.ok || !contract.ok) throw new Error(problems.map(describeProblem).join("\n"));
  const bundle = compile(policy.value, contract.value);
  if (!bundle.ok) throw new Error(bundle.refusal.map(describeProblem).join("\n"));
  return parseBundle(bundleText(bundle.value));
}

const possible: Readonly<Record<(typeof classes)[number], readonly Kind[]>> = {
  phone: ["W", "P", "M", "MS", "R", "Q"],
  person_name: ["W", "P", "M", "MS", "R", "Q"],
  address: ["W", "P", "GD", "GC", "M", "MS", "R", "Q"],
  plain: ["W", "P", "M", "R", "Q"],
};

/** Alternatives in falling order: all but the last with something asked, as the check demands. */
function ruleOf(name: (typeof classes)[number], kinds: readonly Kind[] = possible[name]): fc.Arbitrary<readonly Written[]> {
  const asked = fc.record(
    {
      purposes: fc.subarray([...purposes], { minLength: 1 }),
      when: fc.constantFrom(...(Object.keys(conditions) as (keyof typeof conditions)[])),
    },
    { requiredKeys: [] },
  );
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

export const roleOf = (kinds?: readonly Kind[]): fc.Arbitrary<Role> =>
  fc.record(Object.fromEntries(Object.entries(fields).map(([path, name]) => [path, ruleOf(name, kinds)])));
export const ceilings = fc.record(
  Object.fromEntries(classes.map((name) => [name, fc.constantFrom(...possible[name].filter((kind) => kind !== "Q"))])),
  { requiredKeys: [] },
) as fc.Arbitrary<World["ceiling"]>;
export const worlds: fc.Arbitrary<World> = fc.record({
  roles: fc.array(roleOf(), { minLength: 1, maxLength: 3 }),
  ceiling: ceilings,
  needed: fc.subarray(["phone", "person_name", "address"]),
});
const records: fc.Arbitrary<JsonObject> = fc.record(
  { status: fc.constantFrom("open", "closed", "other"), amount: fc.constantFrom<string | number>(1, 5, 6, 7.5, "many") },
  { requiredKeys: [] },
);

export function factsOf(role: number, hour: number, record: JsonObject, purpose: string): Facts {
  return {
    agent: { role: `r${role}`, issuer: "i", subject: "s" },
    contract: { id: "c-1", merchant: "m", vendor: "v" },
    request: { hour, minute: 0, weekday: 1, date: "2026-03-02", network: "", purpose, ticket: "" },
    record,
  };
}

export const moments = fc.record({ hour: fc.constantFrom(9, 15), record: records, purpose: fc.constantFrom(...purposes) });

export function settledFor(bundle: Bundle, role: number, facts: Facts): Settled {
  const decision = decide(bundle, { role: `r${role}`, type: "order", purpose: facts.request.purpose });
  if (decision === null) throw new Error("no decision");
  return settle(decision, facts);
}

export function kindOf(settled: Settled, path: string): Kind {
  const field = settled.fields.find((known) => known.path === path);
  const short = {
    withhold: "W",
    pseudonymize: "P",
    generalize: field?.to === "city" ? "GC" : "GD",
    mask: field?.profile === "strict" ? "MS" : "M",
    reveal: "R",
  } as const;
  const isOwed = settled.obligations.some((obligation) => obligation.path === path);
  return field === undefined ? "W" : isOwed ? "Q" : short[field.treatment];
}
