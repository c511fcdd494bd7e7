/** `postern clock accept`: an operator says of a clock that leapt that it is right. */
import * as z from "zod";
import { createClient } from "./client.ts";
import { clientFlags, command, jsonFlag } from "./command.ts";
import { plain, print, printJson } from "./output.ts";

const accept = command({
  meta: { description: "As an operator: the database's clock, which leapt, is right; contracts end and are purged by it again" },
  examples: ["npx postern clock accept --now 2026-11-27T14:05:00+08:00 --as operator"],
  args: {
    now: { type: "string", required: true, valueHint: "TIME", description: "What another clock shows, with its offset" },
    ...clientFlags,
    ...jsonFlag,
  },
  async run({ args }) {
    const schema = z.looseObject({ accepted: z.boolean(), doubt: z.string().nullable() });
    const answer = await createClient(args).post(schema, "/v1/clock/accept", { now: args.now });
    if (args.json) printJson(answer);
    else print(answer.doubt === null ? "it was not doubted" : `accepted. Until now: ${plain(answer.doubt)}`);
  },
});

export const clock = command({ meta: { description: "The database's clock, by which contracts end" }, subCommands: { accept } });
