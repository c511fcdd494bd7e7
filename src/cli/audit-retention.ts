/** `postern audit retention`: what the log's retention will delete, and when. The keeper deletes by itself; this changes nothing. */
import * as z from "zod";
import { createClient } from "./client.ts";
import { clientFlags, command, contractFlag, idOf, jsonFlag } from "./command.ts";
import { columns, note, plain, print, printJson } from "./output.ts";

const retentionSchema = z.looseObject({
  retention_months: z.int(),
  held: z.boolean(),
  size: z.int(),
  pruned_before: z.int(),
  months: z.array(z.looseObject({ month: z.string(), due: z.string(), first_kept: z.int(), entries: z.int() })),
});

export const retention = command({
  meta: { description: "As officer or owner: what the log's retention will delete, and when; changes nothing" },
  examples: [
    "npx postern audit retention --contract c-hangzhou-cs --as officer",
    "npx postern audit retention --contract c-hangzhou-cs --json --as officer",
  ],
  args: { ...contractFlag, ...clientFlags, ...jsonFlag },
  async run({ args }) {
    const said = await createClient(args).get(retentionSchema, `/v1/contracts/${idOf(args.contract)}/audit/retention`);
    if (args.json) return printJson(said);
    const { months, held, pruned_before: before, size, retention_months: kept } = said;
    print(`${size} entries, ${before === 0 ? "none pruned" : `pruned before ${before}`}; kept for ${kept} months after the end of theirs`);
    const rows = months.map(({ month, due, first_kept, entries }) =>
      [month, `not before ${due}`, `${entries} entries`, `kept from ${first_kept}`].map(plain),
    );
    if (rows.length > 0) print(columns(rows));
    note(
      held ? "a hold stands: nothing is pruned until it is lifted" : "who acted and from where in a month is unreadable once it is pruned",
    );
  },
});
