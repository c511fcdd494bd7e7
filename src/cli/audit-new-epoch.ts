/** `postern audit new-epoch`: the way on for a log whose database was set back for good. Two steps: look, then the new origin typed. */
import * as z from "zod";
import { createClient } from "./client.ts";
import { asBefore, clientFlags, command, idOf, jsonFlag } from "./command.ts";
import { columns, plain, print, printJson, suggest } from "./output.ts";

const planSchema = z.looseObject({
  log: z.string(),
  origin: z.string(),
  entries: z.int(),
  published: z.looseObject({ origin: z.string(), entries: z.int(), root: z.string() }),
  lost: z.object({ from: z.int(), to: z.int() }),
  opens: z.string(),
  opened: z.boolean(),
});

export const newEpoch = command({
  meta: { description: "As operator: open a new epoch of a log whose database was set back for good" },
  examples: [
    "npx postern audit new-epoch c-hangzhou-cs --as operator",
    "npx postern audit new-epoch c-hangzhou-cs --confirm=localhost/postern/c-hangzhou-cs@2 --as operator",
  ],
  args: {
    log: { type: "positional", required: true, valueHint: "LOG", description: "A contract's id, or gateway" },
    confirm: { type: "string", valueHint: "ORIGIN", description: "The new epoch's origin; without it nothing changes" },
    ...clientFlags,
    ...jsonFlag,
  },
  async run({ args }) {
    const { confirm } = args;
    const path = `/log/${idOf(args.log)}/epochs`;
    const plan = await createClient(args).post(planSchema, path, confirm === undefined ? { dry_run: true } : { confirm });
    if (args.json) return printJson(plan);
    const { log, origin, entries, published, lost, opens, opened } = plan;
    print(
      columns([
        ["published last", `${plain(published.origin)}, ${published.entries} entries, root ${plain(published.root)}`],
        ["the database holds", `${plain(origin)}, ${entries} entries`],
        ["lost for good", `entries ${lost.from} to ${lost.to - 1} of ${plain(published.origin)}`],
        [opened ? "opened" : "would open", `${plain(opens)}, which carries on at entry ${entries}`],
      ]),
    );
    if (!opened) {
      print("First try to bring back the newest copy of the database. What this declares lost stays declared lost.");
      return suggest(`npx postern audit new-epoch ${plain(log)} --confirm=${plain(opens)}${asBefore(args)}`);
    }
    print("Its witnesses have to be told of the new origin, and whoever verifies it needs a new trust file.");
    suggest(
      log === "gateway" ? "npx postern doctor" : `npx postern contract trust ${plain(log)} > trust.json      # as its owner or officer`,
    );
  },
});
