/** `postern policy …`: reads policy and contract files as the gateway would, without one. */
import type { PolicyFile } from "../policy/index.ts";
import { command, jsonFlag } from "./command.ts";
import { exitCodes, Failure } from "./failure.ts";
import { readText } from "./files.ts";
import { plain, print, printJson } from "./output.ts";
import { policyApply } from "./policy-apply.ts";
import { policyDiff } from "./policy-diff.ts";
import { explain } from "./policy-explain.ts";
import { policyReplay } from "./policy-replay.ts";
import { policyShow } from "./policy-show.ts";
import { policyBeside, test } from "./policy-test.ts";
import { throwProblems } from "./problems.ts";

const check = command({
  meta: { description: "Find what is wrong in policy and contract files, by line and column" },
  examples: ["npx postern policy check contract.yaml policies/*.yaml"],
  args: { files: { type: "positional", required: true, valueHint: "FILE", description: "YAML files" }, ...jsonFlag },
  variadic: true,
  async run({ args }) {
    const { checkFiles, describeProblem } = await import("../policy/index.ts");
    const files: PolicyFile[] = [];
    for (const file of args._) files.push({ file, text: await readText(file), beside: await policyBeside(file) });
    const { problems, warnings } = checkFiles(files);
    if (args.json) {
      process.exitCode = problems.length > 0 ? exitCodes.failed : exitCodes.ok;
      return printJson({ files: files.length, problems, warnings });
    }
    for (const warning of warnings) print(`warning: ${plain(describeProblem(warning))}`);
    if (problems.length > 0) await throwProblems(problems);
    print(`OK, ${files.length} file${files.length === 1 ? "" : "s"}`);
  },
});

const schema = command({
  meta: { description: "Print the JSON Schema of policy, contract or case files, for editors" },
  examples: ["npx postern policy schema contract > contract.schema.json"],
  args: { kind: { type: "positional", required: true, valueHint: "KIND", description: "policy, contract or cases" } },
  async run({ args }) {
    const { fileJsonSchema, fileKinds } = await import("../policy/index.ts");
    const kind = fileKinds.find((known) => known === args.kind);
    if (kind === undefined) throw new Failure(`no files of kind ${plain(args.kind)}; there are ${fileKinds.join(", ")}`, exitCodes.usage);
    printJson(fileJsonSchema(kind));
  },
});

export const policy = command({
  meta: { description: "Check, test, explain, compare and change policies" },
  subCommands: { check, test, explain, diff: policyDiff, apply: policyApply, show: policyShow, replay: policyReplay, schema },
});
