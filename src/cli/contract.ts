/** `postern contract …`: an owner writes contracts and brings them into force. */
import * as z from "zod";
import { createClient } from "./client.ts";
import { asBefore, clientFlags, command, contractArgument, idOf, jsonFlag } from "./command.ts";
import { extend, resume, suspend, terminate } from "./contract-ladder.ts";
import { columns, plain, print, printJson, suggest } from "./output.ts";
import { readAgreement } from "./policy-files.ts";

const contractSchema = z.looseObject({
  contract: z.string(),
  merchant: z.string(),
  vendor: z.string(),
  standing: z.string(),
  starts_at: z.string(),
  winds_down_at: z.string(),
  last_days_at: z.string(),
  ends_at: z.string(),
  purge_due_at: z.string(),
  digest: z.string(),
});
const appliedSchema = contractSchema.pick({ contract: true, digest: true, starts_at: true, ends_at: true, purge_due_at: true }).loose();
const askedSchema = z.looseObject({ approval: z.looseObject({ id: z.string(), expires_at: z.string() }) });

const apply = command({
  meta: { description: "Write a contract as a draft, or replace a draft" },
  examples: [
    "npx postern contract apply contract.yaml --as owner-1",
    "npx postern contract apply contract.yaml --policy policy.yaml --as owner-1",
  ],
  args: {
    file: { type: "positional", required: true, valueHint: "FILE", description: "The contract's YAML" },
    policy: { type: "string", valueHint: "FILE", description: "The policy's YAML (else the shipped one that the contract names)" },
    ...clientFlags,
    ...jsonFlag,
  },
  async run({ args }) {
    const files = await readAgreement({ contract: args.file, policy: args.policy });
    const applied = await createClient(args).post(appliedSchema, "/v1/contracts", files);
    if (args.json) return printJson(applied);
    print(
      `${applied.contract} is a draft: ${applied.starts_at} to ${applied.ends_at}, purged from ${applied.purge_due_at}\n${applied.digest}`,
    );
    suggest(`npx postern contract activate ${applied.contract}${asBefore(args)}`);
  },
});

const activate = command({
  meta: { description: "Ask a second owner to bring a draft into force" },
  examples: ["npx postern contract activate c-hangzhou-cs --as owner-1"],
  args: { ...contractArgument, ...clientFlags, ...jsonFlag },
  async run({ args }) {
    const asked = await createClient(args).post(askedSchema, `/v1/contracts/${idOf(args.id)}/activate`);
    if (args.json) return printJson(asked);
    print(`asked: approval ${asked.approval.id}, open until ${asked.approval.expires_at}`);
    suggest(`npx postern approvals approve ${asked.approval.id}      # as another owner`);
  },
});

const trust = command({
  meta: { description: "Print the trust file: the keys by which a stranger verifies" },
  examples: ["npx postern contract trust c-hangzhou-cs --as owner-1 > trust.json"],
  args: { ...contractArgument, ...clientFlags },
  async run({ args }) {
    const response = await createClient(args).send("GET", `/v1/contracts/${idOf(args.id)}/trust`);
    process.stdout.write(await response.text());
  },
});

const list = command({
  meta: { description: "Your merchants' contracts" },
  examples: ["npx postern contract list --as owner-1"],
  args: { ...clientFlags, ...jsonFlag },
  async run({ args }) {
    const listed = await createClient(args).get(z.looseObject({ contracts: z.array(contractSchema) }), "/v1/contracts");
    if (args.json) return printJson(listed);
    if (listed.contracts.length === 0) print("no contracts");
    else
      print(
        columns(
          listed.contracts.map(({ contract, standing, vendor, ends_at }) => [contract, standing, vendor, `ends ${ends_at}`].map(plain)),
        ),
      );
  },
});

const show = command({
  meta: { description: "One contract, and how many records it holds" },
  examples: ["npx postern contract show c-hangzhou-cs --as owner-1"],
  args: { ...contractArgument, ...clientFlags, ...jsonFlag },
  async run({ args }) {
    const schema = contractSchema.extend({ records: z.record(z.string(), z.int()) });
    const shown = await createClient(args).get(schema, `/v1/contracts/${idOf(args.id)}`);
    if (args.json) return printJson(shown);
    const { records, standing, starts_at, winds_down_at, last_days_at, ends_at, purge_due_at, ...rest } = shown;
    const counted = Object.entries(records).map(([type, count]) => `${count} ${type}`);
    const told = Object.entries(rest).flatMap(([key, value]) => (value === null ? [] : [[key, plain(String(value))]]));
    print(columns([...told, ["standing", plain(standing)], ["records", counted.join(", ") || "none"]]));
    print(ladderText({ starts_at, winds_down_at, last_days_at, ends_at, purge_due_at }));
  },
});

const rungs = {
  starts_at: "agents have access",
  winds_down_at: "the end is announced",
  last_days_at: "no import, no new agents, nothing in the clear",
  ends_at: "access is cut",
  purge_due_at: "keys and records are destroyed, unless a hold stands",
} as const;

/** What happens when. */
function ladderText(at: Readonly<Record<keyof typeof rungs, string>>): string {
  const names = Object.keys(rungs) as (keyof typeof rungs)[];
  return columns(names.map((rung) => [rung, plain(at[rung]), rungs[rung]]));
}

export const contract = command({
  meta: { description: "Write contracts, bring them into force, move their end" },
  subCommands: { apply, activate, trust, list, show, extend, terminate, suspend, resume },
});
