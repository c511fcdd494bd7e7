/** Asks a process of its own to load a server, so that making requests costs the server nothing. */
import type { ChildProcess } from "node:child_process";
import { answerOf, forkHere } from "./child.ts";

export interface Target {
  readonly port: number;
  /** Drawn uniformly. Request line and further headers; the load adds the credential and the blank line. */
  readonly requests: readonly { readonly head: string; readonly body: string }[];
  /** Connection i uses token i mod their number. Empty: no Authorization header. */
  readonly tokens: readonly string[];
}

export interface Run {
  readonly target: string;
  readonly connections: number;
  readonly seconds: number;
}

export interface Measured {
  readonly rps: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
}

/** What the load's process is told and what it answers. */
export type LoadMessage = { readonly name: string; readonly define: Target } | Run | "stop";
export type LoadAnswer = Measured | { readonly failed: string };

export interface Load {
  run(run: Run): Promise<Measured>;
  stop(): void;
}

export function startLoad(targets: Readonly<Record<string, Target>>): Load {
  const child: ChildProcess = forkHere("load-process.ts");
  const tell = (message: LoadMessage) => child.send(message);
  for (const [name, define] of Object.entries(targets)) tell({ name, define });
  return {
    async run(run) {
      const answer = answerOf<LoadAnswer>(child);
      tell(run);
      const measured = await answer;
      if ("failed" in measured) throw new Error(`${run.target}: ${measured.failed}`);
      return measured;
    },
    stop: () => void tell("stop"),
  };
}
