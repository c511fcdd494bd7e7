/** `postern purge attest`: as an owner, record what the vendor said of one of its systems; without a system: which have been spoken of. */
import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import { basename } from "node:path";
import * as z from "zod";
import { canonicalJson } from "../kernel/index.ts";
import { type Client, createClient } from "./client.ts";
import { asBefore, clientFlags, command, contractArgument, idOf, jsonFlag } from "./command.ts";
import { exitCodes, Failure } from "./failure.ts";
import { readText } from "./files.ts";
import { columns, note, plain, print, printJson, suggest } from "./output.ts";
import { findJob, purgesPath } from "./purge-job.ts";

const standingSchema = z.looseObject({
  systems: z.array(
    z.looseObject({
      system: z.string(),
      state: z.string(),
      attestation: z.looseObject({ signer: z.string(), signed: z.boolean(), digest: z.string(), recorded_at: z.string() }).nullable(),
    }),
  ),
});
type Standing = z.infer<typeof standingSchema>;

export const attest = command({
  meta: { description: "Record what the vendor says of its own systems; without --system: of which it has spoken" },
  examples: [
    "npx postern purge attest c-hangzhou-cs --as owner-1",
    "npx postern purge attest c-hangzhou-cs --system crm --statement said.txt --signer 'Ouyang Ming, DPO' --evidence protocol.pdf --as owner-1",
    "npx postern purge attest c-hangzhou-cs --system crm --statement said.txt --signer 'Ouyang Ming, DPO' --words --as owner-1",
  ],
  args: {
    ...contractArgument,
    system: { type: "string", valueHint: "NAME", description: "As the contract names it" },
    statement: { type: "string", valueHint: "FILE", description: "What was said, as text; - for standard input" },
    signer: { type: "string", valueHint: "NAME", description: "Who said it, for the vendor" },
    evidence: { type: "string", valueHint: "FILE", description: "A file that was handed over, at most 256 KiB" },
    jws: { type: "string", valueHint: "FILE", description: "The vendor's detached JWS over the words" },
    words: { type: "boolean", description: "Print the words that the vendor signs, and record nothing" },
    ...clientFlags,
    ...jsonFlag,
  },
  async run({ args }) {
    const client = createClient(args);
    const { job } = await findJob(client, args.id);
    const path = `${purgesPath(args.id)}/${idOf(job)}/attestations`;
    const { system, statement, signer } = args;
    if (system === undefined) return show(await client.get(standingSchema, path), args);
    if (statement === undefined || signer === undefined)
      throw new Failure("a system is spoken of with --statement FILE and --signer NAME", exitCodes.usage);
    const said = { system, statement: (await readText(statement)).trim(), signer };
    const evidence = args.evidence === undefined ? undefined : await readEvidence(args.evidence);
    if (args.words) {
      process.stdout.write(canonicalJson({ contract: args.id, job, ...said, evidence: evidence?.digest ?? null }));
      return note("\nthe payload of a detached JWS: alg EdDSA, typ postern-attestation, kid of the vendor's key");
    }
    const jws = args.jws === undefined ? {} : { jws: (await readText(args.jws)).trim() };
    const handed = evidence === undefined ? {} : { evidence: { name: evidence.name, content: evidence.content } };
    show(await client.post(standingSchema, path, { ...said, ...handed, ...jws }), args);
  },
});

function show(
  standing: Standing,
  args: { readonly id: string; readonly json?: boolean | undefined; readonly as?: string | undefined },
): void {
  if (args.json) printJson(standing);
  else if (standing.systems.length === 0) print(`${args.id} names no systems of the vendor's`);
  else showSystems(standing, args);
}

function showSystems(standing: Standing, args: { readonly id: string; readonly as?: string | undefined }): void {
  print(columns(standing.systems.map(({ system, state, attestation }) => [plain(system), state, attestation ? wordOf(attestation) : ""])));
  const missing = standing.systems.find(({ attestation }) => attestation === null);
  if (missing)
    suggest(`npx postern purge attest ${args.id} --system ${plain(missing.system)} --statement FILE --signer NAME${asBefore(args)}`);
}

function wordOf({ signer, signed, recorded_at }: NonNullable<Standing["systems"][number]["attestation"]>): string {
  return `${plain(signer)}, ${signed ? "signed" : "not signed"}, recorded ${recorded_at}`;
}

/** Of which systems nothing was said, for those who look at a purge. */
export async function missingAttestations(client: Client, contract: string, job: string): Promise<string[]> {
  const { systems } = await client.get(standingSchema, `${purgesPath(contract)}/${idOf(job)}/attestations`);
  return systems.filter(({ attestation }) => attestation === null).map(({ system }) => plain(system));
}

async function readEvidence(file: string): Promise<{ readonly name: string; readonly content: string; readonly digest: string }> {
  const bytes = await readFile(file).catch((error: unknown) => {
    throw new Failure(`${file} cannot be read (${error instanceof Error && "code" in error ? error.code : "fault"})`, exitCodes.usage);
  });
  const digest = `sha256:${createHash("sha256").update(bytes).digest("hex")}`;
  return { name: basename(file), content: bytes.toString("base64"), digest };
}
