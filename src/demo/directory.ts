/**
 * The demo's directory, and the marker that says it is the demo's: `DEMO` under POSTERN_DATA. Nothing is removed where the marker is absent.
 * The marker is written before anything else and says `ready` after the last step of the seed, so an interrupted first start is started over.
 */
import { existsSync } from "node:fs";
import { mkdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import * as z from "zod";

const locator = z.string().regex(/^r_[a-z2-7]{26}$/);
const highlightsSchema = z.strictObject({ customer: locator, otherCustomer: locator, endedCustomer: locator });

/** Locators of the customers that the tour names: keyed anew with every world. */
export type Highlights = z.infer<typeof highlightsSchema>;

const markerSchema = z.discriminatedUnion("state", [
  z.strictObject({ format: z.literal("postern-demo/1"), state: z.literal("seeding") }),
  z.strictObject({ format: z.literal("postern-demo/1"), state: z.literal("ready"), highlights: highlightsSchema }),
]);

/** Under POSTERN_DATA: what a fresh world replaces, the marker last. */
const made = ["db", "issuer", "trust", "tampered.json", "keys", "DEMO"];
/** A directory that holds something, and it is not the demo's. */
export class NotTheDemos extends Error {
  constructor(data: string) {
    super(`${data} holds a gateway that the demo did not make; name another directory with POSTERN_DATA`);
    this.name = "NotTheDemos";
  }
}

/** `null` = no finished world there. Throws `NotTheDemos`. */
export async function findWorld(data: string): Promise<Highlights | null> {
  const marker = join(data, "DEMO");
  if (!existsSync(marker)) {
    if (existsSync(join(data, "db")) || existsSync(join(data, "keys"))) throw new NotTheDemos(data);
    return null;
  }
  const parsed = markerSchema.safeParse(readJson(await readFile(marker, "utf8")));
  return parsed.success && parsed.data.state === "ready" ? parsed.data.highlights : null;
}

/** Removes what an earlier world left and claims the directory; `keysMark`: the file by which its keys are known as the demo's. The caller holds the lock of its database. */
export async function clearWorld(data: string, keysMark: string): Promise<void> {
  for (const name of made) await rm(join(data, name), { recursive: true, force: true });
  await mkdir(join(data, "keys"), { recursive: true, mode: 0o700 });
  await mkdir(join(data, "trust"), { recursive: true });
  await writeMarker(data, { format: "postern-demo/1", state: "seeding" });
  await writeFile(join(data, "keys", keysMark), "Made by the demo. Production refuses the keys in this directory.\n");
}

export function finishWorld(data: string, highlights: Highlights): Promise<void> {
  return writeMarker(data, { format: "postern-demo/1", state: "ready", highlights });
}

/** Complete under its name, or not there. */
async function writeMarker(data: string, marker: z.infer<typeof markerSchema>): Promise<void> {
  await writeFile(join(data, "DEMO.new"), `${JSON.stringify(marker)}\n`);
  await rename(join(data, "DEMO.new"), join(data, "DEMO"));
}

function readJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
