/** `postern purge part`: what is old goes while the contract goes on, by two owners. */
import * as z from "zod";
import { createClient } from "./client.ts";
import { asBefore, clientFlags, command, contractArgument, idOf, jsonFlag } from "./command.ts";
import { confirmed, confirmFlag } from "./confirmed.ts";
import { exitCodes, Failure } from "./failure.ts";
import { columns, note, plain, print, printJson, suggest } from "./output.ts";

const rules = z.record(z.string(), z.looseObject({ before: z.string() }));
const planSchema = z.looseObject({ before: rules, records: z.record(z.string(), z.int()), held: z.boolean() });
const jobSchema = z.looseObject({
  job: z.string(),
  state: z.string(),
  before: rules,
  records: z.int(),
  index_rows: z.int(),
  subject_keys: z.int(),
  deleted_here_at: z.string().nullable(),
  keys_closed_everywhere_at: z.string().nullable(),
  awaits_epochs: z.array(z.int()),
});
const requestedSchema = jobSchema.extend({ approval: z.looseObject({ id: z.string() }).nullable() });

export const part = command({
  meta: { description: "Delete what is old, of one shop or for one purpose, while the contract goes on; or the receipt of it" },
  examples: [
    "npx postern purge part c-hangzhou-cs --older-than 90d --type order --dry-run --as owner-1",
    'npx postern purge part c-hangzhou-cs --older-than 90d --type order --confirm=c-hangzhou-cs --why "past returns" --as owner-1',
    "npx postern purge part c-hangzhou-cs --shop west-lake --dry-run --as owner-1",
    "npx postern purge part c-hangzhou-cs --job JOB --as owner-1",
  ],
  args: {
    ...contractArgument,
    "older-than": { type: "string", valueHint: "90d", description: "Days since a record's last import" },
    shop: { type: "string", valueHint: "SHOP", description: "What was imported with --shop SHOP" },
    purpose: { type: "string", valueHint: "PURPOSE", description: "What was imported with --purpose PURPOSE" },
    type: { type: "string", valueHint: "TYPE", description: "Records of this type alone; without it, of every type" },
    "dry-run": { type: "boolean", description: "Count what would go; nothing changes" },
    job: { type: "string", valueHint: "JOB", description: "What became of an order of before" },
    ...confirmFlag,
    ...clientFlags,
    ...jsonFlag,
  },
  async run({ args }) {
    const client = createClient(args);
    const id = idOf(args.id);
    const path = `/v1/contracts/${id}/partial-purges`;
    if (args.job !== undefined) {
      const job = await client.get(jobSchema, `${path}/${idOf(args.job)}`);
      return args.json ? printJson(job) : print(describe(job));
    }
    const { type, shop, purpose } = args;
    const asked = { older_than_days: daysOf(args["older-than"]), type, shop, purpose };
    if (asked.older_than_days === undefined && shop === undefined && purpose === undefined)
      throw new Failure("say what: --older-than 90d, --shop SHOP or --purpose PURPOSE", exitCodes.usage);
    if (args["dry-run"]) {
      const plan = await client.post(planSchema, path, { ...asked, dry_run: true });
      if (args.json) return printJson(plan);
      const rows = Object.entries(plan.before).map(([type, { before }]) =>
        [type, `${plan.records[type] ?? 0} from before ${before}`].map(plain),
      );
      print(columns(rows));
      if (plan.held) note("a hold on the contract stands: this would be refused");
      return;
    }
    const confirm = await confirmed(args, id, `This deletes that part of ${id}, for good.`);
    const requested = await client.post(requestedSchema, path, { ...asked, confirm });
    if (args.json) return printJson(requested);
    print(describe(requested));
    if (requested.approval)
      suggest(
        `npx postern approvals approve ${plain(requested.approval.id)}      # as another owner, or as the vendor's admin where the contract says so`,
      );
    else suggest(`npx postern purge part ${id} --job ${plain(requested.job)}${asBefore(args)}`);
  },
});

function daysOf(text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  const days = /^([1-9][0-9]{0,3})d$/.exec(text)?.[1];
  if (days === undefined) throw new Failure("say how old, in whole days: --older-than 90d", exitCodes.usage);
  return Number(days);
}

function describe(job: z.infer<typeof jobSchema>): string {
  const { records, index_rows, subject_keys, deleted_here_at: at, keys_closed_everywhere_at: closed, awaits_epochs: epochs } = job;
  const head = `partial purge ${plain(job.job)}: ${plain(job.state)}`;
  if (at === null) return head;
  const copies = closed === null ? `not before a rotation has destroyed epoch ${epochs.join(", ")}` : `since ${plain(closed)}`;
  return [
    head,
    `here: deleted ${plain(at)}, ${records} records, ${index_rows} index rows, ${subject_keys} keys of people of whom nothing is left`,
    `copies of those people's records: unreadable ${copies}`,
    "copies of the other records: readable until the backups that hold them are gone",
  ].join("\n");
}
