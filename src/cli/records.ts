/** `postern records import`: NDJSON of any length, streamed. */
import * as z from "zod";
import { createClient } from "./client.ts";
import { clientFlags, command, contractFlag, idOf, jsonFlag } from "./command.ts";
import { exitCodes } from "./failure.ts";
import { openSource, type Source } from "./files.ts";
import { columns, plain, print, printJson } from "./output.ts";
import { createProgress, type Progress } from "./progress.ts";
import { retention } from "./records-retention.ts";

const importedSchema = z.looseObject({
  lines: z.int(),
  created: z.int(),
  updated: z.int(),
  rejected: z.array(z.object({ line: z.int(), code: z.string() })),
  rejected_count: z.int(),
  unnamed: z.record(z.string(), z.int()),
});
type Imported = z.infer<typeof importedSchema>;

const importRecords = command({
  meta: { description: "Import records, one JSON object a line; a record whose `id` is known is replaced" },
  examples: [
    "npx postern records import customers.ndjson --contract c-hangzhou-cs --type customer --as owner-1",
    "zcat customers.ndjson.gz | npx postern records import - --contract c-hangzhou-cs --type customer --as owner-1",
  ],
  args: {
    file: { type: "positional", required: true, valueHint: "FILE.ndjson", description: "- is standard input" },
    ...contractFlag,
    type: { type: "string", required: true, valueHint: "TYPE", description: "As the policy calls it: customer, order" },
    shop: { type: "string", valueHint: "SHOP", description: "Which shop they come from, to delete them apart (purge part --shop)" },
    purpose: {
      type: "string",
      valueHint: "PURPOSE",
      description: "Of the contract's, for which alone they are handed over (purge part --purpose)",
    },
    ...clientFlags,
    ...jsonFlag,
  },
  async run({ args }) {
    const client = createClient(args);
    const { shop, purpose } = args;
    const said = Object.entries({ shop, purpose }).flatMap(([name, value]) => (value === undefined ? [] : [[name, idOf(value)]]));
    const query = said.length > 0 ? `?${new URLSearchParams(said)}` : "";
    const path = `/v1/contracts/${idOf(args.contract)}/records/${idOf(args.type)}/import${query}`;
    const progress = createProgress();
    const body = watched(await openSource(args.file), progress);
    const response = await client.send("POST", path, { media: "application/x-ndjson", body }).finally(() => progress.end());
    const imported = importedSchema.parse(await response.json());
    if (imported.rejected_count > 0) process.exitCode = exitCodes.failed;
    if (args.json) return printJson(imported);
    print(summary(args.type, imported));
  },
});

function summary(type: string, { lines, created, updated, rejected, rejected_count, unnamed }: Imported): string {
  const paths = Object.entries(unnamed);
  const more = rejected_count - rejected.length;
  return [
    `${type}: ${lines} lines, ${created} created, ${updated} updated, ${rejected_count} rejected`,
    ...rejected.map(({ line, code }) => `  line ${line}: ${plain(code)}`),
    ...(more > 0 ? [`  and ${more} more`] : []),
    ...(paths.length > 0 ? ["not stored, because no policy names them or they are secrets:"] : []),
    ...(paths.length > 0 ? [columns(paths.map(([path, count]) => [`  ${plain(path)}`, `${count}`]))] : []),
  ].join("\n");
}

/** Counts what the network has taken. */
function watched({ stream, bytes }: Source, progress: Progress): ReadableStream<Uint8Array> {
  let done = 0;
  const counter = new TransformStream<Uint8Array, Uint8Array>({
    transform(chunk, controller) {
      done += chunk.length;
      progress.show(done, bytes, `${(done / 1e6).toFixed(1)}${bytes === null ? "" : ` of ${(bytes / 1e6).toFixed(1)}`} MB sent`);
      controller.enqueue(chunk);
    },
  });
  return stream.pipeThrough(counter);
}

export const records = command({
  meta: { description: "Bring customers' records in, and see how long they are kept" },
  subCommands: { import: importRecords, retention },
});
