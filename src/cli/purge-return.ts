/**
 * `postern purge return`: fetches what a purge returns before it destroys, part by part, each held to its digest. A part that lies there already and is
 * whole is not fetched again, so a fetch that broke off goes on. What is in the parts only the merchant's private key opens (docs/PURGE.md).
 */
import { createHash } from "node:crypto";
import { mkdir, readFile, rename, writeFile } from "node:fs/promises";
import { join } from "node:path";
import * as z from "zod";
import { createClient } from "./client.ts";
import { asBefore, clientFlags, command, contractArgument, idOf, jsonFlag } from "./command.ts";
import { exitCodes, Failure } from "./failure.ts";
import { note, plain, print, printJson, suggest } from "./output.ts";
import { createProgress } from "./progress.ts";
import { findJob, purgesPath } from "./purge-job.ts";

const partSchema = z.object({ part: z.string().regex(/^([0-9]{6}|keys|manifest)$/), digest: z.string(), records: z.int() });
const returnSchema = z.looseObject({
  state: z.string(),
  key: z.string().nullable(),
  digest: z.string().nullable(),
  until: z.string().nullable(),
  records: z.int(),
  unreadable: z.int(),
  parts: z.array(partSchema),
});

export const returned = command({
  meta: { description: "Fetch what a purge returns before it destroys, and say that it arrived" },
  examples: [
    "npx postern purge return c-hangzhou-cs --out returned --as owner-1",
    "npx postern purge return c-hangzhou-cs --acknowledge=sha256:5f3a… --as owner-1",
  ],
  args: {
    ...contractArgument,
    out: { type: "string", valueHint: "DIR", description: "Write the sealed parts there; without it: only how it stands" },
    acknowledge: {
      type: "string",
      valueHint: "DIGEST",
      description: "Say that the return with this digest arrived whole: the purge goes on",
    },
    ...clientFlags,
    ...jsonFlag,
  },
  async run({ args }) {
    const client = createClient(args);
    const { job } = await findJob(client, args.id);
    const path = `${purgesPath(args.id)}/${idOf(job)}/return`;
    if (args.acknowledge !== undefined) {
      const told = await client.post(returnSchema, `${path}/acknowledge`, { digest: args.acknowledge });
      if (args.json) return printJson(told);
      print(`${args.id}: acknowledged, the purge goes on`);
      return suggest(`npx postern purge watch ${args.id}${asBefore(args)}`);
    }
    const standing = await client.get(returnSchema, path);
    if (args.json && args.out === undefined) return printJson(standing);
    const { state, digest, until, records, unreadable, parts } = standing;
    if (digest === null || parts.length === 0) {
      if (args.out !== undefined) throw new Failure(`there is nothing to fetch: ${plain(state)}`, exitCodes.failed);
      return print(`${args.id}: ${plain(state)}`);
    }
    const damaged = unreadable > 0 ? `, ${unreadable} of which do not open any more` : "";
    note(`${records} records${damaged}, in ${parts.length} parts; waited for until ${plain(until ?? "")}`);
    if (args.out === undefined) return suggest(`npx postern purge return ${args.id} --out DIR${asBefore(args)}`);
    await mkdir(args.out, { recursive: true, mode: 0o700 });
    const progress = createProgress();
    for (const [i, { part, digest: expected }] of parts.entries()) {
      progress.show(i, parts.length, `part ${part}`);
      const file = join(args.out, `${part}.jwe`);
      if ((await digestOfFile(file)) === expected) continue;
      const bytes = new Uint8Array(await (await client.send("GET", `${path}/parts/${part}`)).arrayBuffer());
      if (digestOf(bytes) !== expected) throw new Failure(`part ${part} is not what was sealed; fetch again`);
      await writeFile(`${file}.new`, bytes, { mode: 0o600 });
      await rename(`${file}.new`, file);
    }
    progress.end();
    if (args.json) printJson(standing);
    else print(`${args.out}: ${parts.length} parts, manifest ${digest}`);
    note("open them with your private key before you acknowledge; nothing is destroyed before");
    suggest(`npx postern purge return ${args.id} --acknowledge=${digest}${asBefore(args)}`);
  },
});

/** `null` = not there. */
async function digestOfFile(file: string): Promise<string | null> {
  return readFile(file).then(digestOf, () => null);
}

function digestOf(bytes: Uint8Array): string {
  return `sha256:${createHash("sha256").update(bytes).digest("hex")}`;
}
