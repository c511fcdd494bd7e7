/**
 * `postern audit export`: the whole log as a bundle, or what a filter finds as a file for another system, with a signed manifest beside it.
 * A copy's crash order: an empty copy's manifest → the file grows → the manifest of what the file holds. Whatever broke off, `--resume` asks what the
 * file holds, cuts it behind its last whole record, and goes on.
 */
import { createHash, type Hash } from "node:crypto";
import { createReadStream, createWriteStream } from "node:fs";
import { stat, truncate, writeFile } from "node:fs/promises";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { filterFlags, filterQuery } from "./audit-filter.ts";
import { type ExportManifest, manifestFile, readManifest } from "./audit-manifest.ts";
import { type Client, createClient } from "./client.ts";
import { clientFlags, command, contractFlag, idOf, outputFlag } from "./command.ts";
import { exitCodes, Failure } from "./failure.ts";
import { writeTo } from "./files.ts";
import { note, suggest } from "./output.ts";
import { createProgress } from "./progress.ts";
import { trustFileOf } from "./trust-file.ts";

export const exportLog = command({
  meta: { description: "As officer: take a contract's log away, whole or what a filter finds" },
  examples: [
    "npx postern audit export --contract c-hangzhou-cs -o log.tar --as officer",
    "npx postern audit export --contract c-hangzhou-cs --format root -o gateway.tar --as officer",
    "npx postern audit export --contract c-hangzhou-cs --format csv --effect deny -o refused.csv --as officer",
    "npx postern audit export --contract c-hangzhou-cs --format ocsf -o log.ndjson --resume --as officer",
  ],
  args: {
    ...contractFlag,
    format: {
      type: "enum",
      options: ["bundle", "root", "csv", "ocsf", "cef", "syslog"],
      default: "bundle",
      description:
        "bundle: a tar of the tlog-tiles layout, which proves offline what it says; root: the gateway log for `audit verify --root`",
    },
    profile: { type: "enum", options: ["record_integrity"], description: "With ocsf: version 1.9, each event with its digest" },
    resume: { type: "boolean", description: "Go on with the copy in FILE that was cut" },
    ...filterFlags,
    ...outputFlag,
    ...clientFlags,
  },
  async run({ args }) {
    const { format, output, profile } = args;
    const isBundle = format === "bundle" || format === "root";
    if (output === undefined && process.stdout.isTTY && isBundle)
      throw new Failure("an archive is nothing for a terminal; say -o FILE", exitCodes.usage);
    const client = createClient(args);
    const contract = idOf(args.contract);
    const query = await filterQuery(client, contract, args);
    query.set("format", format);
    if (profile !== undefined) query.set("profile", profile);
    const copy: Copy = { client, path: `/v1/contracts/${contract}/audit/export`, query };
    if (isBundle || output === undefined || output === "-") {
      if (args.resume) throw new Failure("--resume goes on with a copy in a file: say --format and -o FILE", exitCodes.usage);
      await writeTo(output, (await client.stream(`${copy.path}?${query}`)).body ?? new Blob([]).stream());
      if (format === "root") suggest(`npx postern audit verify LOG.tar --root ${output ?? "FILE"} --trust ${trustFileOf(args.contract)}`);
      else if (isBundle) suggest(`npx postern audit verify ${output ?? "FILE"} --trust ${trustFileOf(args.contract)}`);
      else note("a copy on standard output has no manifest; say -o FILE for one");
      return;
    }
    await (args.resume ? resume(copy, output) : begin(copy, output));
    suggest(`npx postern audit manifest ${output} --trust ${trustFileOf(args.contract)}`);
  },
});

interface Copy {
  readonly client: Client;
  readonly path: string;
  readonly query: URLSearchParams;
}

async function begin(copy: Copy, file: string): Promise<void> {
  const answer = await copy.client.stream(`${copy.path}?${copy.query}`);
  const cursor = answer.headers.get("export-cursor") ?? "";
  await fetchManifest(copy, file, cursor, 0);
  await writeFile(file, "");
  await take(copy, file, { answer, cursor, digest: createHash("sha256") });
}

async function resume(copy: Copy, file: string): Promise<void> {
  const { cursor } = await readManifest(file);
  const { size } = await stat(file).catch(() => ({ size: 0 }));
  const held = await fetchManifest(copy, file, cursor, size);
  await truncate(file, held.bytes);
  const digest = createHash("sha256");
  await pipeline(createReadStream(file), async (chunks: AsyncIterable<Buffer>) => {
    for await (const chunk of chunks) digest.update(chunk);
  });
  if (digest.copy().digest("base64") !== held.sha256) throw new Failure(`${file} is not the copy that was begun; export it anew`);
  if (held.next === null) return note(`${file} is whole already: ${held.entries} entries`);
  // The head and whatever else is not an entry comes again where no entry was there.
  if (held.entries === 0) return begin(copy, file);
  const answer = await copy.client.stream(`${copy.path}?${copy.query}&cursor=${held.next}`);
  await take(copy, file, { answer, cursor, digest });
}

/** Writes what comes, then has it signed; what broke off is signed as incomplete. */
async function take(
  copy: Copy,
  file: string,
  { answer, cursor, digest }: { readonly answer: Response; readonly cursor: string; readonly digest: Hash },
): Promise<void> {
  const progress = createProgress();
  let taken = 0;
  const source = Readable.fromWeb((answer.body ?? new Blob([]).stream()) as Parameters<typeof Readable.fromWeb>[0]);
  const watched = async function* (chunks: AsyncIterable<Uint8Array>) {
    for await (const chunk of chunks) {
      digest.update(chunk);
      taken += chunk.length;
      progress.show(taken, null, `${(taken / 1e6).toFixed(1)} MB`);
      yield chunk;
    }
  };
  const broken = await pipeline(source, watched, createWriteStream(file, { flags: "a" })).then(
    () => null,
    (error: unknown) => error,
  );
  progress.end();
  const { size } = await stat(file);
  const manifest = await fetchManifest(copy, file, cursor, size);
  if (broken !== null || !manifest.complete)
    throw new Failure(`the export was cut after ${manifest.entries} entries; the same command with --resume goes on`);
  if (manifest.bytes !== size || manifest.sha256 !== digest.digest("base64"))
    throw new Failure(`${file} is not what the gateway signed; export it anew`);
  note(`${manifest.entries} entries, ${size} bytes; the signed manifest is ${manifestFile(file)}`);
}

async function fetchManifest({ client, path, query }: Copy, file: string, cursor: string, bytes: number): Promise<ExportManifest> {
  const answer = await client.stream(`${path}/manifest?${query}&cursor=${cursor}&bytes=${bytes}`);
  await writeFile(manifestFile(file), await answer.text());
  return readManifest(file);
}
