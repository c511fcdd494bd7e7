/** `postern holds …`: what must not be deleted. */
import * as z from "zod";
import type { HoldBasis } from "../contracts/index.ts";
import { createClient } from "./client.ts";
import { asBefore, clientFlags, command, contractFlag, idOf, jsonFlag } from "./command.ts";
import { exitCodes, Failure } from "./failure.ts";
import { columns, note, plain, print, printJson, suggest } from "./output.ts";

const scopeSchema = z.union([
  z.literal("contract"),
  z.object({ subject: z.object({ type: z.string(), locator: z.string() }) }),
  z.object({ field: z.object({ type: z.string(), path: z.string() }) }),
]);
const holdSchema = z.looseObject({
  hold: z.string(),
  scope: scopeSchema,
  basis: z.string(),
  authority: z.string(),
  placed_at: z.string(),
  expires_at: z.string().nullable(),
  released_at: z.string().nullable(),
  standing: z.boolean(),
});
const askedSchema = z.looseObject({ approval: z.looseObject({ id: z.string(), expires_at: z.string() }) });

/** Named once more: what they come from would load the whole gateway for --help. The compiler holds both to each other. */
const named: Readonly<Record<HoldBasis, true>> = {
  litigation: true,
  investigation: true,
  regulator_order: true,
  statutory_retention: true,
  dispute: true,
};
const bases = Object.keys(named);

const place = command({
  meta: { description: "Place a legal hold on a contract, one data subject, or one field: from then on nothing of it is deleted" },
  examples: [
    'npx postern holds place --contract c-hangzhou-cs --basis litigation --authority "Hangzhou Internet Court" --note "case 12" --until none --as owner-1',
    'npx postern holds place --contract c-hangzhou-cs --subject customer:U1 --basis dispute --authority legal --note "claim 7" --until 2027-06-30T00:00:00+08:00 --as owner-1',
  ],
  args: {
    ...contractFlag,
    subject: { type: "string", valueHint: "TYPE:ID", description: "Only this person, by your own id, as customer:U1" },
    field: { type: "string", valueHint: "TYPE:PATH", description: "Only this field of every record, as customer:phone" },
    basis: { type: "enum", options: bases, required: true, valueHint: bases.join("|"), description: "Why it must be kept" },
    authority: { type: "string", required: true, valueHint: "TEXT", description: "Who asks for it" },
    note: { type: "string", required: true, valueHint: "TEXT", description: "What it is about, for the owners" },
    until: {
      type: "string",
      required: true,
      valueHint: "TIME|none",
      description: "When it expires, with offset; none: until it is released",
    },
    ...clientFlags,
    ...jsonFlag,
  },
  async run({ args }) {
    const { contract, basis, authority } = args;
    const body = { scope: scopeOf(args), basis, authority, note: args.note, expires_at: args.until === "none" ? null : args.until };
    const placed = await createClient(args).post(holdSchema.extend({ found: z.boolean() }), holdsPath(contract), body);
    if (args.json) return printJson(placed);
    print(`held: ${describeScope(placed.scope)} of ${contract}, ${until(placed.expires_at)}\nhold ${plain(placed.hold)}`);
    if (!placed.found) note("nothing of that person is stored here: was the id typed as you send it?");
    suggest(`npx postern holds list --contract ${contract}${asBefore(args)}`);
  },
});

const list = command({
  meta: { description: "A contract's legal holds, standing or not" },
  examples: ["npx postern holds list --contract c-hangzhou-cs --as owner-1"],
  args: { ...contractFlag, ...clientFlags, ...jsonFlag },
  async run({ args }) {
    const listed = await createClient(args).get(z.looseObject({ holds: z.array(holdSchema) }), holdsPath(args.contract));
    if (args.json) return printJson(listed);
    if (listed.holds.length === 0) return print("no holds");
    const rows = listed.holds.map(({ hold, scope, basis, authority, expires_at, released_at, standing }) => [
      ...[hold, describeScope(scope), basis, authority],
      standing ? `stands, ${until(expires_at)}` : released_at === null ? `expired ${expires_at}` : `released ${released_at}`,
    ]);
    print(columns(rows.map((row) => row.map(plain))));
  },
});

const release = command({
  meta: { description: "Ask a second owner to release a hold" },
  examples: ["npx postern holds release 0198c1f0-… --contract c-hangzhou-cs --as owner-1"],
  args: {
    id: { type: "positional", required: true, valueHint: "HOLD", description: "The hold's id" },
    ...contractFlag,
    ...clientFlags,
    ...jsonFlag,
  },
  async run({ args }) {
    const asked = await createClient(args).post(askedSchema, `${holdsPath(args.contract)}/${idOf(args.id)}/release`);
    if (args.json) return printJson(asked);
    print(`asked: approval ${asked.approval.id}, open until ${asked.approval.expires_at}`);
    suggest(`npx postern approvals approve ${asked.approval.id}      # as another owner`);
  },
});

function holdsPath(contract: string): string {
  return `/v1/contracts/${idOf(contract)}/holds`;
}

function scopeOf({ subject, field }: { readonly subject?: string | undefined; readonly field?: string | undefined }) {
  if (subject !== undefined && field !== undefined) throw new Failure("--subject or --field, not both", exitCodes.usage);
  const [type = "", rest = ""] = halves(subject ?? field ?? ":");
  if (subject !== undefined) return { subject: { type, id: rest } };
  return field === undefined ? "contract" : { field: { type, path: rest } };
}

/** At the first colon: an id may hold others. */
function halves(text: string): [string, string] {
  const at = text.indexOf(":");
  if (at < 0) throw new Failure(`${JSON.stringify(text)} is not TYPE:NAME`, exitCodes.usage);
  return [text.slice(0, at), text.slice(at + 1)];
}

function describeScope(scope: z.infer<typeof scopeSchema>): string {
  if (scope === "contract") return "all";
  if ("field" in scope) return `field ${scope.field.type}.${scope.field.path}`;
  return `${scope.subject.type} ${scope.subject.locator}`;
}

function until(expiresAt: string | null): string {
  return expiresAt === null ? "until it is released" : `until ${expiresAt}`;
}

export const holds = command({ meta: { description: "Legal holds: what must not be deleted" }, subCommands: { place, list, release } });
