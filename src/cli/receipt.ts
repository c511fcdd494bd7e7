/** `postern audit receipt …`: what an `Audit-Promise` becomes once the entry is in the log, and whether it holds. */
import { createClient } from "./client.ts";
import { clientFlags, command, contractFlag, idOf, jsonFlag, outputFlag } from "./command.ts";
import { exitCodes, Failure } from "./failure.ts";
import { readText, writeTo } from "./files.ts";
import { plain, print, printJson, suggest } from "./output.ts";
import { readTrustFile, trustFileOf } from "./trust-file.ts";

const fetchOne = command({
  meta: { description: "As officer, owner, or the agent who was promised it: fetch an entry's receipt" },
  examples: [
    "npx postern audit receipt fetch 01993c1e-7a10-7cc2-9f7b-4d2f0e6a1b3c --contract c-hangzhou-cs -o receipt.tlog-proof --as officer",
  ],
  args: {
    entry: { type: "positional", required: true, valueHint: "ENTRY", description: "The entry's id, which the Audit-Promise names" },
    ...contractFlag,
    ...outputFlag,
    ...clientFlags,
  },
  async run({ args }) {
    const client = createClient({ ...args, prefer: "wait=2" });
    const response = await client.send("GET", `/log/${idOf(args.contract)}/receipt/${idOf(args.entry)}`);
    if (response.status === 202) throw new Failure("accepted, and not in the log's tree yet; try again in a moment");
    await writeTo(args.output, response.body ?? new Blob([]).stream());
    suggest(`npx postern audit receipt verify ${args.output ?? "FILE"} --trust ${trustFileOf(args.contract)}`);
  },
});

const verify = command({
  meta: { description: "Verify a receipt offline: no gateway, no network" },
  examples: [
    "npx postern audit receipt verify receipt.tlog-proof --trust trust.json",
    "npx postern audit receipt verify receipt.tlog-proof --trust trust.json --promise promise.txt",
  ],
  args: {
    file: { type: "positional", required: true, valueHint: "FILE", description: "The receipt; - is standard input" },
    trust: { type: "string", required: true, valueHint: "FILE", description: "The trust file of the contract's activation" },
    promise: { type: "string", valueHint: "FILE", description: "The Audit-Promise kept from the answer: is the receipt that one's?" },
    ...jsonFlag,
  },
  async run({ args }) {
    const trust = await readTrustFile(args.trust);
    const [text, kept] = [await readText(args.file), args.promise === undefined ? null : await readText(args.promise)];
    const [{ verifyReceipt }, { verifySignature }] = await Promise.all([import("../audit/index.ts"), import("../crypto/index.ts")]);
    const verdict = await verifyReceipt({ text, trust, kept, verifySignature });
    process.exitCode = verdict.ok ? exitCodes.ok : exitCodes.failed;
    if (args.json) printJson(verdict);
    else print(describe(verdict));
  },
});

function describe({ ok, origin, entry, index, size, promised, problems }: import("../audit/index.ts").ReceiptVerdict): string {
  if (!ok) return ["NOT OK", ...problems.map(({ code, reason }) => `  ${code}: ${plain(reason)}`)].join("\n");
  return `OK, entry ${entry} is number ${index} of ${size} in ${origin}, promised ${promised?.time} by ${promised?.writer}`;
}

export const receipt = command({ meta: { description: "Receipts of single entries" }, subCommands: { verify, fetch: fetchOne } });
