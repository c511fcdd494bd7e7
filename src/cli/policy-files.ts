/** Policy and contract files as commands name them: read, parsed and compiled as the gateway would. */
import { basename } from "node:path";
import type { Bundle, PolicyDocument, Problem } from "../policy/index.ts";
import { readText } from "./files.ts";
import { throwProblems } from "./problems.ts";
import { shippedPolicy } from "./shipped-policies.ts";

export interface NamedFile {
  readonly name: string;
  readonly text: string;
}

async function readFileNamed(path: string): Promise<NamedFile> {
  return { name: basename(path), text: await readText(path) };
}

export async function readPolicyFile(path: string): Promise<PolicyDocument> {
  const { parsePolicy } = await import("../policy/index.ts");
  const parsed = parsePolicy(await readText(path), path);
  return parsed.ok ? parsed.value : throwProblems(parsed.refusal);
}

export interface AgreementFiles {
  readonly contract: NamedFile;
  readonly policy: NamedFile;
}

/** `policy` absent: the shipped one that the contract names. */
export async function readAgreement(paths: { readonly contract: string; readonly policy?: string | undefined }): Promise<AgreementFiles> {
  const contract = await readFileNamed(paths.contract);
  return { contract, policy: paths.policy === undefined ? await shippedPolicy(contract) : await readFileNamed(paths.policy) };
}

export async function compileFiles({ contract, policy }: AgreementFiles): Promise<Bundle> {
  const { compile, parseContract, parsePolicy } = await import("../policy/index.ts");
  const agreed = parseContract(contract.text, contract.name);
  const written = parsePolicy(policy.text, policy.name);
  const problems: Problem[] = [...(agreed.ok ? [] : agreed.refusal), ...(written.ok ? [] : written.refusal)];
  if (!agreed.ok || !written.ok) return throwProblems(problems);
  const compiled = compile(written.value, agreed.value);
  return compiled.ok ? compiled.value : throwProblems(compiled.refusal);
}
