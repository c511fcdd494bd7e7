/** `postern approvals …`: the second person, of the merchant or of its vendor, and the first who takes it back. */
import * as z from "zod";
import { createClient } from "./client.ts";
import { asBefore, clientFlags, command, idOf, jsonFlag } from "./command.ts";
import { Failure } from "./failure.ts";
import { columns, plain, print, printJson, suggest } from "./output.ts";

const person = z.looseObject({ issuer: z.string(), subject: z.string() });
const approvalSchema = z.looseObject({
  id: z.string(),
  contract: z.string(),
  action: z.string(),
  state: z.string(),
  approver: z.string().nullable().optional(),
  digest: z.string(),
  requested_by: person,
  requested_at: z.string(),
  reason: z.string().nullable().optional(),
  decided_reason: z.string().nullable().optional(),
  expires_at: z.string(),
});
const decidedSchema = z.looseObject({ approval: approvalSchema, result: z.looseObject({}) });

const others = "other_organisation";

const listedSchema = z.looseObject({ approvals: z.array(approvalSchema) });

const list = command({
  meta: { description: "What waits for a second owner, and what was decided; of a vendor's admin, what waits for them" },
  examples: ["npx postern approvals list --as owner-2"],
  args: { ...clientFlags, ...jsonFlag },
  async run({ args }) {
    const listed = await createClient(args).get(listedSchema, "/v1/approvals");
    if (args.json) return printJson(listed);
    if (listed.approvals.length === 0) return print("no requests");
    const rows = listed.approvals.map(({ id, action, contract, state, requested_by: by, expires_at, ...said }) => [
      ...[id, action, contract, state],
      `by ${by.issuer}/${by.subject}`,
      state === "requested" ? `until ${expires_at}, for ${said.approver === others ? "the other organisation" : "another owner"}` : "",
      [said.reason, said.decided_reason].flatMap((reason) => (reason ? [`“${reason}”`] : [])).join(" → "),
    ]);
    print(columns(rows.map((row) => row.map(plain))));
  },
});

const approvalArgument = { id: { type: "positional", required: true, valueHint: "ID", description: "The approval's id" } } as const;

const show = command({
  meta: { description: "What is asked for, by whom, and why" },
  examples: ["npx postern approvals show 0198c1f0-… --as owner-2"],
  args: { ...approvalArgument, ...clientFlags, ...jsonFlag },
  async run({ args }) {
    const { approvals: listed } = await createClient(args).get(listedSchema, "/v1/approvals");
    const found = listed.find(({ id }) => id === args.id);
    if (!found) throw new Failure(`there is no request ${plain(args.id)}`);
    if (args.json) return printJson(found);
    const { id, action, contract, state, approver, digest, requested_by: by, requested_at, expires_at, reason, decided_reason } = found;
    const rows = [
      ["act", `${action} of ${contract}`],
      ["digest", digest],
      ["state", state === "requested" ? `requested, open until ${expires_at}` : state],
      ...(approver ? [["waits for", approver === others ? "the other organisation" : "another owner"]] : []),
      ["asked", `${requested_at} by ${by.issuer}/${by.subject}`],
      ["why", reason ?? "-"],
      ...(decided_reason ? [["decided so because", decided_reason]] : []),
    ];
    print(columns(rows.map((row) => row.map(plain))));
    if (state !== "requested") return;
    if (action === "change_policy") suggest(`npx postern policy show ${idOf(contract)}${asBefore(args)}`);
    if (action === "grant_roles") suggest(`npx postern agents list --contract ${idOf(contract)}${asBefore(args)}`);
    if (action === "break_glass") suggest(`npx postern break-glass list --contract ${idOf(contract)}${asBefore(args)}`);
    suggest(`npx postern approvals approve ${idOf(id)}${asBefore(args)}`);
  },
});

const approve = command({
  meta: { description: "As another owner than the one who asked, or as the other organisation: approve" },
  examples: ["npx postern approvals approve 0198c1f0-… --as owner-2"],
  args: { ...approvalArgument, ...clientFlags, ...jsonFlag },
  async run({ args }) {
    const decided = await createClient(args).post(decidedSchema, `/v1/approvals/${idOf(args.id)}/approve`);
    if (args.json) return printJson(decided);
    const { action, contract } = decided.approval;
    print(`approved: ${plain(action)} of ${plain(contract)}`);
    suggest(...nextAfter(action, idOf(contract), asBefore(args), decided.result));
  },
});

function nextAfter(action: string, contract: string, as: string, result: Readonly<Record<string, unknown>>): string[] {
  if (action === "change_policy") return [`npx postern policy show ${contract}${as}`];
  if (action === "break_glass") return [`npx postern break-glass list --contract ${contract}${as}`];
  if (action === "grant_roles") return [`npx postern agents list --contract ${contract}${as}`];
  if (action === "release_hold") return [`npx postern holds list --contract ${contract}${as}`];
  if (action === "amend" || action === "terminate" || action === "resume") return [`npx postern contract show ${contract}${as}`];
  if (action === "partial_purge" && typeof result.job === "string")
    return [`npx postern purge part ${contract} --job ${idOf(result.job)}${as}`];
  if (action === "purge") return [`npx postern purge watch ${contract}${as}`];
  return [`npx postern contract trust ${contract}${as} > trust.json`, `npx postern agents import agents.csv --contract ${contract}${as}`];
}

const reject = command({
  meta: { description: "As another owner than the one who asked, or as the other organisation: reject" },
  examples: ['npx postern approvals reject 0198c1f0-… --why "not before the audit" --as owner-2'],
  args: { ...approvalArgument, ...clientFlags, ...jsonFlag },
  async run({ args }) {
    const decided = await createClient(args).post(decidedSchema, `/v1/approvals/${idOf(args.id)}/reject`);
    if (args.json) return printJson(decided);
    print(`rejected: ${plain(decided.approval.action)} of ${plain(decided.approval.contract)}`);
  },
});

const withdraw = command({
  meta: { description: "As the owner who asked: take the request back" },
  examples: ["npx postern approvals withdraw 0198c1f0-… --as owner-1"],
  args: { ...approvalArgument, ...clientFlags, ...jsonFlag },
  async run({ args }) {
    const decided = await createClient(args).post(decidedSchema, `/v1/approvals/${idOf(args.id)}/withdraw`);
    if (args.json) return printJson(decided);
    print(`withdrawn: ${plain(decided.approval.action)} of ${plain(decided.approval.contract)}`);
  },
});

export const approvals = command({
  meta: { description: "Decide what another owner asked for, or take back what you asked for" },
  subCommands: { list, show, approve, reject, withdraw },
});
