/**
 * deploy/Dockerfile without Docker: its instructions, and the tree that its last stage would hold, laid out in a directory.
 * Packages are taken from node_modules, those alone that `npm ci --omit=dev --omit=optional` would install by the lock file.
 */
import { cpSync, mkdirSync, readFileSync, realpathSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import * as z from "zod";
import { plantTree, root } from "./repository.ts";

export interface Instruction {
  /** `COPY` */
  readonly name: string;
  readonly rest: string;
  /** Counted from 0. */
  readonly stage: number;
}

export function readDockerfile(text: string): Instruction[] {
  const lines = text
    .split("\n")
    .filter((line) => !line.startsWith("#"))
    .join("\n")
    .replaceAll(/\\\n\s*/g, "")
    .split("\n")
    .filter((line) => line.trim() !== "");
  let stage = -1;
  return lines.map((line) => {
    const [, name = "", rest = ""] = /^([A-Z]+)\s+(.*)$/.exec(line) ?? [];
    if (name === "") throw new Error(`not an instruction: ${line}`);
    if (name === "FROM") stage++;
    return { name, rest, stage };
  });
}

/** The words of a JSON-form command. */
function commandOf(rest: string): string[] {
  return z.array(z.string()).parse(JSON.parse(rest.slice(rest.indexOf("["))));
}

export interface CopyStep {
  /** A stage's name; absent: the build's context. */
  readonly from?: string;
  readonly sources: readonly string[];
  readonly target: string;
}

export function copyStep({ rest }: Instruction): CopyStep {
  const words = rest.split(/\s+/);
  const from = words[0]?.startsWith("--from=") ? words.shift()?.slice("--from=".length) : undefined;
  return { ...(from === undefined ? {} : { from }), sources: words.slice(0, -1), target: words.at(-1) ?? "" };
}

export interface Image {
  /** Stands for `/app`. */
  readonly directory: string;
  readonly environment: Readonly<Record<string, string>>;
  /** ENTRYPOINT and CMD, with `/app` where the tree lies. */
  readonly entrypoint: readonly string[];
  readonly command: readonly string[];
  readonly healthcheck: readonly string[];
}

/** What the last stage holds. */
export function layOut(instructions: readonly Instruction[]): Image {
  const last = Math.max(...instructions.map(({ stage }) => stage));
  const own = instructions.filter(({ stage }) => stage === last);
  const directory = join(plantTree({}, []), "app");
  const word = (name: string) => own.findLast((instruction) => instruction.name === name)?.rest ?? "";
  for (const instruction of own.filter(({ name }) => name === "COPY")) {
    const { from, sources, target } = copyStep(instruction);
    for (const source of sources) {
      if (from !== undefined) copyPackages(join(directory, target));
      else copyInto(join(directory, target), target.endsWith("/"), source);
    }
  }
  const moved = (words: readonly string[]) => words.map((text) => text.replace(/^\/app\//, `${directory}/`));
  return {
    directory,
    environment: Object.fromEntries(
      own
        .filter(({ name }) => name === "ENV")
        .flatMap(({ rest }) => rest.split(/\s+/).map((pair) => pair.split("=", 2) as [string, string])),
    ),
    entrypoint: moved(commandOf(word("ENTRYPOINT"))),
    command: moved(commandOf(word("CMD"))),
    healthcheck: commandOf(word("HEALTHCHECK")),
  };
}

function copyInto(target: string, isDirectory: boolean, source: string): void {
  mkdirSync(isDirectory ? target : dirname(target), { recursive: true });
  cpSync(join(root, source), isDirectory ? join(target, basename(source)) : target, { recursive: true });
}

const lockFile = z.looseObject({
  packages: z.record(
    z.string(),
    z.looseObject({ dev: z.boolean().optional(), optional: z.boolean().optional(), devOptional: z.boolean().optional() }),
  ),
});

/** Paths of the packages that the image has, as `node_modules/zod`. */
export function packagesOfImage(): string[] {
  const { packages } = lockFile.parse(JSON.parse(readFileSync(join(root, "package-lock.json"), "utf8")));
  const wanted = Object.entries(packages).filter(([path, kind]) => path !== "" && !kind.dev && !kind.optional && !kind.devOptional);
  return wanted.map(([path]) => path);
}

function copyPackages(target: string): void {
  for (const path of packagesOfImage())
    cpSync(realpathSync(join(root, path)), join(target, path.slice("node_modules/".length)), { recursive: true });
}
