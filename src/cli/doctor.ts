/** `postern doctor`: looks at each thing that the gateway needs, changes nothing, and says how to mend what fails. */
import { command, jsonFlag } from "./command.ts";
import { examine } from "./doctor-checks.ts";
import { exitCodes } from "./failure.ts";
import { columns, plain, print, printJson } from "./output.ts";

export const doctor = command({
  meta: { description: "Check everything the gateway needs, and explain what fails" },
  examples: ["npx postern doctor", "npx postern doctor --json"],
  args: jsonFlag,
  async run({ args }) {
    const findings = await examine(process.env);
    const failing = findings.filter(({ status }) => status === "failing");
    process.exitCode = failing.length > 0 ? exitCodes.failed : exitCodes.ok;
    if (args.json) return printJson({ ok: failing.length === 0, checks: findings });
    print(columns(findings.map(({ check, status, detail }) => [status, check, plain(detail)])));
    for (const { check, cure } of failing) print(`\n${check}: ${plain(cure)}`);
  },
});
