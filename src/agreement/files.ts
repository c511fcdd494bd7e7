/** A contract and its policy as an owner sends them: two YAML files. Nothing is coerced; what is wrong is named by file, line and column. */
import * as z from "zod";
import { ok, type Refusal, type Result } from "../kernel/index.ts";
import { type Bundle, type ContractDocument, compile, parseContract, parsePolicy, refuseFiles } from "../policy/index.ts";

const fileBytesMax = 256 * 1024;
export const filesBytesMax = 3 * fileBytesMax;

/** The names are those that problems are reported under. */
const file = z.strictObject({ name: z.string().min(1).max(200), text: z.string().max(fileBytesMax) });
export const filesSchema = z.strictObject({ contract: file, policy: file });
export type Files = z.infer<typeof filesSchema>;

export interface Compiled {
  readonly agreed: ContractDocument;
  readonly bundle: Bundle;
}

export function compileFiles({ contract, policy }: Files): Result<Compiled, Refusal> {
  const agreed = parseContract(contract.text, contract.name);
  const written = parsePolicy(policy.text, policy.name);
  if (!agreed.ok || !written.ok) {
    return refuseFiles([...(agreed.ok ? [] : agreed.refusal), ...(written.ok ? [] : written.refusal)]);
  }
  const compiled = compile(written.value, agreed.value);
  return compiled.ok ? ok({ agreed: agreed.value, bundle: compiled.value }) : refuseFiles(compiled.refusal);
}
