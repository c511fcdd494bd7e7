/**
 * The repository as the tests of its architecture see it: where it lies, which files it has, its tools, and small trees to try them on.
 */
import { spawnSync } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, readdirSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

export const root = fileURLToPath(new URL("../../", import.meta.url));

/** Flags for a Node process that runs a file of the tests: it loads modules as the command line does. */
export const nodeImports: string[] = ["--import", new URL("../../src/node-imports.ts", import.meta.url).href];

/** Paths of the .ts files under `folder`, as `src/kernel/brand.ts`, sorted. */
export function sourceFiles(folder: string): string[] {
  return readdirSync(join(root, folder), { recursive: true, encoding: "utf8" })
    .filter((path) => path.endsWith(".ts"))
    .map((path) => `${folder}/${path.replaceAll("\\", "/")}`)
    .sort();
}

/** A new directory with `files` (path → text), copies of the repository's own `copied`, and its packages. */
export function plantTree(files: Readonly<Record<string, string>>, copied: readonly string[]): string {
  const tree = mkdtempSync(join(tmpdir(), "postern-tree-"));
  symlinkSync(join(root, "node_modules"), join(tree, "node_modules"), "dir");
  for (const path of copied) cpSync(join(root, path), join(tree, path), { recursive: true });
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(tree, path)), { recursive: true });
    writeFileSync(join(tree, path), text);
  }
  return tree;
}

/** Runs a package's command in `directory`. */
export function runTool(tool: string, args: readonly string[], directory: string): { exitCode: number | null; output: string } {
  const run = spawnSync(join(root, "node_modules/.bin", tool), args, { cwd: directory, encoding: "utf8", maxBuffer: 64 * 2 ** 20 });
  return { exitCode: run.status, output: run.stdout + run.stderr };
}
