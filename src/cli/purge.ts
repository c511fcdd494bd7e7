/** `postern purge …`: the end of a contract, by two owners. */
import * as z from "zod";
import { createClient } from "./client.ts";
import { asBefore, clientFlags, command, contractArgument, idOf, jsonFlag, outputFlag } from "./command.ts";
import { confirmed, confirmFlag } from "./confirmed.ts";
import { exitCodes, Failure } from "./failure.ts";
import { readText, writeTo } from "./files.ts";
import { columns, plain, print, printJson, suggest } from "./output.ts";
import { attest, missingAttestations } from "./purge-attest.ts";
import { describeJob, findJob, jobSchema, purgesPath } from "./purge-job.ts";
import { part } from "./purge-part.ts";
import { returned } from "./purge-return.ts";
import { watch } from "./purge-watch.ts";
import { trustFileOf } from "./trust-file.ts";

const planSchema = z.looseObject({
  contract: z.string(),
  dies: z.record(z.string(), z.int()),
  stays: z.array(z.object({ table: z.string(), reason: z.string() })),
  cooling_hours: z.int(),
  backup_horizon_hours: z.int(),
  return: z.looseObject({ key: z.string(), wait_hours: z.int() }).nullable(),
});
const requestedSchema = jobSchema.extend({ approval: z.looseObject({ id: z.string() }).nullable() });

const plan = command({
  meta: { description: "Count what a purge would delete; nothing changes" },
  examples: ["npx postern purge plan c-hangzhou-cs --as owner-1"],
  args: { ...contractArgument, ...clientFlags, ...jsonFlag },
  async run({ args }) {
    const planned = await createClient(args).post(planSchema, purgesPath(args.id), { dry_run: true });
    if (args.json) return printJson(planned);
    const { contract, dies, stays, cooling_hours, backup_horizon_hours, return: returns } = planned;
    print(`a purge of ${contract} deletes`);
    print(columns(Object.entries(dies).map(([table, count]) => [`  ${plain(table)}`, `${count}`])));
    print(`and both shares of its keys, so that no backup opens again; copies of the rows age out within ${backup_horizon_hours} h.`);
    print("What stays:");
    print(columns(stays.map(({ table, reason }) => [`  ${plain(table)}`, plain(reason)])));
    if (returns) print(`First every record is sealed to key ${plain(returns.key)}, and waited for ${returns.wait_hours} h to be fetched.`);
    print(`It begins ${cooling_hours} h after a second owner's approval.`);
    suggest(`npx postern purge start ${contract} --confirm=${contract} --why "…"${asBefore(args)}`);
  },
});

const start = command({
  meta: { description: "Ask a second owner to purge a contract" },
  examples: [
    'npx postern purge start c-hangzhou-cs --confirm=c-hangzhou-cs --why "the vendor leaves" --as owner-1',
    'npx postern purge start c-hangzhou-cs --confirm=c-hangzhou-cs --why "moved" --return-to merchant.jwk --return-wait 7d --as owner-1',
  ],
  args: {
    ...contractArgument,
    ...confirmFlag,
    "return-to": { type: "string", valueHint: "FILE", description: "First seal every record to this public key (JWK), to be fetched" },
    "return-wait": { type: "string", valueHint: "LENGTH", description: "How long that is waited for, as 7d (the default)" },
    ...clientFlags,
    ...jsonFlag,
  },
  async run({ args }) {
    const id = idOf(args.id);
    const confirm = await confirmed(args, id, `This destroys the keys and every record of ${id}, for good.`);
    const requested = await createClient(args).post(requestedSchema, purgesPath(id), { confirm, ...(await returnOf(args)) });
    if (args.json) return printJson(requested);
    print(describeJob(requested));
    if (requested.approval)
      suggest(
        `npx postern approvals approve ${plain(requested.approval.id)}      # as another owner, or as the vendor's admin where the contract says so`,
      );
    else suggest(`npx postern purge watch ${id}${asBefore(args)}`);
  },
});

async function returnOf(args: { readonly "return-to"?: string | undefined; readonly "return-wait"?: string | undefined }): Promise<object> {
  const { "return-to": file, "return-wait": wait } = args;
  if (file === undefined && wait !== undefined)
    throw new Failure("--return-wait says how long: say --return-to FILE as well", exitCodes.usage);
  if (file === undefined) return {};
  const text = await readText(file);
  try {
    return { return: { to: JSON.parse(text) as unknown, ...(wait === undefined ? {} : { wait }) } };
  } catch {
    throw new Failure(`${file} is not JSON; a public key as JWK is wanted`, exitCodes.usage);
  }
}

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
    const client = createClient(args);
    const job = await findJob(client, args.id);
    if (args.json) return printJson(job);
    print(describeJob(job));
    const missing = await missingAttestations(client, args.id, job.job);
    if (missing.length > 0) print(`the vendor has not spoken of: ${missing.join(", ")}`);
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
  subCommands: { plan, start, approve, status, watch, return: returned, attest, certificate, part },
});
