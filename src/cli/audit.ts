/** `postern audit …`: an officer takes the log away; anybody verifies it, without a gateway. */
import { fileURLToPath } from "node:url";
import { createClient } from "./client.ts";
import { clientFlags, command, contractFlag, idOf, jsonFlag, outputFlag, repeated } from "./command.ts";
import { exitCodes, Failure } from "./failure.ts";
import { openSource, readText, writeTo } from "./files.ts";
import { note, print, printJson, suggest } from "./output.ts";
import { createProgress } from "./progress.ts";
import { readTrustFile } from "./trust-file.ts";

const problemsShown = 20;

const exportLog = command({
  meta: { description: "As officer: take a contract's whole log away" },
  examples: ["npx postern audit export --contract c-hangzhou-cs -o log.tar --as officer"],
  args: {
    ...contractFlag,
    format: { type: "enum", options: ["bundle"], default: "bundle", description: "A tar of the tlog-tiles layout, verifiable offline" },
    ...outputFlag,
    ...clientFlags,
  },
  async run({ args }) {
    if (args.output === undefined && process.stdout.isTTY)
      throw new Failure("an archive is nothing for a terminal; say -o FILE", exitCodes.usage);
    const response = await createClient(args).send("GET", `/v1/contracts/${idOf(args.contract)}/audit/export?format=${args.format}`);
    await writeTo(args.output, response.body ?? new Blob([]).stream());
    suggest(`npx postern audit verify ${args.output ?? "FILE"} --trust trust.json`);
  },
});

const verify = command({
  meta: { description: "Verify an export offline: no gateway, no network" },
  examples: [
    "npx postern audit verify log.tar --trust trust.json",
    "npx postern audit verify log.tar --trust trust.json --seen checkpoint.txt",
  ],
  args: {
    export: { type: "positional", required: true, valueHint: "EXPORT", description: "The archive; - is standard input" },
    trust: { type: "string", valueHint: "FILE", description: "The trust file; without it the keys are not pinned and the exit code is 3" },
    seen: { type: "string", valueHint: "FILE", description: "A checkpoint or Audit-Promise kept from before; may be repeated" },
    ...jsonFlag,
  },
  repeatable: ["seen"],
  async run({ args, rawArgs }) {
    const trust = args.trust === undefined ? null : await readTrustFile(args.trust);
    const seen = await Promise.all(repeated(rawArgs, "seen").map(readText));
    const { stream } = await openSource(args.export);
    const [{ readBundle, verifyExport }, { useHashes, verifySignature }, { nodeHashes }] = await Promise.all([
      import("../audit/index.ts"),
      import("../crypto/index.ts"),
      import("../crypto/node-hash.ts"),
    ]);
    useHashes(nodeHashes);
    const progress = createProgress();
    const onProgress = (entries: number, size: number) => progress.show(entries, size, `${entries} of ${size} entries`);
    const verdict = await verifyExport({ bundle: readBundle(stream), trust, seen, verifySignature, onProgress });
    progress.end();
    process.exitCode = exitCodeOf(verdict);
    if (args.json) printJson(verdict);
    else {
      print(describe(verdict));
      note(`checked: ${verdict.entries} entries, ${verdict.flushes} flush heads, ${verdict.checkpoints} archived checkpoints`);
    }
  },
});

const page = command({
  meta: { description: "The verifier as one HTML page, for a browser without a network" },
  examples: ["npx postern audit page > verify.html"],
  args: { ...outputFlag },
  async run({ args }) {
    const { stream } = await openSource(fileURLToPath(new URL("../verify-page.html", import.meta.url)));
    await writeTo(args.output, stream);
  },
});

type Verdict = import("../audit/index.ts").Verdict;

/** What is no archive at all could not be judged; everything else was. */
function exitCodeOf({ ok, keys, problems }: Verdict): number {
  if (ok) return keys === "pinned" ? exitCodes.ok : exitCodes.notPinned;
  return problems.some(({ code }) => code === "archive_unreadable") ? exitCodes.usage : exitCodes.failed;
}

function describe({ ok, keys, size, root, problems, problemsFound, firstBad }: Verdict): string {
  const what = `${size} entries, root ${root}`;
  if (ok) return keys === "pinned" ? `OK, ${what}` : `consistent, keys not pinned, ${what}`;
  const shown = problems.slice(0, problemsShown);
  return [
    `NOT OK, ${firstBad === null ? "no single entry to blame" : `first bad entry ${firstBad}`}, ${problemsFound} problem${problemsFound === 1 ? "" : "s"}`,
    ...shown.map(({ index, code, reason }) => `  ${index === null ? "log" : `entry ${index}`}: ${code}: ${reason}`),
    ...(problemsFound > shown.length ? [`  and ${problemsFound - shown.length} more`] : []),
  ].join("\n");
}

export const audit = command({
  meta: { description: "Take the log away and verify it" },
  subCommands: { verify, page, export: exportLog },
});
