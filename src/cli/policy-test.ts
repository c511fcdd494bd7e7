/** `postern policy test`: the cases beside the policies, without a gateway. */
import { readdir, stat } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { styleText } from "node:util";
import type { CaseDifference, CaseResult, CasesDocument, ContractDocument, PolicyFile } from "../policy/index.ts";
import { command, jsonFlag } from "./command.ts";
import { exitCodes, Failure } from "./failure.ts";
import { readText } from "./files.ts";
import { plain, print, printJson } from "./output.ts";
import { throwProblems } from "./problems.ts";

const suffix = ".cases.yaml";

export const test = command({
  meta: { description: "Run the cases beside policies: what leaves for whom, and nothing else" },
  examples: ["npx postern policy test policies", "npx postern policy test policies/cs-standard.cases.yaml --json"],
  args: {
    files: {
      type: "positional",
      required: true,
      valueHint: "FILE",
      description: `Case files (NAME${suffix} beside NAME.yaml), or folders that hold them`,
    },
    ...jsonFlag,
  },
  variadic: true,
  async run({ args }) {
    const results: CaseResult[] = [];
    for (const named of args._) for (const file of await caseFiles(named)) results.push(...(await runFile(file)));
    const failed = results.filter(({ differences }) => differences.length > 0).length;
    const passed = results.length - failed;
    process.exitCode = failed > 0 ? exitCodes.failed : exitCodes.ok;
    if (args.json) return printJson({ passed, failed, cases: results });
    for (const result of results) print(describe(result));
    print(`${passed} passed, ${failed} failed`);
  },
});

async function caseFiles(named: string): Promise<string[]> {
  const isFolder = (await stat(named).catch(() => null))?.isDirectory() === true;
  if (!isFolder && named.endsWith(suffix)) return [named];
  if (!isFolder)
    throw new Failure(`${plain(named)} is no case file: those are called NAME${suffix} and lie beside NAME.yaml`, exitCodes.usage);
  const files = (await readdir(named)).filter((name) => name.endsWith(suffix)).sort();
  if (files.length === 0) throw new Failure(`${plain(named)} holds no case file (NAME${suffix})`, exitCodes.usage);
  return files.map((name) => join(named, name));
}

/** The policy that a case file lies beside; `undefined` = it is called like none. */
export async function policyBeside(file: string): Promise<PolicyFile | undefined> {
  if (!file.endsWith(suffix)) return undefined;
  const beside = policyOf(file);
  return { file: beside, text: await readText(beside) };
}

async function runFile(file: string): Promise<CaseResult[]> {
  const { parseCases, parsePolicy, runCases } = await import("../policy/index.ts");
  const policyFile = policyOf(file);
  const policy = parsePolicy(await readText(policyFile), policyFile);
  if (!policy.ok) return throwProblems(policy.refusal);
  const cases = parseCases(await readText(file), file, policy.value);
  if (!cases.ok) return throwProblems(cases.refusal);
  const contracts = await contractsOf(cases.value, file);
  const results = runCases(cases.value, policy.value, contracts, basename(policyFile, ".yaml"));
  return results.ok ? results.value : throwProblems(results.refusal);
}

function policyOf(file: string): string {
  return `${file.slice(0, -suffix.length)}.yaml`;
}

async function contractsOf({ contracts }: CasesDocument, file: string): Promise<Record<string, ContractDocument>> {
  const { parseContract } = await import("../policy/index.ts");
  const read: Record<string, ContractDocument> = {};
  for (const [name, contract] of Object.entries(contracts)) {
    if (typeof contract !== "string") {
      read[name] = contract;
      continue;
    }
    const path = join(dirname(file), contract);
    const parsed = parseContract(await readText(path), path);
    read[name] = parsed.ok ? parsed.value : await throwProblems(parsed.refusal);
  }
  return read;
}

function describe({ name, file, line, differences }: CaseResult): string {
  const verdict =
    differences.length === 0
      ? styleText("green", "ok  ", { stream: process.stdout })
      : styleText("red", "FAIL", { stream: process.stdout });
  return [
    `${verdict}  ${file}:${line}  ${plain(name)}`,
    ...differences.map((difference) => `      ${plain(describeDifference(difference))}`),
  ].join("\n");
}

function describeDifference({ path, expected, got, why }: CaseDifference): string {
  return `${path}: expected ${expected}, got ${got}${why === undefined ? "" : ` (${why})`}`;
}
