/** `demo`: the whole product from nothing, in one process. `demo tamper`: what a curious DBA could do to it. */
import * as z from "zod";
import { createClient } from "./client.ts";
import { command, jsonFlag } from "./command.ts";
import { print, printJson, suggest } from "./output.ts";

const tampered = z.object({
  log: z.string(),
  tampered: z.boolean(),
  change: z.object({ index: z.int(), flush: z.string(), offset: z.int(), position: z.int(), was: z.int(), is: z.int() }).nullable(),
});

const tamper = command({
  meta: { name: "tamper", description: "Change one byte of one entry of the demo's log in its database, or put it back" },
  examples: ["npx postern demo tamper", "npx postern demo tamper --undo"],
  args: { undo: { type: "boolean", description: "Put it back" }, ...jsonFlag },
  async run({ args }) {
    const client = createClient({ as: "operator", json: args.json === true });
    const answer = await client.post(tampered, "/v1/demo/tamper", { undo: args.undo === true });
    if (args.json) return printJson(answer);
    const { log, change } = answer;
    if (!change) return print("Nothing was changed.");
    const where = `byte ${change.position} of entry ${change.index} in ${log}`;
    if (!answer.tampered) return print(`Put back ${where}.`);
    print(`Changed ${where}: ${letter(change.was)} is now ${letter(change.is)}, in the time of the entry.`);
    suggest(`npx postern audit export --contract ${log} --as officer -o data/export.tar`, "npx postern demo tamper --undo");
  },
});

export const demo = command({
  meta: { name: "demo", description: "Serve a generated world on an embedded database, and print what to try" },
  examples: ["npm start", "npm start -- --reset"],
  args: { reset: { type: "boolean", description: "Remove the demo's world first, and make a fresh one" } },
  subCommands: { tamper },
  async run({ args }) {
    const { serveDemo } = await import("./demo-world.ts");
    await serveDemo(args.reset === true);
  },
});

function letter(byte: number): string {
  return JSON.stringify(String.fromCharCode(byte));
}
