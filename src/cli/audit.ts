/** `postern audit …`: an officer reads the log and takes it away; anybody verifies it, without a gateway. */
import { fileURLToPath } from "node:url";
import { exportLog } from "./audit-export.ts";
import { list, tail } from "./audit-list.ts";
import { manifest } from "./audit-manifest.ts";
import { newEpoch } from "./audit-new-epoch.ts";
import { retention } from "./audit-retention.ts";
import { command, jsonFlag, outputFlag, repeated } from "./command.ts";
import { exitCodes, Failure } from "./failure.ts";
import { openSource, readText, writeTo } from "./files.ts";
import { note, print, printJson } from "./output.ts";
import { createProgress } from "./progress.ts";
import { receipt } from "./receipt.ts";
import { readTrustFile } from "./trust-file.ts";

const problemsShown = 20;

const verify = command({
  meta: { description: "Verify an export offline: no gateway, no network" },
  examples: [
    "npx postern audit verify log.tar --trust trust.json",
    "npx postern audit verify log.tar --trust trust.json --seen checkpoint.txt",
    "npx postern audit verify log.tar --trust trust.json --root gateway.tar",
  ],
  args: {
    export: { type: "positional", required: true, valueHint: "EXPORT", description: "The archive; - is standard input" },
    trust: { type: "string", valueHint: "FILE", description: "The trust file; without it the keys are not pinned and the exit code is 3" },
    seen: { type: "string", valueHint: "FILE", description: "A checkpoint or Audit-Promise kept from before; may be repeated" },
    root: { type: "string", valueHint: "FILE", description: "An export of the gateway log, which names this log's heads (--format root)" },
    ...jsonFlag,
  },
  repeatable: ["seen"],
  async run({ args, rawArgs }) {
    const trust = args.trust === undefined ? null : await readTrustFile(args.trust);
    const seen = await Promise.all(repeated(rawArgs, "seen").map(readText));
    if (args.root !== undefined && trust === null) throw new Failure("--root needs --trust: its key finds this log there", exitCodes.usage);
    const { stream } = await openSource(args.export);
    const rootStream = args.root === undefined ? null : (await openSource(args.root)).stream;
    const [{ readBundle, verifyAgainstRoot, verifyExport }, { portableAead: aead, useHashes, verifySignature }, { nodeHashes }] =
      await Promise.all([import("../audit/index.ts"), import("../crypto/index.ts"), import("../crypto/node-hash.ts")]);
    useHashes(nodeHashes);
    const progress = createProgress();
    const onProgress = (entries: number, size: number) => progress.show(entries, size, `${entries} of ${size} entries`);
    const common = { seen, verifySignature, onProgress };
    const root =
      rootStream !== null && trust !== null
        ? await verifyAgainstRoot({ ...common, contract: readBundle(stream), gateway: readBundle(rootStream), trust, aead })
        : null;
    const verdict = root ?? (await verifyExport({ ...common, bundle: readBundle(stream), trust }));
    progress.end();
    process.exitCode = exitCodeOf(verdict);
    if (args.json) printJson(verdict);
    else {
      print(describe(verdict));
      if (verdict.seenPruned > 0)
        note(`${verdict.seenPruned} of what was kept from before is about what was pruned: not checked; keep a newer checkpoint`);
      for (const { epoch, from, to } of verdict.lost)
        print(`epoch ${epoch} of this log declares entries ${from} to ${to - 1} of the one before lost`);
      if (root !== null) tellRoot(root);
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

function tellRoot({ gateway, named, later }: import("../audit/index.ts").RootVerdict): void {
  print(`root log: ${describe(gateway)}`);
  note(
    `${named} heads of this log are named there${later > 0 ? `, ${later} of them later than the export` : ""}; ${gateway.withheld} entries are withheld`,
  );
}

/** What is no archive at all could not be judged; everything else was. */
function exitCodeOf({ ok, keys, problems }: Verdict): number {
  if (ok) return keys === "pinned" ? exitCodes.ok : exitCodes.notPinned;
  return problems.some(({ code }) => code === "archive_unreadable") ? exitCodes.usage : exitCodes.failed;
}

function describe({ ok, keys, size, root, prunedBefore, problems, problemsFound, firstBad }: Verdict): string {
  const what = `${size} entries${prunedBefore > 0 ? `, pruned before ${prunedBefore}` : ""}, root ${root}`;
  if (ok) return keys === "pinned" ? `OK, ${what}` : `consistent, keys not pinned, ${what}`;
  const shown = problems.slice(0, problemsShown);
  return [
    `NOT OK, ${firstBad === null ? "no single entry to blame" : `first bad entry ${firstBad}`}, ${problemsFound} problem${problemsFound === 1 ? "" : "s"}`,
    ...shown.map(({ index, code, reason }) => `  ${index === null ? "log" : `entry ${index}`}: ${code}: ${reason}`),
    ...(problemsFound > shown.length ? [`  and ${problemsFound - shown.length} more`] : []),
  ].join("\n");
}

export const audit = command({
  meta: { description: "Read the log, take it away, verify it" },
  subCommands: { list, tail, export: exportLog, verify, page, receipt, manifest, retention, "new-epoch": newEpoch },
});
