/** Real `postern` processes in a directory of their own, with nobody's environment but theirs. */
import { type ChildProcess, spawn } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Readable } from "node:stream";
import { text } from "node:stream/consumers";
import { freePort } from "./free-port.ts";
import { root } from "./repository.ts";
import { plantDatabase } from "./snapshot.ts";

export const operatorFile = `issuers: [{ id: demo, built_in: true }]
merchants:
  m-linxi: { owners: [{ issuer: demo, subject: owner-1 }, { issuer: demo, subject: owner-2 }], officers: [{ issuer: demo, subject: officer }] }
vendors: { v-yunfu: { issuers: [demo] } }
`;

export interface Ran {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface CommandLine {
  readonly home: string;
  readonly origin: string;
  /** Runs one command to its end. `words` are parted at spaces. */
  postern(words: string, input?: string, variables?: Readonly<Record<string, string>>): Promise<Ran>;
  /** As `postern`, with how long the processor worked for it. */
  timed(words: string, variables: Readonly<Record<string, string>>): Promise<Ran & { readonly workedMs: number }>;
  /** Resolves once it says where it serves. */
  serve(variables?: Readonly<Record<string, string>>): Promise<ChildProcess>;
  /** Writes a file in `home`. */
  put(name: string, content: string | Uint8Array): void;
  read(name: string): Buffer;
  remove(): void;
}

/** A gateway that should have refused to start must not outlive the test. */
const commandEndsWithinMs = 60_000;

/** Told on a descriptor of its own, so that what a person sees stays as it is. */
const tellsWork = `data:text/javascript,import fs from "node:fs";process.on("exit",()=>{const{user,system}=process.cpuUsage();fs.writeSync(3,String((user+system)/1000))})`;

/** `build`: the repository, or a tree that was planted from it. `migrated`: its embedded database is there before the first start. */
export async function createCommandLine({ build = root, migrated = false } = {}): Promise<CommandLine> {
  const home = mkdtempSync(join(tmpdir(), "postern-cli-"));
  if (migrated) plantDatabase(join(home, "data"));
  const port = await freePort();
  const origin = `http://127.0.0.1:${port}`;
  const cli = join(build, "src/cli.ts");
  const environmentOf = (variables: Readonly<Record<string, string>>) => {
    const { PATH, NODE_COMPILE_CACHE } = process.env;
    return {
      PATH,
      NODE_COMPILE_CACHE,
      NO_COLOR: "1",
      PORT: `${port}`,
      POSTERN_ORIGIN: origin,
      POSTERN_DATA: join(home, "data"),
      ...variables,
    };
  };
  const run = async (words: string, input: string, variables: Readonly<Record<string, string>>) => {
    const child = spawn(process.execPath, ["--import", tellsWork, cli, ...words.split(" ")], {
      cwd: home,
      env: environmentOf(variables),
      stdio: ["pipe", "pipe", "pipe", "pipe"],
      timeout: commandEndsWithinMs,
    });
    const [stdin, stdout, stderr, work] = child.stdio;
    stdin.on("error", () => undefined).end(input);
    const texts = Promise.all([text(stdout), text(stderr), text(work as Readable)]);
    const code = await new Promise<number | null>((resolve) => child.once("close", resolve));
    const [out, err, worked] = await texts;
    return { ran: { code, stdout: out, stderr: err }, workedMs: Number(worked) };
  };
  return {
    home,
    origin,
    postern: async (words, input = "", variables = {}) => (await run(words, input, variables)).ran,
    async timed(words, variables) {
      const { ran, workedMs } = await run(words, "", variables);
      return { ...ran, workedMs };
    },
    async serve(variables = {}) {
      const env = environmentOf(variables);
      const child = spawn(process.execPath, [cli, "serve"], { cwd: home, env, stdio: ["ignore", "pipe", "inherit"] });
      await new Promise<void>((resolve, reject) => {
        child.stdout.once("data", () => resolve());
        child.once("exit", () => reject(new Error("the gateway did not start")));
      });
      return child;
    },
    put: (name, content) => writeFileSync(join(home, name), content),
    read: (name) => readFileSync(join(home, name)),
    remove: () => rmSync(home, { recursive: true, force: true }),
  };
}
