/** `postern policy check`: reads policy and contract files as the gateway would, without one. */
import { command, jsonFlag } from "./command.ts";
import { exitCodes } from "./failure.ts";
import { readText } from "./files.ts";
import { print, printJson } from "./output.ts";
import { throwProblems } from "./problems.ts";

const check = command({
  meta: { description: "Find what is wrong in policy and contract files, by line and column" },
  examples: ["npx postern policy check contract.yaml policies/*.yaml"],
  args: { files: { type: "positional", required: true, valueHint: "FILE", description: "YAML files" }, ...jsonFlag },
  variadic: true,
  async run({ args }) {
    const { parseContract, parsePolicy } = await import("../policy/index.ts");
    const problems = [];
    for (const file of args._) {
      const text = await readText(file);
      const parsed = /^contract\s*:/m.test(text) ? parseContract(text, file) : parsePolicy(text, file);
      if (!parsed.ok) problems.push(...parsed.refusal);
    }
    if (args.json) {
      process.exitCode = problems.length > 0 ? exitCodes.failed : exitCodes.ok;
      return printJson({ files: args._.length, problems });
    }
    if (problems.length > 0) await throwProblems(problems);
    print(`OK, ${args._.length} file${args._.length === 1 ? "" : "s"}`);
  },
});

export const policy = command({ meta: { description: "Check policy files" }, subCommands: { check } });
