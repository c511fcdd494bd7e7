/** `postern agents import`: seats by the hundred. */
import * as z from "zod";
import { createClient } from "./client.ts";
import { asBefore, clientFlags, command, contractFlag, idOf, jsonFlag } from "./command.ts";
import { openSource } from "./files.ts";
import { print, printJson, suggest } from "./output.ts";

const importSeats = command({
  meta: { description: "Give seats from a CSV (issuer,subject,role,name), all or nothing" },
  examples: ["npx postern agents import agents.csv --contract c-hangzhou-cs --as owner-1"],
  args: {
    file: {
      type: "positional",
      required: true,
      valueHint: "FILE.csv",
      description: "With the header issuer,subject,role,name; - is standard input",
    },
    ...contractFlag,
    ...clientFlags,
    ...jsonFlag,
  },
  async run({ args }) {
    const { stream: body } = await openSource(args.file);
    const response = await createClient(args).send("POST", `/v1/contracts/${idOf(args.contract)}/agents`, { media: "text/csv", body });
    const answer = z.looseObject({ seats: z.int() }).parse(await response.json());
    if (args.json) return printJson(answer);
    print(`${answer.seats} seat${answer.seats === 1 ? "" : "s"} in ${args.contract}`);
    suggest(`npx postern records import customers.ndjson --contract ${args.contract} --type customer${asBefore(args)}`);
  },
});

export const agents = command({ meta: { description: "Give agents their seats" }, subCommands: { import: importSeats } });
