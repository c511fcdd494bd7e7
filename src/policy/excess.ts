/**
 * Where a policy grants more than the contract lets through. Nothing is broken by it, the contract caps; but whoever reads the policy reads more than holds.
 */
import type { ContractDocument } from "./contract-document.ts";
import type { PolicyDocument } from "./policy-document.ts";
import { inFileOrder, type Problem } from "./problem.ts";
import { capGrant, describeGrant, isSameGrant } from "./treatments.ts";

/** Warnings at the policy's rules, each once, for the roles of the contract. */
export function excesses(policy: PolicyDocument, contract: ContractDocument): Problem[] {
  const found = new Map<string, Problem>();
  for (const role of contract.roles) {
    for (const [type, rules] of Object.entries(policy.roles[role] ?? {})) {
      for (const [path, rule] of Object.entries(rules.fields)) {
        const name = policy.resources[type]?.fields[path]?.class;
        if (name === undefined) continue;
        const ceiling = contract.ceiling[name] ?? { treatment: "withhold" };
        for (const { grant, line, column } of rule) {
          if (isSameGrant(capGrant(ceiling, grant), grant)) continue;
          const limit = contract.ceiling[name] === undefined ? ["ceiling"] : ["ceiling", name];
          const place = `${contract.source.file}:${contract.source.placeOf(limit).line}`;
          found.set(`${line} ${path}`, {
            file: policy.source.file,
            line,
            column,
            code: "exceeds_contract",
            message: `${type}.${path} → ${describeGrant(grant)} is more than the contract's ceiling for ${name}: ${describeGrant(ceiling)} (${place})`,
            hint: "the contract caps it; write here what holds, or raise the ceiling",
          });
        }
      }
    }
  }
  return inFileOrder([...found.values()]);
}
