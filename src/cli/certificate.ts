/** `postern certificate verify`: offline, by anybody who has the trust file. */
import { command, jsonFlag } from "./command.ts";
import { exitCodes } from "./failure.ts";
import { readText } from "./files.ts";
import { plain, print, printJson } from "./output.ts";
import { readTrustFile } from "./trust-file.ts";

const verify = command({
  meta: { description: "Verify a purge's certificate offline" },
  examples: ["npx postern certificate verify certificate.jws --trust trust.json"],
  args: {
    file: { type: "positional", required: true, valueHint: "FILE", description: "The certificate; - is standard input" },
    trust: { type: "string", required: true, valueHint: "FILE", description: "The trust file of the contract's activation" },
    ...jsonFlag,
  },
  async run({ args }) {
    const [trust, jws] = [await readTrustFile(args.trust), await readText(args.file)];
    const [{ verifyCertificate }, { verifySignature }] = await Promise.all([import("../purge/index.ts"), import("../crypto/index.ts")]);
    const verdict = await verifyCertificate(jws, trust, verifySignature);
    process.exitCode = verdict.ok ? exitCodes.ok : exitCodes.failed;
    if (args.json) return printJson(verdict);
    const { ok, contract, job, statement, problems } = verdict;
    if (ok) print(`OK, contract ${contract}, purge ${job}\n${statement?.en}\n${statement?.["zh-CN"]}`);
    else print(["NOT OK", ...problems.map((problem) => `  ${plain(problem)}`)].join("\n"));
  },
});

export const certificate = command({ meta: { description: "Verify certificates" }, subCommands: { verify } });
