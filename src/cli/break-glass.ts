/** `postern break-glass …`: two owners let one seat see one person's records for some minutes, and somebody else looks at it afterwards. */
import * as z from "zod";
import { createClient } from "./client.ts";
import { asBefore, clientFlags, command, contractFlag, idOf, jsonFlag } from "./command.ts";
import { exitCodes, Failure } from "./failure.ts";
import { columns, note, plain, print, printJson, suggest } from "./output.ts";

const person = z.looseObject({ issuer: z.string(), subject: z.string() });
const glassSchema = z.looseObject({
  id: z.string(),
  standing: z.string(),
  seat: person,
  purpose: z.string(),
  person: z.looseObject({ type: z.string(), locator: z.string() }),
  ends_at: z.string().nullable(),
  review_due_at: z.string().nullable(),
  finding: z.string().nullable(),
});
const listedSchema = glassSchema.extend({ requested_by: person, decided_by: person.nullable(), reason: z.string().nullable() });
const askedSchema = z.looseObject({
  approval: z.looseObject({ id: z.string(), expires_at: z.string() }),
  minutes: z.int(),
  found: z.boolean(),
});

const glassArgument = { id: { type: "positional", required: true, valueHint: "ID", description: "Its id: the approval's" } } as const;

const request = command({
  meta: {
    description:
      "Ask another owner to open a purpose that the contract keeps behind glass: for one agent, one person's records, some minutes",
  },
  examples: [
    'npx postern break-glass request --contract c-hangzhou-cs --agent demo/agent-7 --purpose emergency --person customer/U1 --why "parcel with insulin, courier has no address" --as owner-1',
  ],
  args: {
    ...contractFlag,
    agent: { type: "string", required: true, valueHint: "ISSUER/SUBJECT", description: "Who is to see it, as the seat names them" },
    purpose: { type: "string", required: true, valueHint: "NAME", description: "A purpose of the contract with break_glass" },
    person: { type: "string", required: true, valueHint: "TYPE/ID", description: "Whose records, by your own id, as customer/U1" },
    minutes: { type: "string", valueHint: "N", description: "How long, from the approval on. Default: as long as the contract allows" },
    ...clientFlags,
    ...jsonFlag,
  },
  async run({ args }) {
    const [issuer, subject] = halves(args.agent, "ISSUER/SUBJECT");
    const [type, id] = halves(args.person, "TYPE/ID");
    const minutes = args.minutes === undefined ? {} : { minutes: minutesOf(args.minutes) };
    const body = { seat: { issuer, subject }, purpose: args.purpose, person: { type, id }, ...minutes };
    const asked = await createClient(args).post(askedSchema, glassPath(args.contract), body);
    if (args.json) return printJson(asked);
    print(`asked: approval ${plain(asked.approval.id)}, open until ${asked.approval.expires_at}; once approved, for ${asked.minutes} min`);
    if (!asked.found) note("nothing of that person is stored here: was the id typed as you send it?");
    suggest(`npx postern approvals approve ${asked.approval.id}      # as another owner`);
  },
});

const list = command({
  meta: { description: "What was opened, for whom and why, and what waits for a review" },
  examples: ["npx postern break-glass list --contract c-hangzhou-cs --as officer"],
  args: { ...contractFlag, ...clientFlags, ...jsonFlag },
  async run({ args }) {
    const listed = await createClient(args).get(z.looseObject({ break_glass: z.array(listedSchema) }), glassPath(args.contract));
    if (args.json) return printJson(listed);
    if (listed.break_glass.length === 0) return print("none");
    const rows = listed.break_glass.map(({ id, seat, purpose, person: whose, reason, requested_by: by, ...glass }) => [
      ...[id, `${seat.issuer}/${seat.subject}`, purpose, `${whose.type} ${whose.locator}`, describe(glass)],
      `by ${by.issuer}/${by.subject}${glass.decided_by ? ` and ${glass.decided_by.issuer}/${glass.decided_by.subject}` : ""}`,
      reason ? `“${reason}”` : "",
    ]);
    print(columns(rows.map((row) => row.map(plain))));
    const waiting = listed.break_glass.find(({ standing }) => standing === "review_missing" || standing === "review_due");
    if (waiting)
      suggest(
        `npx postern break-glass review ${idOf(waiting.id)} --contract ${args.contract} --finding justified --why "…"${asBefore(args)}`,
      );
  },
});

const close = command({
  meta: { description: "End it before its time, at once" },
  examples: ["npx postern break-glass close 0198c1f0-… --contract c-hangzhou-cs --as owner-1"],
  args: { ...glassArgument, ...contractFlag, ...clientFlags, ...jsonFlag },
  async run({ args }) {
    const closed = await createClient(args).post(glassSchema, `${glassPath(args.contract)}/${idOf(args.id)}/close`);
    if (args.json) return printJson(closed);
    print(`closed; to be reviewed until ${closed.review_due_at}, by somebody who neither asked for it nor approved it`);
    suggest(
      `npx postern break-glass review ${idOf(args.id)} --contract ${args.contract} --finding justified --why "…"      # as an officer`,
    );
  },
});

/** Named once more: what they come from would load the whole gateway for --help. */
const findings = ["justified", "unjustified"];

const review = command({
  meta: { description: "As an officer, or an owner who had no part in it: say whether it was justified" },
  examples: [
    'npx postern break-glass review 0198c1f0-… --contract c-hangzhou-cs --finding justified --why "one read, ticket T-7, courier called" --as officer',
  ],
  args: {
    ...glassArgument,
    ...contractFlag,
    finding: { type: "enum", options: findings, required: true, valueHint: findings.join("|"), description: "What the log shows" },
    ...clientFlags,
    ...jsonFlag,
  },
  async run({ args }) {
    const body = { finding: args.finding };
    const reviewed = await createClient(args).post(glassSchema, `${glassPath(args.contract)}/${idOf(args.id)}/review`, body);
    if (args.json) return printJson(reviewed);
    print(`reviewed: ${reviewed.finding}`);
  },
});

function glassPath(contract: string): string {
  return `/v1/contracts/${idOf(contract)}/break-glass`;
}

/** At the first slash: a subject or an id may hold others. */
function halves(text: string, form: string): [string, string] {
  const at = text.indexOf("/");
  if (at < 1 || at === text.length - 1) throw new Failure(`${JSON.stringify(text)} is not ${form}`, exitCodes.usage);
  return [text.slice(0, at), text.slice(at + 1)];
}

function minutesOf(text: string): number {
  if (!/^[1-9][0-9]{0,3}$/.test(text)) throw new Failure(`${JSON.stringify(text)} is not a number of minutes`, exitCodes.usage);
  return Number(text);
}

function describe({
  standing,
  ends_at,
  review_due_at,
  finding,
}: Pick<z.infer<typeof glassSchema>, "standing" | "ends_at" | "review_due_at" | "finding">) {
  if (standing === "open") return `open until ${ends_at}`;
  if (standing === "review_due") return `over ${ends_at}, to be reviewed until ${review_due_at}`;
  if (standing === "review_missing") return `over ${ends_at}, REVIEW MISSING since ${review_due_at}`;
  return standing === "reviewed" ? `reviewed: ${finding}` : standing;
}

export const breakGlass = command({
  meta: { description: "Open a purpose that is behind glass, by two owners, for one agent and one person's records" },
  subCommands: { request, list, close, review },
});
