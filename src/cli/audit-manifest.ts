/** `postern audit manifest`: whether a saved copy is what was signed, and whole. Offline, by anybody who has the trust file. */
import { createHash } from "node:crypto";
import type { ExportManifest } from "../oversight/index.ts";
import { command, jsonFlag } from "./command.ts";
import { exitCodes, Failure } from "./failure.ts";
import { openSource, readText } from "./files.ts";
import { plain, print, printJson } from "./output.ts";
import { readTrustFile } from "./trust-file.ts";

export type { ExportManifest } from "../oversight/index.ts";

export const manifest = command({
  meta: { description: "Hold a saved copy against its signed manifest, offline" },
  examples: ["npx postern audit manifest refused.csv --trust trust.json"],
  args: {
    file: { type: "positional", required: true, valueHint: "FILE", description: "The copy; its manifest is FILE.manifest.jws" },
    trust: { type: "string", required: true, valueHint: "FILE", description: "The trust file of the contract's activation" },
    ...jsonFlag,
  },
  async run({ args }) {
    const [trust, jws] = [await readTrustFile(args.trust), await readText(manifestFile(args.file))];
    const [{ verifyExportManifest }, { verifySignature }] = await Promise.all([
      import("../oversight/index.ts"),
      import("../crypto/index.ts"),
    ]);
    const verdict = await verifyExportManifest(jws, await extentOf(args.file), trust, verifySignature);
    process.exitCode = verdict.ok ? exitCodes.ok : exitCodes.failed;
    if (args.json) return printJson(verdict);
    const said = verdict.manifest;
    if (verdict.ok && said)
      print(`OK, ${said.entries} entries of ${plain(said.origin)} at tree size ${said.tree.size}, ${plain(said.format)}`);
    else print(["NOT OK", ...verdict.problems.map((problem) => `  ${plain(problem)}`)].join("\n"));
  },
});

export function manifestFile(file: string): string {
  return `${file}.manifest.jws`;
}

/** What the manifest beside `file` says, unverified: for whoever received it from the gateway. */
export async function readManifest(file: string): Promise<ExportManifest> {
  const [, payload = ""] = (await readText(manifestFile(file))).split(".");
  const { readExportManifest } = await import("../oversight/index.ts");
  const said = readExportManifest(Buffer.from(payload, "base64url").toString("utf8"));
  if (!said) throw new Failure(`${manifestFile(file)} is not a manifest`, exitCodes.usage);
  return said;
}

async function extentOf(file: string): Promise<{ bytes: number; sha256: string }> {
  const digest = createHash("sha256");
  let bytes = 0;
  for await (const chunk of (await openSource(file)).stream) {
    digest.update(chunk);
    bytes += chunk.length;
  }
  return { bytes, sha256: digest.digest("base64") };
}
