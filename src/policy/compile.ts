/**
 * policy ∩ contract → bundle: of each role that the contract names, each field of each resource gets the most that both allow, and the reason why.
 */
import { ok, type Result, refuse } from "../kernel/index.ts";
import type { DataClass, Treatment } from "../masking/index.ts";
import type { Bundle, Rule } from "./bundle.ts";
import type { ContractDocument } from "./contract-document.ts";
import type { PolicyDocument, RoleRules } from "./policy-document.ts";
import type { Problem } from "./problem.ts";
import { didYouMean, quote } from "./shape.ts";
import { cap } from "./treatments.ts";

export function compile(policy: PolicyDocument, contract: ContractDocument): Result<Bundle, Problem[]> {
  const isEmpty = Object.keys(policy.roles).length === 0;
  const problems = contract.roles.flatMap((role, index) => {
    // A policy without any role denies everything to everybody; it is not a typing mistake.
    if (isEmpty || Object.hasOwn(policy.roles, role)) return [];
    return [
      contract.source.valueProblem(
        ["roles", index],
        "unknown_role",
        `the policy has no role ${quote(role)}`,
        didYouMean(role, Object.keys(policy.roles)),
      ),
    ];
  });
  if (problems.length > 0) return refuse(problems);
  const { id, merchant, vendor, subprocessors, term, purposes, purge } = contract;
  return ok({
    contract: { id, merchant, vendor, subprocessors: [...subprocessors], term, purposes: [...purposes], purge },
    policy: contract.policy,
    resources: mapValues(policy.resources, ({ subject, fields }) => ({ subject, fields: { ...fields } })),
    roles: Object.fromEntries(contract.roles.map((role) => [role, compileRole(role, policy, contract)])),
  });
}

function compileRole(role: string, policy: PolicyDocument, contract: ContractDocument): Bundle["roles"][string] {
  const rules: RoleRules = policy.roles[role] ?? {};
  return mapValues(policy.resources, (resource, type) => {
    const own = rules[type] ?? {};
    return mapValues(resource.fields, (field, path) => {
      const wanted = Object.hasOwn(own, path) ? own[path] : undefined;
      return compileRule({ role, path, class: field.class, wanted, ceiling: contract.ceiling[field.class] ?? "withhold" });
    });
  });
}

interface Wanted {
  readonly role: string;
  readonly path: string;
  readonly class: DataClass;
  readonly wanted: Treatment | undefined;
  readonly ceiling: Treatment;
}

function compileRule({ role, path, class: name, wanted, ceiling }: Wanted): Rule {
  if (wanted === undefined) return { treatment: "withhold", why: `role ${role} has no rule for ${path}` };
  if (wanted === "withhold") return { treatment: "withhold", why: `role ${role}: ${path} → withhold` };
  if (name === "free_text") return { treatment: "withhold", why: "free text is withheld until it can be redacted" };
  const treatment = cap(ceiling, wanted);
  if (treatment === wanted) return { treatment, why: `role ${role}: ${path} → ${treatment}` };
  if (treatment === "withhold") return { treatment, why: "above the contract's ceiling" };
  return { treatment, why: `role ${role}: ${path} → ${wanted}; the contract's ceiling: ${treatment}` };
}

function mapValues<In, Out>(record: Readonly<Record<string, In>>, map: (value: In, key: string) => Out): Record<string, Out> {
  return Object.fromEntries(Object.entries(record).map(([key, value]) => [key, map(value, key)]));
}
