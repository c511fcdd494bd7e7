/** `postern certificate …`: offline, by anybody who has the trust file. */

import type { CertificateVerdict } from "../purge/index.ts";
import { show } from "./certificate-show.ts";
import { command, jsonFlag } from "./command.ts";
import { exitCodes } from "./failure.ts";
import { readText } from "./files.ts";
import { plain, print, printJson, suggest } from "./output.ts";
import { readTrustFile } from "./trust-file.ts";

const verify = command({
  meta: { description: "Verify a purge's certificate offline" },
  examples: [
    "npx postern certificate verify certificate.jws --trust trust.json",
    "npx postern certificate verify final.jws --first certificate.jws --trust trust.json",
  ],
  args: {
    file: { type: "positional", required: true, valueHint: "FILE", description: "The certificate; - is standard input" },
    trust: { type: "string", required: true, valueHint: "FILE", description: "The trust file of the contract's activation" },
    first: { type: "string", valueHint: "FILE", description: "For a final certificate: the one that it refers to" },
    ...jsonFlag,
  },
  async run({ args }) {
    const [trust, jws] = [await readTrustFile(args.trust), await readText(args.file)];
    const first = args.first === undefined ? null : await readText(args.first);
    const [{ verifyCertificate }, { verifySignature }] = await Promise.all([import("../purge/index.ts"), import("../crypto/index.ts")]);
    const verdict = await verifyCertificate(jws, trust, verifySignature, first);
    process.exitCode = verdict.ok ? exitCodes.ok : exitCodes.failed;
    if (args.json) return printJson(verdict);
    print(describe(verdict));
    if (verdict.ok) suggest(`npx postern certificate show ${args.file} --trust ${args.trust} --pdf certificate.pdf`);
  },
});

function describe({ ok, kind, contract, job, statement, heldAgainstFirst, problems }: CertificateVerdict): string {
  if (!ok) return ["NOT OK", ...problems.map(({ code, reason }) => `  ${code}: ${plain(reason)}`)].join("\n");
  const sentences = Object.values(statement ?? {});
  return [
    `OK, contract ${contract}, purge ${job}${kind === "final" ? ", final certificate" : ""}`,
    ...(["en", "zh-CN"] as const).map((language) => sentences.map((words) => words[language]).join(language === "en" ? " " : "")),
    ...(kind === "final" && !heldAgainstFirst ? ["The first certificate was not given: --first FILE holds this one against it."] : []),
  ].join("\n");
}

export const certificate = command({ meta: { description: "Verify and show certificates" }, subCommands: { verify, show } });
