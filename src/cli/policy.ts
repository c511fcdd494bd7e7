/** `postern policy …`: reads policy and contract files as the gateway would, without one. */
import { basename } from "node:path";
import type { ContractDocument, PolicyDocument, Problem } from "../policy/index.ts";
import { command, jsonFlag } from "./command.ts";
import { exitCodes, Failure } from "./failure.ts";
import { readText } from "./files.ts";
import { plain, print, printJson } from "./output.ts";
import { policyApply } from "./policy-apply.ts";
import { policyDiff } from "./policy-diff.ts";
import { policyReplay } from "./policy-replay.ts";
import { policyShow } from "./policy-show.ts";
import { throwProblems } from "./problems.ts";

const check = command({
  meta: { description: "Find what is wrong in policy and contract files, by line and column" },
  examples: ["npx postern policy check contract.yaml policies/*.yaml"],
  args: { files: { type: "positional", required: true, valueHint: "FILE", description: "YAML files" }, ...jsonFlag },
  variadic: true,
  async run({ args }) {
    const { parseContract, parsePolicy } = await import("../policy/index.ts");
    const problems: Problem[] = [];
    const contracts: ContractDocument[] = [];
    const policies: PolicyDocument[] = [];
    for (const file of args._) {
      const text = await readText(file);
      const isContract = /^contract\s*:/m.test(text);
      const parsed = isContract ? parseContract(text, file) : parsePolicy(text, file);
      if (!parsed.ok) problems.push(...parsed.refusal);
      else if ("ceiling" in parsed.value) contracts.push(parsed.value);
      else policies.push(parsed.value);
    }
    const together = await checkTogether(contracts, policies);
    problems.push(...together.problems);
    if (args.json) {
      process.exitCode = problems.length > 0 ? exitCodes.failed : exitCodes.ok;
      return printJson({ files: args._.length, problems, warnings: together.warnings });
    }
    const { describeProblem } = await import("../policy/index.ts");
    for (const warning of together.warnings) print(`warning: ${plain(describeProblem(warning))}`);
    if (problems.length > 0) await throwProblems(problems);
    print(`OK, ${args._.length} file${args._.length === 1 ? "" : "s"}`);
  },
});

/** Each contract with the policy that it names, where that is among the files. */
async function checkTogether(
  contracts: readonly ContractDocument[],
  policies: readonly PolicyDocument[],
): Promise<{ problems: Problem[]; warnings: Problem[] }> {
  const { compile, excesses } = await import("../policy/index.ts");
  const problems: Problem[] = [];
  const warnings: Problem[] = [];
  for (const contract of contracts) {
    for (const policy of policies.filter(({ source }) => basename(source.file) === `${contract.policy}.yaml`)) {
      const compiled = compile(policy, contract);
      if (compiled.ok) warnings.push(...excesses(policy, contract));
      else problems.push(...compiled.refusal);
    }
  }
  return { problems, warnings };
}

const schema = command({
  meta: { description: "Print the JSON Schema of policy or contract files, for editors" },
  examples: ["npx postern policy schema contract > contract.schema.json"],
  args: { kind: { type: "positional", required: true, valueHint: "KIND", description: "policy or contract" } },
  async run({ args }) {
    const { fileJsonSchema, fileKinds } = await import("../policy/index.ts");
    const kind = fileKinds.find((known) => known === args.kind);
    if (kind === undefined) throw new Failure(`no files of kind ${plain(args.kind)}; there are ${fileKinds.join(", ")}`, exitCodes.usage);
    printJson(fileJsonSchema(kind));
  },
});

export const policy = command({
  meta: { description: "Check, compare and change policies" },
  subCommands: { check, schema, diff: policyDiff, apply: policyApply, show: policyShow, replay: policyReplay },
});
