/** A copy of deploy/, in which deploy/secrets.sh has done its work. */
import { execFileSync } from "node:child_process";
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { plantTree } from "./repository.ts";

export function makeSecrets(): { readonly tree: string; readonly secretFiles: readonly string[] } {
  const tree = plantTree({}, ["deploy"]);
  execFileSync(join(tree, "deploy/secrets.sh"));
  return { tree, secretFiles: readdirSync(join(tree, "deploy/secrets")).sort() };
}
