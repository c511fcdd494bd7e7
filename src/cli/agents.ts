/** `postern agents …`: seats by the hundred, and who has one. */
import * as z from "zod";
import { createClient } from "./client.ts";
import { asBefore, clientFlags, command, contractFlag, idOf, jsonFlag } from "./command.ts";
import { openSource } from "./files.ts";
import { plain, print, printJson, suggest } from "./output.ts";

const importSeats = command({
  meta: { description: "Give seats from a CSV (issuer,subject,role,name …), all or nothing" },
  examples: ["npx postern agents import agents.csv --contract c-hangzhou-cs --as owner-1"],
  args: {
    file: {
      type: "positional",
      required: true,
      valueHint: "FILE.csv",
      description: "With the header issuer,subject,role,name, and what docs/SEATS.md has beside; - is standard input",
    },
    ...contractFlag,
    ...clientFlags,
    ...jsonFlag,
  },
  async run({ args }) {
    const { stream: body } = await openSource(args.file);
    const response = await createClient(args).send("POST", `/v1/contracts/${idOf(args.contract)}/agents`, { media: "text/csv", body });
    const answer = z.looseObject({ seats: z.int() }).parse(await response.json());
    if (args.json) return printJson(answer);
    print(`${answer.seats} seat${answer.seats === 1 ? "" : "s"} in ${args.contract}`);
    suggest(`npx postern records import customers.ndjson --contract ${args.contract} --type customer${asBefore(args)}`);
  },
});

const paperSchema = z.looseObject({ on: z.string(), until: z.string().nullable() }).nullable();
const seatSchema = z.looseObject({
  issuer: z.string(),
  subject: z.string(),
  role: z.string(),
  name: z.string(),
  agreement: paperSchema,
  training: paperSchema,
  shifts: z.string().nullable(),
  revoked_at: z.string().nullable(),
  revoked_by: z.string().nullable(),
  fault: z.string().nullable(),
});

const listSeats = command({
  meta: { description: "Who sits at a contract, and who of them could not work now, and why" },
  examples: ["npx postern agents list --contract c-hangzhou-cs --as owner-1"],
  args: { ...contractFlag, ...clientFlags, ...jsonFlag },
  async run({ args }) {
    const schema = z.looseObject({ seats: z.array(seatSchema), more: z.boolean() });
    const { seats, more } = await createClient(args).get(schema, `/v1/contracts/${idOf(args.contract)}/agents`);
    if (args.json) return printJson({ seats, more });
    for (const { issuer, subject, role, name, shifts, revoked_at, revoked_by, fault } of seats) {
      const standing = revoked_at === null ? (fault ?? "works") : `taken away ${revoked_at} by ${revoked_by}`;
      print(plain(`${issuer}/${subject}  ${role}  ${name}  ${standing}${shifts === null ? "" : `  (${shifts})`}`));
    }
    print(`${seats.length} seat${seats.length === 1 ? "" : "s"} in ${args.contract}${more ? ", and more" : ""}`);
  },
});

const requestRoles = command({
  meta: { description: "Ask an owner to approve the seats of roles that the contract gives by two" },
  examples: ["npx postern agents request --contract c-hangzhou-cs --as owner-1"],
  args: { ...contractFlag, ...clientFlags, ...jsonFlag },
  async run({ args }) {
    const schema = z.looseObject({ approval: z.looseObject({ id: z.string(), expires_at: z.string() }), seats: z.int() });
    const asked = await createClient(args).post(schema, `/v1/contracts/${idOf(args.contract)}/role-grants`);
    if (args.json) return printJson(asked);
    const { id, expires_at } = asked.approval;
    print(`asked for ${asked.seats} seat${asked.seats === 1 ? "" : "s"}: approval ${plain(id)}, open until ${expires_at}`);
    suggest(`npx postern approvals approve ${idOf(id)}      # as an owner, another than who asks`);
  },
});

export const agents = command({
  meta: { description: "Give agents their seats, and see who has one" },
  subCommands: { import: importSeats, list: listSeats, request: requestRoles },
});
