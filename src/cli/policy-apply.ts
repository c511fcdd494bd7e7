/** `postern policy apply CONTRACT-FILE`: changes the policy of a contract in force, and shows before what that widens and narrows. */
import * as z from "zod";
import { createClient } from "./client.ts";
import { asBefore, clientFlags, command, idOf, jsonFlag } from "./command.ts";
import { note, print, printJson, suggest } from "./output.ts";
import { countDifferences, describeDifferences } from "./policy-differences.ts";
import { compileFiles, readAgreement } from "./policy-files.ts";
import { differencesSchema, fetchPolicy, waitingSchema } from "./policy-in-force.ts";

const changedSchema = z.looseObject({
  contract: z.string(),
  before: z.string(),
  after: z.string(),
  differences: differencesSchema,
  approval: waitingSchema.optional(),
});

export const policyApply = command({
  meta: {
    description:
      "Change the policy of a contract in force: narrower at once, wider with a second owner. Its roles, ceiling and hours may change with it",
  },
  examples: [
    "npx postern policy apply contract.yaml --policy policy.yaml --dry-run --as owner-1",
    "npx postern policy apply contract.yaml --policy policy.yaml --as owner-1",
    'npx postern policy apply contract.yaml --policy wider.yaml --why "returns need the address" --as owner-1',
  ],
  args: {
    file: {
      type: "positional",
      required: true,
      valueHint: "FILE",
      description: "The contract's YAML, with its parties, term and purge as they are",
    },
    policy: { type: "string", valueHint: "FILE", description: "The policy's YAML (else the shipped one that the contract names)" },
    "dry-run": { type: "boolean", description: "Only show what would be wider and narrower" },
    ...clientFlags,
    ...jsonFlag,
  },
  async run({ args }) {
    const files = await readAgreement({ contract: args.file, policy: args.policy });
    const next = await compileFiles(files);
    const contract = idOf(next.contract.id);
    const client = createClient(args);
    const { in_force: replaces, bundle } = await fetchPolicy(client, contract);
    const { diffBundles, isWider } = await import("../policy/index.ts");
    const differences = diffBundles(bundle, next);
    if (args["dry-run"] && args.json) return printJson({ contract, before: replaces, widens: isWider(differences), differences });
    if (!args.json) {
      if (differences.length > 0) print(describeDifferences(differences));
      print(countDifferences(differences));
    }
    if (args["dry-run"]) return note("nothing was changed");
    const changed = await client.put(changedSchema, `/v1/contracts/${contract}/policy`, { ...files, replaces });
    if (args.json) return printJson(changed);
    if (changed.approval === undefined) {
      print(changed.before === changed.after ? `${contract} has this policy already` : `in force in ${contract} from now on`);
      print(changed.after);
      return suggest(`npx postern policy show ${contract}${asBefore(args)}`);
    }
    print(`something is wider, so a second owner is asked: approval ${changed.approval.id}, open until ${changed.approval.expires_at}`);
    suggest(
      `npx postern policy show ${contract}      # as another owner`,
      `npx postern approvals approve ${changed.approval.id}      # as another owner`,
    );
  },
});
