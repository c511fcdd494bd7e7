/** The policies that come with Postern, by the names under which contracts ask for them. */
import { readdirSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { exitCodes, Failure } from "./failure.ts";
import { readText } from "./files.ts";
import { throwProblems } from "./problems.ts";

const shippedPolicies = new URL("../../policies/", import.meta.url);

/** The one that `contract` names. */
export async function shippedPolicy(contract: { readonly name: string; readonly text: string }): Promise<{ name: string; text: string }> {
  const { parseContract } = await import("../policy/index.ts");
  const parsed = parseContract(contract.text, contract.name);
  if (!parsed.ok) return throwProblems(parsed.refusal);
  const name = `${parsed.value.policy}.yaml`;
  const shipped = readdirSync(shippedPolicies).filter((file) => file.endsWith(".yaml") && !file.endsWith(".cases.yaml"));
  if (!shipped.includes(name)) {
    throw new Failure(
      `no policy ${parsed.value.policy} comes with Postern (there is ${shipped.join(", ")}); name yours with --policy FILE`,
      exitCodes.usage,
    );
  }
  return { name, text: await readText(fileURLToPath(new URL(name, shippedPolicies))) };
}
