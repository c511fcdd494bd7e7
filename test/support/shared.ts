/**
 * Other people's data to test against lies beside the repository; tests that need it skip where it is absent.
 */
import { existsSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

const root = new URL("../../../shared/", import.meta.url);

export function sharedPath(path: string): string {
  return fileURLToPath(new URL(path, root));
}

export function hasShared(path: string): boolean {
  return existsSync(sharedPath(path));
}

export function readShared(path: string): string {
  return readFileSync(sharedPath(path), "utf8");
}
