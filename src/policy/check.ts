/**
 * Policy, contract and case files as `policy check` reads them: each alone, and each contract with the policy that it names, where that is among them.
 * Problems are what a gateway refuses; warnings are what it does, and what whoever wrote the files may not have meant.
 */
import { parseCases } from "./cases-document.ts";
import { compile } from "./compile.ts";
import { type ContractDocument, parseContract } from "./contract-document.ts";
import { excesses } from "./excess.ts";
import { outranked } from "./outranked.ts";
import { type PolicyDocument, parsePolicy } from "./policy-document.ts";
import { inFileOrder, type Problem } from "./problem.ts";
import { unreachable, unreachableUnder } from "./unreachable.ts";
import { unseen } from "./unseen.ts";
import { viewJoins } from "./views.ts";

export interface PolicyFile {
  readonly file: string;
  readonly text: string;
  /** Of a case file: the policy that it is about. */
  readonly beside?: PolicyFile | undefined;
}

export interface Checked {
  readonly problems: readonly Problem[];
  readonly warnings: readonly Problem[];
}

export function checkFiles(files: readonly PolicyFile[]): Checked {
  const problems: Problem[] = [];
  const contracts: ContractDocument[] = [];
  const policies: PolicyDocument[] = [];
  for (const { file, text, beside } of files) {
    if (beside) {
      problems.push(...caseProblems({ file, text }, beside));
      continue;
    }
    const parsed = /^contract\s*:/m.test(text) ? parseContract(text, file) : parsePolicy(text, file);
    if (!parsed.ok) problems.push(...parsed.refusal);
    else if ("ceiling" in parsed.value) contracts.push(parsed.value);
    else policies.push(parsed.value);
  }
  const warnings = policies.flatMap((policy) => policyWarnings(policy));
  for (const contract of contracts) {
    for (const policy of policies.filter(({ source }) => baseName(source.file) === `${contract.policy}.yaml`)) {
      const compiled = compile(policy, contract);
      if (compiled.ok) warnings.push(...excesses(policy, contract), ...unreachableUnder(policy, contract));
      else problems.push(...compiled.refusal);
    }
  }
  return { problems, warnings };
}

/** Nothing where the policy has problems of its own. */
function caseProblems({ file, text }: PolicyFile, beside: PolicyFile): readonly Problem[] {
  const policy = parsePolicy(beside.text, beside.file);
  const cases = policy.ok ? parseCases(text, file, policy.value) : null;
  return cases?.ok === false ? cases.refusal : [];
}

/** Of a policy alone; what a role has from another is warned of once. */
function policyWarnings(policy: PolicyDocument): Problem[] {
  const found = [...unreachable(policy), ...unseen(policy), ...outranked(policy), ...viewJoins(policy)];
  const keys = found.map(({ code, line, column }) => `${code} ${line}:${column}`);
  return inFileOrder(found.filter((_, index) => keys.indexOf(keys[index] ?? "") === index));
}

function baseName(file: string): string {
  return file.slice(1 + Math.max(file.lastIndexOf("/"), file.lastIndexOf("\\")));
}
