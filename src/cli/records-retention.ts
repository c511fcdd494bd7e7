/** `postern records retention`: which records the contract's terms let go next. The keeper deletes by itself; this changes nothing. */
import * as z from "zod";
import { createClient } from "./client.ts";
import { clientFlags, command, contractFlag, idOf, jsonFlag } from "./command.ts";
import { columns, note, plain, print, printJson } from "./output.ts";

const keptSchema = z.looseObject({
  clock_believed: z.boolean(),
  held: z.boolean(),
  types: z.array(
    z.looseObject({ type: z.string(), records: z.int(), kept_days: z.int().nullable(), before: z.string().nullable(), due: z.int() }),
  ),
});

export const retention = command({
  meta: {
    description: "As officer or owner: how long records are kept, and which are deleted next because they are too old; changes nothing",
  },
  examples: [
    "npx postern records retention --contract c-hangzhou-cs --as owner-1",
    "npx postern records retention --contract c-hangzhou-cs --json --as officer",
  ],
  args: { ...contractFlag, ...clientFlags, ...jsonFlag },
  async run({ args }) {
    const said = await createClient(args).get(keptSchema, `/v1/contracts/${idOf(args.contract)}/retention`);
    if (args.json) return printJson(said);
    const rows = said.types.map(({ type, records, kept_days, before, due }) =>
      [
        type,
        `${records} records`,
        ...(kept_days === null || before === null
          ? ["kept until the purge"]
          : [`kept ${kept_days} days`, `${due} from before ${before} go`]),
      ].map(plain),
    );
    print(rows.length > 0 ? columns(rows) : "no records");
    if (said.held) note("a hold on the contract stands: nothing goes until it is lifted");
    else if (!said.clock_believed) note("the database's clock is doubted: nothing goes until it is believed again");
  },
});
