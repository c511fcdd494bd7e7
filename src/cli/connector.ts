/** `postern connector …`: reads connectors as the gateway would, without one. */
import type { Problem } from "../policy/index.ts";
import { command, jsonFlag } from "./command.ts";
import { exitCodes } from "./failure.ts";
import { readText } from "./files.ts";
import { print, printJson } from "./output.ts";
import { throwProblems } from "./problems.ts";

const check = command({
  meta: { description: "Find what is wrong in connectors, by line and column" },
  examples: ["npx postern connector check policies/connectors/shopify.yaml"],
  args: { files: { type: "positional", required: true, valueHint: "FILE", description: "YAML files" }, ...jsonFlag },
  variadic: true,
  async run({ args }) {
    const { parseConnector } = await import("../connectors/index.ts");
    const problems: Problem[] = [];
    for (const file of args._) {
      const parsed = parseConnector(await readText(file), file);
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

export const connector = command({
  meta: { description: "Check how the gateway speaks to a merchant's own API" },
  subCommands: { check },
});
