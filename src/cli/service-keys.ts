/** `postern service-keys …`: keys for the merchant's own systems. */
import * as z from "zod";
import { createClient } from "./client.ts";
import { asBefore, clientFlags, command, contractFlag, idOf, jsonFlag } from "./command.ts";
import { exitCodes, Failure } from "./failure.ts";
import { columns, note, plain, print, printJson, suggest } from "./output.ts";

const mintedSchema = z.looseObject({ key: z.string(), secret: z.string(), expires_at: z.string() });
const keySchema = z.looseObject({
  key: z.string(),
  name: z.string(),
  scopes: z.array(z.string()),
  expires_at: z.string(),
  revoked_at: z.string().nullable(),
  last_used_at: z.string().nullable(),
  counts: z.boolean(),
});

const keyArgument = { key: { type: "positional", required: true, valueHint: "KEY", description: "The key's id, of `list`" } } as const;
const daysFlag = { days: { type: "string", default: "90", valueHint: "DAYS", description: "Until it ends: 1 to 365" } } as const;
const pathOf = (contract: string) => `/v1/contracts/${idOf(contract)}/service-keys`;

function whole(text: string, flag: string): number {
  if (!/^[0-9]{1,4}$/.test(text)) throw new Failure(`--${flag} takes a whole number`, exitCodes.usage);
  return Number(text);
}

const list = command({
  meta: { description: "Which keys there are, what for, and when each was last used" },
  examples: ["npx postern service-keys list --contract c-hangzhou-cs --as owner-1"],
  args: { ...contractFlag, ...clientFlags, ...jsonFlag },
  async run({ args }) {
    const listed = await createClient(args).get(z.looseObject({ keys: z.array(keySchema) }), pathOf(args.contract));
    if (args.json) return printJson(listed);
    if (listed.keys.length === 0) return print("no keys");
    const rows = listed.keys.map(({ key, name, scopes, expires_at, revoked_at, last_used_at, counts }) => [
      ...[key, name, scopes.join(" ")],
      revoked_at === null ? `${counts ? "until" : "ended"} ${expires_at}` : `revoked ${revoked_at}`,
      last_used_at === null ? "never used" : `last used ${last_used_at.slice(0, 10)}`,
    ]);
    print(columns(rows.map((row) => row.map(plain))));
  },
});

const create = command({
  meta: { description: "Make a key for one of the merchant's own systems; it is printed once" },
  examples: ["npx postern service-keys create nightly-import --contract c-hangzhou-cs --scopes records:import --as owner-1"],
  args: {
    name: { type: "positional", required: true, valueHint: "NAME", description: "Which system's" },
    ...contractFlag,
    scopes: { type: "string", required: true, valueHint: "SCOPE,SCOPE", description: "What it may do (docs/SERVICE-KEYS.md)" },
    ...daysFlag,
    ...clientFlags,
    ...jsonFlag,
  },
  async run({ args }) {
    const wish = { name: args.name, scopes: args.scopes.split(","), days: whole(args.days, "days") };
    const made = await createClient(args).post(mintedSchema, pathOf(args.contract), wish);
    if (args.json) return printJson(made);
    print(plain(made.secret));
    note(`key ${plain(made.key)}, until ${plain(made.expires_at)}; it is not shown again`);
    suggest(`npx postern service-keys list --contract ${args.contract}${asBefore(args)}`);
  },
});

const rotate = command({
  meta: { description: "Another secret for the same key; the one from before counts on for a while" },
  examples: ["npx postern service-keys rotate KEY --contract c-hangzhou-cs --overlap 24 --as owner-1"],
  args: {
    ...keyArgument,
    ...contractFlag,
    ...daysFlag,
    overlap: { type: "string", default: "24", valueHint: "HOURS", description: "How long the secret from before counts on: 0 to 168" },
    ...clientFlags,
    ...jsonFlag,
  },
  async run({ args }) {
    const wish = { days: whole(args.days, "days"), overlap_hours: whole(args.overlap, "overlap") };
    const made = await createClient(args).post(mintedSchema, `${pathOf(args.contract)}/${idOf(args.key)}/rotate`, wish);
    if (args.json) return printJson(made);
    print(plain(made.secret));
    note(`the secret from before counts for another ${wish.overlap_hours} h; this one is not shown again`);
  },
});

const revoke = command({
  meta: { description: "Revoke a key, and what it was rotated from, at once" },
  examples: ["npx postern service-keys revoke KEY --contract c-hangzhou-cs --as owner-1"],
  args: { ...keyArgument, ...contractFlag, ...clientFlags, ...jsonFlag },
  async run({ args }) {
    const done = await createClient(args).post(z.looseObject({ key: z.string() }), `${pathOf(args.contract)}/${idOf(args.key)}/revoke`);
    if (args.json) return printJson(done);
    print(`${plain(done.key)} is refused from the next request on, in every process`);
  },
});

export const serviceKeys = command({
  meta: { description: "Keys for the merchant's own systems" },
  subCommands: { list, create, rotate, revoke },
});
