/** `postern requests …`: what data subjects ask of the merchant. */
import * as z from "zod";
import { createClient } from "./client.ts";
import { asBefore, clientFlags, command, contractFlag, idOf, jsonFlag } from "./command.ts";
import { columns, plain, print, printJson, suggest } from "./output.ts";

const requestSchema = z.looseObject({
  request: z.string(),
  kind: z.string(),
  type: z.string(),
  locator: z.string(),
  received_at: z.string(),
  due_at: z.string(),
  state: z.string(),
  closed_at: z.string().nullable(),
});
const reportSchema = z.looseObject({
  subject: z.string(),
  held: z.array(z.looseObject({ type: z.string(), id: z.string().nullable(), fields: z.array(z.string()) })),
  seen: z.array(
    z.looseObject({
      time: z.string(),
      event: z.string(),
      actor: z.looseObject({ role: z.string(), id: z.string() }),
      purpose: z.string().nullable(),
      effect: z.string(),
      fields: z.record(z.string(), z.string()),
    }),
  ),
  more: z.boolean(),
});

const requestArgument = { id: { type: "positional", required: true, valueHint: "REQUEST", description: "The request's id" } } as const;

const list = command({
  meta: { description: "Open requests first, by their deadline" },
  examples: ["npx postern requests list --contract c-hangzhou-cs --as owner-1"],
  args: { ...contractFlag, ...clientFlags, ...jsonFlag },
  async run({ args }) {
    const listed = await createClient(args).get(z.looseObject({ requests: z.array(requestSchema) }), pathOf(args.contract));
    if (args.json) return printJson(listed);
    if (listed.requests.length === 0) return print("no requests");
    const rows = listed.requests.map(({ request, kind, type, state, due_at, closed_at }) => [
      ...[request, kind, type, state],
      closed_at === null ? `answer by ${due_at}` : `closed ${closed_at}`,
    ]);
    print(columns(rows.map((row) => row.map(plain))));
  },
});

const receive = command({
  meta: { description: "Write down a request that came to the merchant itself" },
  examples: ["npx postern requests receive --kind access --type customer --id 10001 --contract c-hangzhou-cs --as owner-1"],
  args: {
    kind: { type: "enum", required: true, options: ["access", "correction", "erasure"], description: "What the customer asks" },
    type: { type: "string", required: true, valueHint: "TYPE", description: "Type of the record, as the policy names it" },
    id: { type: "string", required: true, valueHint: "ID", description: "The merchant's own id of the record" },
    note: { type: "string", valueHint: "TEXT", description: "What the customer said; sealed under the customer's own key" },
    ...contractFlag,
    ...clientFlags,
    ...jsonFlag,
  },
  async run({ args }) {
    const { kind, type, id, note } = args;
    const received = await createClient(args).post(requestSchema, pathOf(args.contract), { kind, type, id, note });
    if (args.json) return printJson(received);
    print(`${received.request}: ${plain(received.kind)}, answer by ${received.due_at}`);
    suggest(nextAfter(received, args));
  },
});

const show = command({
  meta: { description: "One request, and what the customer said" },
  examples: ["npx postern requests show 0198c1f0-… --contract c-hangzhou-cs --as owner-1"],
  args: { ...requestArgument, ...contractFlag, ...clientFlags, ...jsonFlag },
  async run({ args }) {
    const schema = requestSchema.extend({ said: z.string().nullable() });
    const shown = await createClient(args).get(schema, pathOf(args.contract, args.id));
    if (args.json) return printJson(shown);
    const { said, ...rest } = shown;
    print(columns(Object.entries(rest).map(([name, value]) => [name, plain(`${value ?? ""}`)])));
    if (said !== null) print(plain(said));
    if (shown.closed_at === null) suggest(nextAfter(shown, args));
  },
});

const report = command({
  meta: { description: "What is held of the person, and who has seen it, when and why" },
  examples: ["npx postern requests report 0198c1f0-… --contract c-hangzhou-cs --as owner-1"],
  args: { ...requestArgument, ...contractFlag, ...clientFlags, ...jsonFlag },
  async run({ args }) {
    const reported = await createClient(args).get(reportSchema, `${pathOf(args.contract, args.id)}/report`);
    if (args.json) return printJson(reported);
    const { subject, held, seen, more } = reported;
    print(held.length === 0 ? `nothing is held of ${subject}` : `held of ${subject}:`);
    print(columns(held.map(({ type, id, fields }) => [`  ${type}`, id ?? "", fields.join(", ")].map(plain))));
    print(`${seen.length}${more ? " and more" : ""} entries of the log are about this person:`);
    const rows = seen.map(({ time, event, actor, purpose, effect, fields }) => {
      const left = Object.entries(fields).filter(([, treatment]) => treatment !== "withhold");
      return [
        `  ${time}`,
        event,
        actor.role,
        actor.id,
        purpose ?? "",
        effect,
        left.map(([path, treatment]) => `${path}: ${treatment}`).join(", "),
      ];
    });
    print(columns(rows.map((row) => row.map(plain))));
    suggest(`npx postern requests close ${args.id} --outcome done --contract ${args.contract}${asBefore(args)}`);
  },
});

const close = command({
  meta: { description: "Close a request; an erasure is done when nothing is held any more" },
  examples: ["npx postern requests close 0198c1f0-… --outcome done --contract c-hangzhou-cs --as owner-1"],
  args: {
    ...requestArgument,
    outcome: { type: "enum", required: true, options: ["done", "refused"], description: "How it was answered" },
    ...contractFlag,
    ...clientFlags,
    ...jsonFlag,
  },
  async run({ args }) {
    const closed = await createClient(args).post(requestSchema, `${pathOf(args.contract, args.id)}/close`, { outcome: args.outcome });
    if (args.json) printJson(closed);
    else print(`${closed.request} is closed: ${plain(closed.state)}`);
  },
});

function pathOf(contract: string, request?: string): string {
  return `/v1/contracts/${idOf(contract)}/subject-requests${request === undefined ? "" : `/${idOf(request)}`}`;
}

/** An erasure has to be carried out before it can be called done. */
function nextAfter(
  { kind, request, locator }: z.infer<typeof requestSchema>,
  args: { readonly contract: string; readonly as?: string | undefined },
): string {
  const rest = `--contract ${args.contract}${asBefore(args)}`;
  if (kind === "access") return `npx postern requests report ${request} ${rest}`;
  if (kind === "erasure") return `npx postern subject erase ${args.contract} --subject ${plain(locator)} --dry-run${asBefore(args)}`;
  return `npx postern requests close ${request} --outcome done ${rest}`;
}

export const requests = command({
  meta: { description: "What data subjects ask for: access, correction, erasure" },
  subCommands: { list, receive, show, report, close },
});
