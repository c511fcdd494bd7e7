/** The trust file that a reader names. */
import { existsSync } from "node:fs";
import { join } from "node:path";
import type { Trust } from "../audit/index.ts";
import { readSettings } from "../config.ts";
import { exitCodes, Failure } from "./failure.ts";
import { readText } from "./files.ts";

/** Throws Failure (2): without its keys nothing can be judged. */
export async function readTrustFile(path: string): Promise<Trust> {
  const { parseTrust } = await import("../audit/index.ts");
  const parsed = parseTrust(await readText(path));
  if (!parsed.ok) throw new Failure(`${path}: ${parsed.refusal}`, exitCodes.usage);
  return parsed.value;
}

/** Where a suggested command finds a contract's: the one that the demo saved, where there is one; else the name under which it is mostly kept. */
export function trustFileOf(contract: string): string {
  const saved = join(readSettings(process.env).POSTERN_DATA, "trust", `${contract}.json`);
  return existsSync(saved) ? saved : "trust.json";
}
