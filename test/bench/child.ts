/** Both ends of the talk between the bench and a server that it started. */
import { type ChildProcess, fork } from "node:child_process";
import type { Profiler } from "node:inspector";
import { Session } from "node:inspector/promises";
import { fileURLToPath } from "node:url";
import { nodeImports } from "../support/repository.ts";
import { shippedFlags, shippedVariables } from "../support/shipped-command.ts";

export interface Usage {
  /** Resident memory now. */
  readonly rssBytes: number;
  /** Microseconds of processor, all threads, since the start. */
  readonly cpuMicros: number;
}

export interface Served {
  readonly port: number;
  usage(): Promise<Usage>;
  /** Begins to profile the thread that answers. What it answers ends that, and has the profile. */
  profile(): Promise<() => Promise<Profiler.Profile>>;
  stop(): Promise<void>;
}

/** In the child: says where it listens, then answers `usage` and obeys `stop`. */
export function serveParent(port: number, stop: () => Promise<void>): void {
  const end = async () => {
    await stop();
    process.exit(0);
  };
  const session = new Session();
  process.on("message", (message) => {
    if (message === "profile") void beginProfile(session).then(() => process.send?.("profiling"));
    if (message === "profiled") void endProfile(session).then((profile) => process.send?.(profile));
    if (message === "usage") {
      const { user, system } = process.cpuUsage();
      process.send?.({ rssBytes: process.memoryUsage.rss(), cpuMicros: user + system } satisfies Usage);
    }
    if (message === "stop") void end();
  });
  process.on("disconnect", () => void end());
  process.send?.({ port });
}

const profileEveryUs = 500;

async function beginProfile(session: Session): Promise<void> {
  session.connect();
  await session.post("Profiler.enable");
  await session.post("Profiler.setSamplingInterval", { interval: profileEveryUs });
  await session.post("Profiler.start");
}

/** Each round has one of its own. */
async function endProfile(session: Session): Promise<Profiler.Profile> {
  const { profile } = await session.post("Profiler.stop");
  session.disconnect();
  return profile;
}

/** Starts `file` of this folder. `nodeFlags`: of the Node that runs it. */
export async function startChild(
  file: string,
  environment: Readonly<Record<string, string>> = {},
  nodeFlags: readonly string[] = [],
): Promise<Served> {
  const child = forkHere(file, environment, nodeFlags);
  const { port } = await answerOf<{ port: number }>(child);
  const ask = <Answer>(word: string): Promise<Answer> => {
    const answer = answerOf<Answer>(child);
    child.send(word);
    return answer;
  };
  return {
    port,
    usage: () => ask<Usage>("usage"),
    async profile() {
      await ask("profile");
      return () => ask<Profiler.Profile>("profiled");
    },
    stop: () => stopChild(child),
  };
}

export function forkHere(
  file: string,
  environment: Readonly<Record<string, string>> = {},
  nodeFlags: readonly string[] = [],
): ChildProcess {
  const path = fileURLToPath(new URL(file, import.meta.url));
  const ours = Object.entries(process.env).filter(([name]) => !name.startsWith("POSTERN_") && !name.startsWith("DATABASE_URL"));
  return fork(path, {
    env: { ...Object.fromEntries(ours), ...shippedVariables, ...environment },
    execArgv: [...shippedFlags, ...nodeImports, ...nodeFlags],
    stdio: ["ignore", "inherit", "inherit", "ipc"],
  });
}

/** The child's next message. Throws where it ends instead. */
export function answerOf<Answer>(child: ChildProcess): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const ended = (code: number | null) => reject(new Error(`${child.spawnfile} ended with ${code}`));
    child.once("exit", ended);
    child.once("message", (message) => {
      child.off("exit", ended);
      resolve(message as Answer);
    });
  });
}

async function stopChild(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const ended = new Promise((resolve) => child.once("exit", resolve));
  child.send("stop");
  await ended;
}
