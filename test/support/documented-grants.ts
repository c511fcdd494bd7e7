/** The policies for a key service as docs/DEPLOY.md gives them, so that what is tested is what an operator copies. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { root } from "./repository.ts";

const page = readFileSync(join(root, "docs/DEPLOY.md"), "utf8");

function hclAfter(heading: string): string {
  const [, text] = page.split(heading)[1]?.match(/```hcl\n(.*?)```/s) ?? [];
  if (text === undefined) throw new Error(`docs/DEPLOY.md has no policy after ${heading}`);
  return text;
}

/** Names this key. */
export function keeperPolicy(key = "postern"): string {
  return hclAfter("A keeper's policy").replaceAll("/postern", `/${key}`);
}

/** Grants these contracts. */
export function edgePolicy(contracts: readonly string[]): string {
  const granted = contracts.map((contract) => JSON.stringify(Buffer.from(contract).toString("base64"))).join(", ");
  return hclAfter("An edge's policy").replace(/("context" *=) \[.*?\]/, `$1 [${granted}]`);
}
