/** `postern purge …`: the end of a contract, by two owners. */
import * as z from "zod";
import { createClient } from "./client.ts";
import { asBefore, clientFlags, command, contractArgument, idOf, jsonFlag, outputFlag } from "./command.ts";
import { confirmed, confirmFlag } from "./confirmed.ts";
import { writeTo } from "./files.ts";
import { columns, plain, print, printJson, suggest } from "./output.ts";
import { describeJob, findJob, jobSchema, purgesPath } from "./purge-job.ts";
import { watch } from "./purge-watch.ts";
import { trustFileOf } from "./trust-file.ts";

const planSchema = z.looseObject({
  contract: z.string(),
  dies: z.record(z.string(), z.int()),
  stays: z.array(z.object({ table: z.string(), reason: z.string() })),
  cooling_hours: z.int(),
  backup_horizon_hours: z.int(),
});
const requestedSchema = jobSchema.extend({ approval: z.looseObject({ id: z.string() }).nullable() });

const plan = command({
  meta: { description: "Count what a purge would delete; nothing changes" },
  examples: ["npx postern purge plan c-hangzhou-cs --as owner-1"],
  args: { ...contractArgument, ...clientFlags, ...jsonFlag },
  async run({ args }) {
    const planned = await createClient(args).post(planSchema, purgesPath(args.id), { dry_run: true });
    if (args.json) return printJson(planned);
    const { contract, dies, stays, cooling_hours, backup_horizon_hours } = planned;
    print(`a purge of ${contract} deletes`);
    print(columns(Object.entries(dies).map(([table, count]) => [`  ${plain(table)}`, `${count}`])));
    print(`and both shares of its keys, so that no backup opens again; copies of the rows age out within ${backup_horizon_hours} h.`);
    print("What stays:");
    print(columns(stays.map(({ table, reason }) => [`  ${plain(table)}`, plain(reason)])));
    print(`It begins ${cooling_hours} h after a second owner's approval.`);
    suggest(`npx postern purge start ${contract} --confirm=${contract}${asBefore(args)}`);
  },
});

const start = command({
  meta: { description: "Ask a second owner to purge a contract" },
  examples: ["npx postern purge start c-hangzhou-cs --confirm=c-hangzhou-cs --as owner-1"],
  args: {
    ...contractArgument,
    ...confirmFlag,
    ...clientFlags,
    ...jsonFlag,
  },
  async run({ args }) {
    const id = idOf(args.id);
    const confirm = await confirmed(args, id, `This destroys the keys and every record of ${id}, for good.`);
    const requested = await createClient(args).post(requestedSchema, purgesPath(id), { confirm });
    if (args.json) return printJson(requested);
    print(describeJob(requested));
    if (requested.approval) suggest(`npx postern purge approve ${id}      # as another owner`);
    else suggest(`npx postern purge watch ${id}${asBefore(args)}`);
  },
});

const approve = command({
  meta: { description: "As another owner than the one who asked: approve the purge" },
  examples: ["npx postern purge approve c-hangzhou-cs --as owner-2"],
  args: { ...contractArgument, ...clientFlags, ...jsonFlag },
  async run({ args }) {
    const client = createClient(args);
    const { job } = await findJob(client, args.id);
    const approved = await client.post(jobSchema, `${purgesPath(args.id)}/${idOf(job)}/approve`);
    if (args.json) return printJson(approved);
    print(describeJob(approved));
    suggest(`npx postern purge watch ${args.id}${asBefore(args)}`);
  },
});

const status = command({
  meta: { description: "Where a purge stands" },
  examples: ["npx postern purge status c-hangzhou-cs --as owner-1"],
  args: { ...contractArgument, ...clientFlags, ...jsonFlag },
  async run({ args }) {
    const job = await findJob(createClient(args), args.id);
    if (args.json) printJson(job);
    else print(describeJob(job));
  },
});

const certificate = command({
  meta: { description: "Fetch the certificate of a purge" },
  examples: [
    "npx postern purge certificate c-hangzhou-cs -o certificate.jws --as owner-1",
    "npx postern purge certificate c-hangzhou-cs --final -o final.jws --as owner-1",
  ],
  args: {
    ...contractArgument,
    final: { type: "boolean", description: "The second one, which is there once the backup horizon has passed" },
    ...outputFlag,
    ...clientFlags,
  },
  async run({ args }) {
    const client = createClient(args);
    const { job } = await findJob(client, args.id);
    const response = await client.send("GET", `${purgesPath(args.id)}/${idOf(job)}/certificate${args.final ? "?which=final" : ""}`);
    await writeTo(args.output, response.body ?? new Blob([]).stream());
    const first = args.final ? " --first certificate.jws" : "";
    suggest(`npx postern certificate verify ${args.output ?? "FILE"}${first} --trust ${trustFileOf(args.id)}`);
  },
});

export const purge = command({
  meta: { description: "End a contract for good: plan, two owners, certificate" },
  subCommands: { plan, start, approve, status, watch, certificate },
});
