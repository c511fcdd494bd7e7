/** The operator's file on the disk of a Node process. */
import { readFile } from "node:fs/promises";
import type { Environment } from "./config.ts";
import { ConfigRefused, type OperatorFile, readOperatorFile } from "./operator-settings.ts";

/** Reads the file that `POSTERN_CONFIG` names. Throws ConfigRefused. */
export async function loadOperatorFile(environment: Environment): Promise<OperatorFile> {
  const path = environment.POSTERN_CONFIG;
  const text = await readFile(path, "utf8").catch(() => {
    throw new ConfigRefused(`${path} cannot be read; POSTERN_CONFIG names the operator's file (issuers, merchants, vendors)`);
  });
  return readOperatorFile(text, path, environment.NODE_ENV === "production");
}
