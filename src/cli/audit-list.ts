/** `postern audit list` and `tail`: who saw what, and as it happens. */
import * as z from "zod";
import { filterFlags, filterQuery } from "./audit-filter.ts";
import { createClient } from "./client.ts";
import { clientFlags, command, contractFlag, idOf, jsonFlag } from "./command.ts";
import { exitCodes, Failure } from "./failure.ts";
import { columns, note, plain, print, printJson } from "./output.ts";

const pageMax = 200;
const limitDefault = 50;
const againAfterMs = 1_000;
/** A gateway that restarts is waited for. */
const awayMaxMs = 60_000;

const entrySchema = z.looseObject({
  index: z.int(),
  time: z.string(),
  event: z.string(),
  actor: z.looseObject({ role: z.string(), id: z.string(), issuer: z.string().nullable(), subject: z.string().nullable() }),
  effect: z.string(),
  code: z.string(),
  purpose: z.string().nullable(),
  reason: z.string().nullable(),
  locators: z.array(z.string()),
  fields: z.record(z.string(), z.string()),
});
const pageSchema = z.looseObject({ entries: z.array(entrySchema), next: z.string().nullable() });
const followedSchema = entrySchema.extend({ cursor: z.string() });
type Entry = z.infer<typeof entrySchema>;

export const list = command({
  meta: { description: "As officer: who saw what, newest first" },
  examples: [
    "npx postern audit list --contract c-hangzhou-cs --as officer",
    "npx postern audit list --contract c-hangzhou-cs --subject customer/U1001 --from 2026-11-01T00:00:00+08:00 --as officer",
    "npx postern audit list --contract c-hangzhou-cs --log gateway --effect deny --as officer",
    "npx postern audit list --contract c-hangzhou-cs --field phone --treatment reveal --limit 1000 --json --as officer",
  ],
  args: {
    ...contractFlag,
    ...filterFlags,
    log: {
      type: "enum",
      options: ["gateway"],
      description: "What the gateway's own log holds about the contract: refusals, what came after its end",
    },
    limit: { type: "string", valueHint: "N", description: `At most so many entries (default ${limitDefault})` },
    ...clientFlags,
    ...jsonFlag,
  },
  async run({ args }) {
    const limit = limitOf(args.limit);
    const client = createClient(args);
    const contract = idOf(args.contract);
    const query = await filterQuery(client, contract, args);
    if (args.log !== undefined) query.set("log", args.log);
    const entries: Entry[] = [];
    let next: string | null = "";
    while (next !== null && entries.length < limit) {
      query.set("limit", String(Math.min(pageMax, limit - entries.length)));
      if (next !== "") query.set("cursor", next);
      const page: z.infer<typeof pageSchema> = await client.get(pageSchema, `/v1/contracts/${contract}/audit/entries?${query}`);
      entries.push(...page.entries);
      next = page.next;
    }
    if (args.json) return printJson({ entries, more: next !== null });
    if (entries.length > 0) print(columns(entries.map(cellsOf)));
    if (next !== null) note(`there are more; say --limit ${limit * 10}`);
    else if (entries.length === 0) note("nothing matches");
  },
});

export const tail = command({
  meta: { description: "As officer: entries as they come, until interrupted" },
  examples: [
    "npx postern audit tail --contract c-hangzhou-cs --as officer",
    "npx postern audit tail --contract c-hangzhou-cs --effect deny --json --as officer",
  ],
  args: { ...contractFlag, ...filterFlags, ...clientFlags, ...jsonFlag },
  async run({ args }) {
    const client = createClient(args);
    const contract = idOf(args.contract);
    const query = await filterQuery(client, contract, args);
    for (let heardAt = Date.now(); ; ) {
      try {
        const answer = await client.stream(`/v1/contracts/${contract}/audit/tail?${query}`);
        for await (const line of linesOf(answer)) {
          heardAt = Date.now();
          if (line === "") continue;
          const entry = followedSchema.parse(JSON.parse(line));
          query.set("cursor", entry.cursor);
          print(args.json ? JSON.stringify(entry) : cellsOf(entry).join("  "));
        }
      } catch (error) {
        const away = !(error instanceof Failure) || error.exitCode === exitCodes.unavailable;
        if (!away || Date.now() - heardAt > awayMaxMs) throw error;
        note("the gateway went away; asking again");
      }
      await new Promise((resolve) => setTimeout(resolve, againAfterMs));
    }
  },
});

function limitOf(text: string | undefined): number {
  if (text === undefined) return limitDefault;
  if (!/^[1-9][0-9]{0,6}$/.test(text)) throw new Failure("--limit is a number from 1 to 9999999", exitCodes.usage);
  return Number(text);
}

function cellsOf({ index, time, actor, event, effect, code, purpose, locators, fields, reason }: Entry): string[] {
  const who = actor.subject === null ? actor.id : `${actor.issuer}/${actor.subject}`;
  const left = Object.entries(fields).map(([path, treatment]) => `${path}:${treatment}`);
  const said = reason === null ? [] : [`“${reason}”`];
  const about = [purpose ?? "-", locators.join(","), left.join(" "), ...said];
  return [String(index), time, `${actor.role} ${who}`, event, `${effect} ${code}`, ...about].map(plain);
}

async function* linesOf(answer: Response): AsyncGenerator<string> {
  let rest = "";
  for await (const chunk of answer.body?.pipeThrough(new TextDecoderStream()) ?? []) {
    const lines = `${rest}${chunk}`.split("\n");
    rest = lines.pop() ?? "";
    yield* lines;
  }
}
