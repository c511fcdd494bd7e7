/** `postern connector draft SAMPLE.json …`: a first connector and a first policy from what an API answered. */
import { basename } from "node:path";
import { Readable } from "node:stream";
import * as z from "zod";
import type { Sample } from "../connectors/index.ts";
import type { Json } from "../kernel/index.ts";
import { command, outputFlag } from "./command.ts";
import { exitCodes, Failure } from "./failure.ts";
import { readText, writeTo } from "./files.ts";
import { note, plain, suggest } from "./output.ts";

/** A recording: what was asked, and what came. */
const recordingSchema = z.array(
  z.looseObject({ method: z.string().default("GET"), path: z.string().startsWith("/").max(512), response: z.json() }),
);

export const connectorDraft = command({
  meta: { description: "Draft a connector from sample answers, and a policy by which nobody sees a field of them" },
  examples: [
    "npx postern connector draft customers.json orders.json --name shop -o shop.yaml --policy shop-policy.yaml",
    "npx postern connector draft recorded.json --name shop",
  ],
  args: {
    files: {
      type: "positional",
      required: true,
      valueHint: "SAMPLE",
      description: "An answer's body, named after its path, or a recording: [{ path, response }]",
    },
    name: { type: "string", default: "shop", valueHint: "NAME", description: "What the connector is called" },
    policy: { type: "string", valueHint: "FILE", description: "Write the policy to FILE" },
    ...outputFlag,
  },
  variadic: true,
  async run({ args }) {
    if (!/^[a-z][a-z0-9-]{0,20}$/.test(args.name)) throw new Failure("--name takes lower-case letters, digits and -", exitCodes.usage);
    const samples = (await Promise.all(args._.map(readSamples))).flat();
    const { draftConnector } = await import("../connectors/index.ts");
    const drafted = draftConnector(args.name, samples);
    if (!drafted.ok) throw new Failure("no sample holds records with an id", exitCodes.failed);
    for (const path of drafted.value.without) note(`no route: ${plain(path)} holds no records with an id`);
    await writeTo(args.output, streamOf(drafted.value.connector));
    if (args.policy !== undefined) await writeTo(args.policy, streamOf(drafted.value.policy));
    else note("which fields there are: say --policy FILE, and a policy is drafted as well");
    suggest(
      `npx postern connector check ${args.output ?? "FILE"}`,
      ...(args.policy === undefined ? [] : [`npx postern policy check ${args.policy}`]),
    );
  },
});

async function readSamples(file: string): Promise<Sample[]> {
  const { JsonSyntaxError, parseJson } = await import("../kernel/index.ts");
  try {
    const body = parseJson(await readText(file));
    const recorded = recordingSchema.safeParse(body);
    if (!recorded.success) return [{ path: `/${basename(file).replace(/\.json$/, "")}`, body }];
    return recorded.data.flatMap(({ method, path, response }) =>
      method === "GET" && response !== null ? [{ path, body: response as Json }] : [],
    );
  } catch (fault) {
    if (fault instanceof JsonSyntaxError) throw new Failure(`${file} is not JSON that we accept`, exitCodes.failed);
    throw fault;
  }
}

function streamOf(text: string): ReadableStream<Uint8Array> {
  return Readable.toWeb(Readable.from([Buffer.from(text)])) as ReadableStream<Uint8Array>;
}
