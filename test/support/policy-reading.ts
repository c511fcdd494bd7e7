/** What a plain reading of a policy and a contract says: written anew, without the product's code, asked role by role and alternative by alternative each time. */
import type { Facts, Settled } from "../../src/policy/index.ts";

/** `Q`: reveal that has to be asked for. */
export type Kind = "W" | "P" | "GD" | "GC" | "M" | "MS" | "R" | "Q";

export interface Written {
  readonly kind: Kind;
  readonly purposes?: readonly string[];
  readonly when?: ConditionText;
}

export interface Role {
  readonly rows?: ConditionText | undefined;
  readonly rules: Readonly<Record<Path, readonly Written[]>>;
}

export interface World {
  /** Each extends the one before it. */
  readonly roles: readonly Role[];
  readonly ceiling: Readonly<Partial<Record<ClassName, Kind>>>;
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
export type Path = keyof typeof fields;
export type ClassName = (typeof fields)[Path];
export const paths = Object.keys(fields) as readonly Path[];
export const classes = [...new Set(Object.values(fields))];

/** What each says of the facts; `null` = it cannot be evaluated. */
const conditions = {
  "request.hour < 12": (facts: Facts) => facts.request.hour < 12,
  'record.status == "open"': ({ record }: Facts) => (Object.hasOwn(record, "status") ? record.status === "open" : null),
  "record.amount > 5": ({ record }: Facts) => (typeof record.amount === "number" ? record.amount > 5 : null),
  'agent.role == "r1"': (facts: Facts) => facts.agent.role === "r1",
} as const;
export type ConditionText = keyof typeof conditions;
export const conditionTexts = Object.keys(conditions) as readonly ConditionText[];

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

/** May `lower` stand where `upper` does not hold? */
export const allows = (upper: Kind, lower: Kind) => both(upper, lower) === lower && !(upper === "Q" && lower === "R");

/** Where a condition fails, no more than it would have given; what had to be asked for is not shown unasked. */
const under = (upper: Kind, lower: Kind): Kind =>
  upper === "Q" && lower === "R" ? "M" : upper === "R" || upper === "Q" ? lower : both(upper, lower);

export interface Reading {
  readonly kind: Kind;
  /** The alternative that decided: its role, path and number; absent where none did. */
  readonly by?: string;
}

export function readField(world: World, role: number, path: Path, facts: Facts): Reading {
  const { purpose } = facts.request;
  const name = fields[path];
  if (purpose === "narrow" && name !== "plain" && !world.needed.includes(name)) return { kind: "W" };
  const limits: Kind[] = [];
  for (let link = role; link >= 0; link--) {
    const rule = world.roles[link]?.rules[path] ?? [];
    for (const [place, { kind, purposes: only, when }] of rule.entries()) {
      const holds = only?.includes(purpose) !== false && (when === undefined || conditions[when](facts) === true);
      const most = world.ceiling[name] ?? "W";
      if (holds)
        return {
          kind: both(
            most,
            limits.reduceRight((lower, limit) => under(limit, lower), kind),
          ),
          by: `${link} ${path} ${place}`,
        };
    }
    const last = rule.at(-1);
    if (last !== undefined && last.purposes === undefined && last.when === undefined) break;
    if (last !== undefined) limits.push(last.kind);
  }
  return { kind: "W" };
}

/** Is a record there for a role? Its own row rule says so, or else that of the nearest role it extends. */
export function readRows(world: World, role: number, facts: Facts): boolean {
  const rule = world.roles.slice(0, role + 1).findLast(({ rows }) => rows !== undefined)?.rows;
  return rule === undefined || conditions[rule](facts) === true;
}

export function kindsOf(settled: Settled): Record<string, Kind> {
  const owed = new Set(settled.obligations.map(({ path }) => path));
  return Object.fromEntries(settled.fields.map((field) => [field.path, owed.has(field.path) ? "Q" : kindOf(field)]));
}

function kindOf({ treatment, to, profile }: Settled["fields"][number]): Kind {
  const short = {
    withhold: "W",
    pseudonymize: "P",
    generalize: to === "city" ? "GC" : "GD",
    mask: profile === "strict" ? "MS" : "M",
    reveal: "R",
  } as const;
  return short[treatment];
}
