/**
 * A checkout of the repository as a new user has it, and terminals in it. Commands run in bash, as they would be pasted.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { chmodSync, rmSync } from "node:fs";
import { join } from "node:path";
import { plantTree } from "./repository.ts";

export interface Ran {
  readonly exitCode: number | null;
  /** Standard output. */
  readonly output: string;
  /** Standard error. */
  readonly errors: string;
}

export interface Terminal {
  /** Standard output so far. */
  output(): string;
  /** Ctrl-C, and what the program answered with. */
  interrupt(): Promise<Ran>;
}

export interface Checkout {
  readonly directory: string;
  run(commands: string): Promise<Ran>;
  /** Leaves a program running once it has printed `until`. Throws with its output where it ends before. */
  open(commands: string, until: string): Promise<Terminal>;
  /** Ends what still runs, and removes the directory. */
  remove(): Promise<void>;
}

/**
 * npx takes most of a second to find the one program that it can find here. The long run uses it throughout,
 * the short one where a test says so, and this in its place for the rest.
 */
const quickNpx = `#!/bin/sh
[ "$1" = postern ] || exit 127
shift
exec node_modules/.bin/node bin/postern.mjs "$@"
`;

const shipped = ["bin", "migrations", "policies", "src", "package.json"];

/** `settings`: what the user has in the environment. */
export function checkOut(
  settings: Readonly<Record<string, string>>,
  { withRealNpx = process.env.POSTERN_TEST_LONG === "1" }: { readonly withRealNpx?: boolean } = {},
): Checkout {
  const directory = plantTree({ "quick/npx": quickNpx, "user.npmrc": "update-notifier=false\n" }, shipped);
  chmodSync(join(directory, "quick/npx"), 0o755);
  const inherited = Object.entries(process.env).filter(([name]) => !/^(POSTERN_|PORT$|HOST$|DATABASE_URL|NODE_ENV$|VITEST)/.test(name));
  const path = withRealNpx ? process.env.PATH : `${join(directory, "quick")}:${process.env.PATH}`;
  // npm's own: a user without settings, and a cache that goes when the checkout goes, since npx puts links to it there.
  const npm = { npm_config_userconfig: join(directory, "user.npmrc"), npm_config_cache: join(directory, ".npm") };
  const env = { ...Object.fromEntries(inherited), ...npm, NO_COLOR: "1", ...settings, PATH: path };
  const running = new Set<ChildProcess>();
  const begin = (commands: string): Begun => {
    // A process group of its own, so that an interrupt reaches everything that a terminal's would.
    const child = spawn("bash", ["-c", commands], { cwd: directory, env, detached: true, stdio: ["ignore", "pipe", "pipe"] });
    running.add(child);
    let [output, errors] = ["", ""];
    child.stdout.setEncoding("utf8").on("data", (text: string) => {
      output += text;
    });
    child.stderr.setEncoding("utf8").on("data", (text: string) => {
      errors += text;
    });
    const ended = new Promise<Ran>((resolve) => {
      child.once("close", (exitCode) => {
        running.delete(child);
        resolve({ exitCode, output, errors });
      });
    });
    return { child, ended, output: () => output };
  };
  return {
    directory,
    run: (commands) => begin(commands).ended,
    async open(commands, until) {
      const { child, ended, output } = begin(commands);
      const printed = new Promise<"printed">((resolve) => {
        const look = () => void (output().includes(until) && resolve("printed"));
        child.stdout?.on("data", look);
      });
      const first = await Promise.race([printed, ended]);
      if (first !== "printed")
        throw new Error(`it ended with ${first.exitCode} before it printed ${JSON.stringify(until)}:\n${first.output}${first.errors}`);
      return {
        output,
        interrupt() {
          signal(child, "SIGINT");
          return ended;
        },
      };
    },
    async remove() {
      const ends = [...running].map((child) => new Promise((resolve) => child.once("close", resolve)));
      for (const child of running) signal(child, "SIGKILL");
      await Promise.all(ends);
      rmSync(directory, { recursive: true, force: true });
    },
  };
}

interface Begun {
  readonly child: ChildProcess;
  readonly ended: Promise<Ran>;
  output(): string;
}

function signal(child: ChildProcess, name: NodeJS.Signals): void {
  if (child.pid !== undefined && child.exitCode === null) process.kill(-child.pid, name);
}
