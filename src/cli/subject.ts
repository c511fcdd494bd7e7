/** `postern subject …`: what a merchant's owner does for one person. */
import * as z from "zod";
import { createClient } from "./client.ts";
import { asBefore, clientFlags, command, contractArgument, idOf, jsonFlag } from "./command.ts";
import { confirmed, confirmFlag } from "./confirmed.ts";
import { exitCodes, Failure } from "./failure.ts";
import { plain, print, printJson, suggest } from "./output.ts";

const planSchema = z.looseObject({
  locator: z.string(),
  records: z.int(),
  index_rows: z.int(),
  epoch: z.int().nullable(),
  holds: z.array(z.string()),
});
const receiptSchema = z.looseObject({
  erasure: z.string(),
  state: z.string(),
  locator: z.string(),
  records: z.int(),
  index_rows: z.int(),
  erased_here_at: z.string().nullable(),
  closed_everywhere_at: z.string().nullable(),
  reason: z.looseObject({ text: z.string() }).nullable(),
});
type Receipt = z.infer<typeof receiptSchema>;

const erase = command({
  meta: { description: "Erase one data subject: their records, what these are found by, and their key" },
  examples: [
    "npx postern subject erase c-hangzhou-cs --subject U17 --dry-run --as owner-1",
    "npx postern subject erase c-hangzhou-cs --subject U17 --confirm=U17 --as owner-1",
  ],
  args: {
    ...contractArgument,
    subject: {
      type: "string",
      required: true,
      valueHint: "ID",
      description: "The merchant's own id of the person, or their record's locator (r_…)",
    },
    type: {
      type: "string",
      valueHint: "TYPE",
      description: "The type of the record that stands for a person, where the contract has several",
    },
    "dry-run": { type: "boolean", description: "Count what would go; nothing changes" },
    ...confirmFlag,
    ...clientFlags,
    ...jsonFlag,
  },
  async run({ args }) {
    const client = createClient(args);
    const path = `/v1/contracts/${idOf(args.id)}/erasures`;
    const type = args.type === undefined ? {} : { type: args.type };
    const subject = { ...type, ...(/^r_[a-z2-7]{26}$/.test(args.subject) ? { locator: args.subject } : { id: args.subject }) };
    if (args["dry-run"]) {
      const plan = await client.post(planSchema, path, { subject, dry_run: true });
      if (args.json) return printJson(plan);
      const { records, index_rows, holds } = plan;
      print(`would erase ${records} records, ${index_rows} index rows and the key of ${plain(plan.locator)}`);
      if (holds.length > 0) throw new Failure(`a legal hold stands in the way: ${holds.map(plain).join(", ")}`, exitCodes.failed);
      return suggest(`npx postern subject erase ${args.id} --subject ${args.subject} --confirm=${args.subject}${asBefore(args)}`);
    }
    const confirm = await confirmed(args, args.subject, "This deletes every record of this person, for good.");
    const receipt = await client.post(receiptSchema, path, { subject, confirm });
    if (args.json) return printJson(receipt);
    print(describeReceipt(receipt));
    if (receipt.closed_everywhere_at === null) suggest(`npx postern keys rotate ${args.id} --confirm=${args.id}${asBefore(args)}`);
  },
});

const receipt = command({
  meta: { description: "The receipt of an erasure as it reads today" },
  examples: ["npx postern subject receipt c-hangzhou-cs ERASURE --as owner-1"],
  args: {
    ...contractArgument,
    erasure: { type: "positional", required: true, valueHint: "ERASURE", description: "The erasure's id" },
    ...clientFlags,
    ...jsonFlag,
  },
  async run({ args }) {
    const read = await createClient(args).get(receiptSchema, `/v1/contracts/${idOf(args.id)}/erasures/${idOf(args.erasure)}`);
    if (args.json) printJson(read);
    else print(describeReceipt(read));
  },
});

function describeReceipt({ erasure, state, locator, records, index_rows, erased_here_at, closed_everywhere_at, reason }: Receipt): string {
  const here =
    erased_here_at === null
      ? `here: ${plain(state)}`
      : `here: erased ${plain(erased_here_at)}, ${records} records and ${index_rows} index rows`;
  const copies = closed_everywhere_at === null ? `not yet closed: ${plain(reason?.text ?? "")}` : `closed ${plain(closed_everywhere_at)}`;
  return [`erasure ${plain(erasure)} of ${plain(locator)}`, here, `in every copy: ${copies}`].join("\n");
}

export const subject = command({
  meta: { description: "One data subject: erase them, and say until when copies can be read" },
  subCommands: { erase, receipt },
});
