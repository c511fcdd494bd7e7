/** How the command starts Node, read from its first line: what stands for the gateway stands for whatever a test or the bench starts in its place. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { root } from "./repository.ts";

const [firstLine = ""] = readFileSync(join(root, "bin/postern.mjs"), "utf8").split("\n");
const words = firstLine.split(" ");

/** Node's own. */
export const shippedFlags: readonly string[] = words.filter((word) => word.startsWith("--"));

/** Of the C library. */
export const shippedVariables: Readonly<Record<string, string>> = Object.fromEntries(
  words.flatMap((word) => {
    const [, name, value] = /^([A-Z_]+)=(.+)$/.exec(word) ?? [];
    return name === undefined || value === undefined ? [] : [[name, value]];
  }),
);
