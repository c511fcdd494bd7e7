/** The trust file that a reader names. */
import type { Trust } from "../audit/index.ts";
import { exitCodes, Failure } from "./failure.ts";
import { readText } from "./files.ts";

/** Throws Failure (2): without its keys nothing can be judged. */
export async function readTrustFile(path: string): Promise<Trust> {
  const { parseTrust } = await import("../audit/index.ts");
  const parsed = parseTrust(await readText(path));
  if (!parsed.ok) throw new Failure(`${path}: ${parsed.refusal}`, exitCodes.usage);
  return parsed.value;
}
