/**
 * Reads `migrations/` from the disk, on Node only.
 */
import { readdirSync, readFileSync } from "node:fs";
import type { Migration } from "./migrate.ts";

const folder = new URL("../../migrations/", import.meta.url);

/** Every `NNNN-name.sql`, in order. */
export function readMigrations(): Migration[] {
  return readdirSync(folder)
    .filter((name) => /^[0-9]{4}-.+\.sql$/.test(name))
    .sort()
    .map((name) => ({ number: Number(name.slice(0, 4)), name, text: readFileSync(new URL(name, folder), "utf8") }));
}
