/** Verifies an export as the command does, and prints what it took. Arguments: the archive, the trust file. */
import { createHash } from "node:crypto";
import { createReadStream, readFileSync, statSync } from "node:fs";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { readBundle } from "../../src/audit/bundle.ts";
import { readExport } from "../../src/audit/export-contents.ts";
import { createGrowingTree } from "../../src/audit/growing-tree.ts";
import { openHead } from "../../src/audit/head.ts";
import { leafHash } from "../../src/audit/tree.ts";
import { parseTrust } from "../../src/audit/trust.ts";
import { createFindings } from "../../src/audit/verdict.ts";
import { verifyExport } from "../../src/audit/verify.ts";
import { useHashes, verifySignature } from "../../src/crypto/index.ts";
import { nodeHashes } from "../../src/crypto/node-hash.ts";

const signaturesTimed = 5_000;

const [, , archive = "", trustFile = ""] = process.argv;
const trust = parseTrust(readFileSync(trustFile, "utf8"));
if (!trust.ok) throw new Error(trust.refusal);
const { writers } = trust.value;
useHashes(nodeHashes);

const bundle = () => readBundle(Readable.toWeb(createReadStream(archive)) as ReadableStream<Uint8Array>);
const begun = performance.now();
const verdict = await verifyExport({ bundle: bundle(), trust: trust.value, seen: [], verifySignature });
const seconds = (performance.now() - begun) / 1000;
const rssKilobytes = process.resourceUsage().maxRSS;
if (!verdict.ok) throw new Error(JSON.stringify(verdict.problems[0]));

const { hashSeconds, heads } = await hashAlone();
const signing = performance.now();
for (const head of heads) if ((await openHead(head, writers, verifySignature)) === null) throw new Error("a head does not open");
const signatureSeconds = (performance.now() - signing) / 1000;

const sha256Seconds = await digestAlone();

process.stdout.write(
  JSON.stringify({
    entries: verdict.entries,
    export_mb: Math.round(statSync(archive).size / 2 ** 20),
    hashing_leaves_per_s: Math.round(verdict.entries / hashSeconds),
    signatures: verdict.flushes + verdict.checkpoints + 1,
    signatures_per_s: Math.round(heads.length / signatureSeconds),
    verified_entries_per_s: Math.round(verdict.entries / seconds),
    seconds: Number(seconds.toFixed(1)),
    baseline_seconds: Number(sha256Seconds.toFixed(2)),
    rss_mb: Math.round(rssKilobytes / 1024),
  }),
);

/** What no reader of the file gets by without. */
async function digestAlone(): Promise<number> {
  const begun = performance.now();
  await pipeline(createReadStream(archive), createHash("sha256"));
  return (performance.now() - begun) / 1000;
}

async function hashAlone(): Promise<{ hashSeconds: number; heads: string[] }> {
  const heads: string[] = [];
  const tree = createGrowingTree();
  const reader = readExport(bundle(), createFindings());
  const opening = await reader.opening();
  if (opening === null) throw new Error("the export has no manifest");
  let milliseconds = 0;
  for await (const { slots, heads: lines } of reader.tiles(opening.manifest)) {
    const start = performance.now();
    tree.add(slots.map(({ bytes }) => leafHash(bytes)));
    milliseconds += performance.now() - start;
    for (const { head } of lines) if (head !== null && heads.length < signaturesTimed) heads.push(head);
  }
  return { hashSeconds: milliseconds / 1000, heads };
}
