/** `postern policy diff OLD NEW`: what a new policy widens and what it narrows, from files alone. */
import type { Bundle } from "../policy/index.ts";
import { command, jsonFlag } from "./command.ts";
import { exitCodes, Failure } from "./failure.ts";
import { print, printJson } from "./output.ts";
import { countDifferences, describeDifferences } from "./policy-differences.ts";
import { compileFiles, readAgreement, readPolicyFile } from "./policy-files.ts";

export const policyDiff = command({
  meta: {
    description:
      "What a new policy widens and what it narrows. Exit code 0: nothing is wider; 4: something is, or cannot be proven not to be",
  },
  examples: [
    "npx postern policy diff old.yaml new.yaml",
    "npx postern policy diff old.yaml new.yaml --contract contract.yaml",
    "npx postern policy diff policy.yaml policy.yaml --contract old-contract.yaml --new-contract contract.yaml",
  ],
  args: {
    old: { type: "positional", required: true, valueHint: "OLD", description: "The policy as it was" },
    new: { type: "positional", required: true, valueHint: "NEW", description: "The policy as it is to be" },
    contract: { type: "string", valueHint: "FILE", description: "Compare what is left of both under this contract (else: under none)" },
    "new-contract": { type: "string", valueHint: "FILE", description: "The contract of NEW, where it is another" },
    ...jsonFlag,
  },
  async run({ args }) {
    const [before, after] = await bundlesOf(args);
    const { bundleDigest, bundleText, diffBundles, isWider } = await import("../policy/index.ts");
    const differences = diffBundles(before, after);
    const widens = isWider(differences);
    process.exitCode = widens ? exitCodes.widens : exitCodes.ok;
    if (args.json) {
      const [was, is] = [before, after].map((bundle) => bundleDigest(bundleText(bundle)));
      return printJson({ before: was, after: is, widens, differences });
    }
    if (differences.length > 0) print(describeDifferences(differences));
    print(countDifferences(differences));
  },
});

type Paths = {
  readonly old: string;
  readonly new: string;
  readonly contract?: string | undefined;
  readonly "new-contract"?: string | undefined;
};

async function bundlesOf({ old, new: next, contract, "new-contract": nextContract }: Paths): Promise<readonly [Bundle, Bundle]> {
  if (contract === undefined) {
    if (nextContract !== undefined) throw new Failure("--new-contract wants --contract beside it", exitCodes.usage);
    const { compileAlone } = await import("../policy/index.ts");
    return compileAlone(await readPolicyFile(old), await readPolicyFile(next));
  }
  const [was, is] = [
    await readAgreement({ contract, policy: old }),
    await readAgreement({ contract: nextContract ?? contract, policy: next }),
  ];
  return [await compileFiles(was), await compileFiles(is)];
}
