/** `postern policy show CONTRACT`: which policy is in force, and what waits to take its place. */
import { createClient } from "./client.ts";
import { asBefore, clientFlags, command, contractArgument, idOf, jsonFlag } from "./command.ts";
import { plain, print, printJson, suggest } from "./output.ts";
import { countDifferences, describeDifferences } from "./policy-differences.ts";
import { fetchPolicy } from "./policy-in-force.ts";

export const policyShow = command({
  meta: { description: "The policy in force, and what waits for a second owner to take its place" },
  examples: [
    "npx postern policy show c-hangzhou-cs --as owner-2",
    "npx postern policy show c-hangzhou-cs --bundle --as officer > in-force.json",
  ],
  args: {
    ...contractArgument,
    bundle: { type: "boolean", description: "Print the compiled policy alone, as `policy replay --before` takes it" },
    digest: { type: "string", valueHint: "DIGEST", description: "Of the one that log entries name (else: in force)" },
    ...clientFlags,
    ...jsonFlag,
  },
  async run({ args }) {
    const contract = idOf(args.id);
    const shown = await fetchPolicy(createClient(args), contract, args.digest);
    if (args.bundle) {
      const { bundleText } = await import("../policy/index.ts");
      return print(bundleText(shown.bundle));
    }
    if (args.json) return printJson(shown);
    print(`${contract}: ${plain(shown.bundle.policy)}, roles ${Object.keys(shown.bundle.roles).map(plain).join(", ")}`);
    const others = Object.keys(shown.bundle.contract.approvals ?? {});
    if (others.length > 0) print(`approved by the other organisation: ${others.map(plain).join(", ")}`);
    print(`in force: ${plain(shown.in_force)}${shown.digest === shown.in_force ? "" : `\nshown:    ${plain(shown.digest)}`}`);
    for (const { approval, after, differences } of shown.pending) {
      print(`\nwaits for approval until ${plain(approval.expires_at)}: ${plain(after)}`);
      print(describeDifferences(differences));
      print(countDifferences(differences));
      suggest(`npx postern approvals approve ${plain(approval.id)}${asBefore(args)}`);
    }
  },
});
