/** `postern contract …`: the rungs that owners climb themselves. */
import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { pipeline } from "node:stream/promises";
import * as z from "zod";
import { createClient } from "./client.ts";
import { asBefore, clientFlags, command, contractArgument, idOf, jsonFlag } from "./command.ts";
import { exitCodes, Failure } from "./failure.ts";
import { print, printJson, suggest } from "./output.ts";

const askedSchema = z.looseObject({
  approval: z.looseObject({ id: z.string(), expires_at: z.string() }),
  ends_at: z.string().nullish(),
});
type Asked = z.infer<typeof askedSchema>;

function tell({ approval, ends_at }: Asked, what: string): void {
  const when = ends_at === undefined ? "" : `, to end ${ends_at ?? "as soon as it is approved"}`;
  print(`asked: ${what}${when}; approval ${approval.id}, open until ${approval.expires_at}`);
  suggest(`npx postern approvals approve ${approval.id}      # as another owner`);
}

export const extend = command({
  meta: { description: "Move the end, or change how the contract is purged, as the vendor has agreed in a signed statement" },
  examples: [
    'npx postern contract extend c-hangzhou-cs --end 2028-01-01 --statement amendment-3.pdf --reference "amendment 3" --as owner-1',
    'npx postern contract extend c-hangzhou-cs --purge-after 14d --statement amendment-4.pdf --reference "amendment 4" --as owner-1',
  ],
  args: {
    ...contractArgument,
    end: { type: "string", valueHint: "DATE", description: "The new first day without access, in the contract's zone" },
    "purge-after": { type: "string", valueHint: "LENGTH", description: "From the end to the purge, as 7d; at least 1d" },
    cooling: { type: "string", valueHint: "LENGTH", description: "From the approval of an early purge to its beginning" },
    "backup-horizon": { type: "string", valueHint: "LENGTH", description: "Until when copies may exist" },
    statement: {
      type: "string",
      required: true,
      valueHint: "FILE",
      description: "The vendor's signed statement; its SHA-256 is sent, not the file",
    },
    reference: { type: "string", required: true, valueHint: "TEXT", description: "Where that statement is kept" },
    ...clientFlags,
    ...jsonFlag,
  },
  async run({ args }) {
    const vendor = { reference: args.reference, statement: await digestOfFile(args.statement) };
    const changes = { end: args.end, purge_after: args["purge-after"], cooling: args.cooling, backup_horizon: args["backup-horizon"] };
    if (Object.values(changes).every((change) => change === undefined))
      throw new Failure("nothing changes: say --end, --purge-after, --cooling or --backup-horizon", exitCodes.usage);
    const asked = await createClient(args).post(askedSchema, `/v1/contracts/${idOf(args.id)}/amend`, { ...changes, vendor });
    if (args.json) printJson(asked);
    else tell(asked, `other terms of ${args.id}`);
  },
});

async function digestOfFile(file: string): Promise<string> {
  const hash = createHash("sha256");
  await pipeline(createReadStream(file), hash).catch(() => {
    throw new Failure(`${file} cannot be read`, exitCodes.usage);
  });
  return `sha256:${hash.digest("hex")}`;
}

const reasons = ["breach", "convenience", "insolvency", "mutual", "regulator_order"];
const suspensionReasons = ["incident", "investigation", "audit", "breach", "other"];

export const terminate = command({
  meta: { description: "Ask a second owner to end a contract early" },
  examples: [
    "npx postern contract terminate c-hangzhou-cs --reason breach --at now --confirm=c-hangzhou-cs --as owner-1",
    "npx postern contract terminate c-hangzhou-cs --reason mutual --at 2026-12-31 --confirm=c-hangzhou-cs --as owner-1",
  ],
  args: {
    ...contractArgument,
    at: { type: "string", required: true, valueHint: "DATE|now", description: "The first day without access, in the contract's zone" },
    reason: { type: "enum", options: reasons, required: true, valueHint: reasons.join("|"), description: "Why" },
    confirm: { type: "string", required: true, valueHint: "ID", description: "The contract's id once more" },
    ...clientFlags,
    ...jsonFlag,
  },
  async run({ args }) {
    const { at, reason, confirm } = args;
    if (confirm !== args.id) throw new Failure(`not confirmed: that is not ${args.id}; nothing was asked for`, exitCodes.usage);
    const asked = await createClient(args).post(askedSchema, `/v1/contracts/${idOf(args.id)}/terminate`, { at, reason, confirm });
    if (args.json) printJson(asked);
    else tell(asked, `early end of ${args.id}`);
  },
});

export const suspend = command({
  meta: { description: "Cut a contract's agents off, at once" },
  examples: ["npx postern contract suspend c-hangzhou-cs --reason incident --as owner-1"],
  args: {
    ...contractArgument,
    reason: { type: "enum", options: suspensionReasons, required: true, valueHint: suspensionReasons.join("|"), description: "Why" },
    ...clientFlags,
    ...jsonFlag,
  },
  async run({ args }) {
    const schema = z.looseObject({ contract: z.string(), standing: z.string() });
    const done = await createClient(args).post(schema, `/v1/contracts/${idOf(args.id)}/suspend`, { reason: args.reason });
    if (args.json) return printJson(done);
    print(`${args.id} is suspended: its agents see nothing`);
    suggest(`npx postern contract resume ${args.id}${asBefore(args)}`);
  },
});

export const resume = command({
  meta: { description: "Ask a second owner to let a suspended contract's agents in again" },
  examples: ["npx postern contract resume c-hangzhou-cs --as owner-1"],
  args: { ...contractArgument, ...clientFlags, ...jsonFlag },
  async run({ args }) {
    const asked = await createClient(args).post(askedSchema, `/v1/contracts/${idOf(args.id)}/resume`);
    if (args.json) printJson(asked);
    else tell(asked, `${args.id} resumes`);
  },
});
