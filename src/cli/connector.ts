/** `postern connector …`: connectors read as the gateway would, without one; and an owner's view of those that are registered. */
import { basename } from "node:path";
import * as z from "zod";
import type { Problem } from "../policy/index.ts";
import { createClient } from "./client.ts";
import { asBefore, clientFlags, command, contractFlag, idOf, jsonFlag, repeated } from "./command.ts";
import { confirmed, confirmFlag } from "./confirmed.ts";
import { connectorDraft } from "./connector-draft.ts";
import { exitCodes, Failure } from "./failure.ts";
import { readText } from "./files.ts";
import { columns, plain, print, printJson, suggest } from "./output.ts";
import { throwProblems } from "./problems.ts";

const check = command({
  meta: { description: "Find what is wrong in connectors, by line and column" },
  examples: ["npx postern connector check policies/connectors/shopify.yaml"],
  args: { files: { type: "positional", required: true, valueHint: "FILE", description: "YAML files" }, ...jsonFlag },
  variadic: true,
  async run({ args }) {
    const { parseConnector } = await import("../connectors/index.ts");
    const problems: Problem[] = [];
    for (const file of args._) {
      const parsed = parseConnector(await readText(file), file);
      if (!parsed.ok) problems.push(...parsed.refusal);
    }
    if (args.json) {
      process.exitCode = problems.length > 0 ? exitCodes.failed : exitCodes.ok;
      return printJson({ files: args._.length, problems });
    }
    if (problems.length > 0) await throwProblems(problems);
    print(`OK, ${args._.length} file${args._.length === 1 ? "" : "s"}`);
  },
});

const listedSchema = z.looseObject({
  connector: z.string(),
  host: z.string(),
  authentication: z.string(),
  purpose: z.string().nullable(),
  routes: z.array(z.string()),
  registered_at: z.string(),
  refused_at: z.string().nullable(),
});
const registeredSchema = z.looseObject({ connector: z.string(), host: z.string(), digest: z.string(), routes: z.array(z.string()) });

const nameArgument = {
  name: { type: "positional", required: true, valueHint: "NAME", description: "What it is called at the contract" },
} as const;
const pathOf = (contract: string, name?: string) =>
  `/v1/contracts/${idOf(contract)}/connectors${name === undefined ? "" : `/${idOf(name)}`}`;

const apply = command({
  meta: { description: "Register the merchant's own API, or change how it is asked" },
  examples: [
    "npx postern connector apply policies/connectors/shopify.yaml --contract c-denver-cs --set shop=acme --credential key.txt --as owner-1",
    "pass shop/api | npx postern connector apply policies/connectors/woocommerce.yaml --contract c-denver-cs --set host=shop.example.com --credential - --as owner-1",
  ],
  args: {
    file: { type: "positional", required: true, valueHint: "FILE", description: "The connector's YAML" },
    ...contractFlag,
    name: { type: "string", valueHint: "NAME", description: "What it is called at the contract (else as its file is)" },
    set: { type: "string", valueHint: "NAME=VALUE", description: "A setting that the file asks for; may stand more than once" },
    credential: {
      type: "string",
      required: true,
      valueHint: "FILE",
      description: "Holds the credential, on one line; - is standard input",
    },
    ...clientFlags,
    ...jsonFlag,
  },
  repeatable: ["set"],
  async run({ args, rawArgs }) {
    const text = await readText(args.file);
    const { parseConnector } = await import("../connectors/index.ts");
    const parsed = parseConnector(text, args.file);
    if (!parsed.ok) return throwProblems(parsed.refusal);
    const settings = Object.fromEntries(repeated(rawArgs, "set").map(setting));
    const credential = (await readText(args.credential)).trim();
    const body = { connector: { name: basename(args.file), text }, settings, credential };
    const path = pathOf(args.contract, args.name ?? parsed.value.connector.name);
    const registered = await createClient(args).put(registeredSchema, path, body);
    if (args.json) return printJson(registered);
    print(`${plain(registered.connector)} leads to ${plain(registered.host)}; agents' programs ask under`);
    print(`/v1/contracts/${args.contract}/upstream/${plain(registered.connector)}`);
    suggest(`npx postern connector show ${plain(registered.connector)} --contract ${args.contract}${asBefore(args)}`);
  },
});

/** At the first sign of equality. */
function setting(text: string): [string, string] {
  const at = text.indexOf("=");
  if (at < 1) throw new Failure(`${JSON.stringify(text)} is not NAME=VALUE`, exitCodes.usage);
  return [text.slice(0, at), text.slice(at + 1)];
}

const list = command({
  meta: { description: "The merchant's own APIs that are registered, and which of them refuse the credential" },
  examples: ["npx postern connector list --contract c-denver-cs --as owner-1"],
  args: { ...contractFlag, ...clientFlags, ...jsonFlag },
  async run({ args }) {
    const listed = await createClient(args).get(z.looseObject({ connectors: z.array(listedSchema) }), pathOf(args.contract));
    if (args.json) return printJson(listed);
    if (listed.connectors.length === 0) return print("no connectors");
    const rows = listed.connectors.map(({ connector, host, registered_at, refused_at }) => [
      ...[connector, host, `since ${registered_at.slice(0, 10)}`],
      refused_at === null ? "" : `refused the credential ${refused_at}`,
    ]);
    print(columns(rows.map((row) => row.map(plain))));
  },
});

const show = command({
  meta: { description: "How one of them is asked; the credential is shown to nobody" },
  examples: ["npx postern connector show shopify --contract c-denver-cs --as owner-1"],
  args: { ...nameArgument, ...contractFlag, ...clientFlags, ...jsonFlag },
  async run({ args }) {
    const shown = await createClient(args).get(listedSchema, pathOf(args.contract, args.name));
    if (args.json) return printJson(shown);
    const { connector, host, authentication, purpose, routes, registered_at, refused_at } = shown;
    const rows = [
      ...[
        ["connector", connector],
        ["host", host],
        ["authentication", authentication],
        ["purpose", purpose ?? "as the client says"],
      ],
      ...[
        ["registered", registered_at],
        ["refused", refused_at ?? "not since"],
      ],
    ];
    print(columns(rows.map((row) => row.map(plain))));
    for (const route of routes) print(`  ${plain(route)}`);
  },
});

const remove = command({
  meta: { description: "Take one of them away, and its credential with it" },
  examples: ["npx postern connector remove shopify --contract c-denver-cs --confirm=shopify --as owner-1"],
  args: { ...nameArgument, ...contractFlag, ...confirmFlag, ...clientFlags, ...jsonFlag },
  async run({ args }) {
    await confirmed(args, args.name, "Agents' programs are answered 404 from then on.");
    const response = await createClient(args).send("DELETE", pathOf(args.contract, args.name));
    if (args.json) return printJson(await response.json());
    print(`${args.name} is gone, and its credential with it`);
  },
});

export const connector = command({
  meta: { description: "How the gateway speaks to a merchant's own API" },
  subCommands: { draft: connectorDraft, check, apply, list, show, remove },
});
