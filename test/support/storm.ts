/** Processes of a storm: started, killed at random and replaced, their promises collected. */
import { type ChildProcess, spawn } from "node:child_process";
import { fileURLToPath } from "node:url";
import { nodeImports } from "./repository.ts";
import type { StormTask } from "./storm-process.ts";
import { until } from "./until.ts";

const script = fileURLToPath(new URL("storm-process.ts", import.meta.url));
const patienceMs = 60_000;

export class Storm {
  /** What agents would hold: each line that arrived whole. */
  readonly promises: string[] = [];
  #running: { readonly child: ChildProcess; readonly task: StormTask }[] = [];
  #seed: number;

  constructor(seed: number) {
    this.#seed = seed;
  }

  start(task: Omit<StormTask, "seed">): void {
    const seeded = { ...task, seed: this.#seed++ };
    const child = spawn(process.execPath, [...nodeImports, script, JSON.stringify(seeded)], { stdio: ["ignore", "pipe", "inherit"] });
    let rest = "";
    child.stdout.setEncoding("utf8").on("data", (text: string) => {
      const lines = (rest + text).split("\n");
      rest = lines.pop() ?? "";
      this.promises.push(...lines);
    });
    this.#running.push({ child, task: seeded });
  }

  /** Waits for so many more promises. */
  async blow(promises: number): Promise<void> {
    const enough = this.promises.length + promises;
    await until(`${promises} promises`, () => this.promises.length >= enough, patienceMs);
  }

  /** SIGKILL to the `which`-th of its processes, and another in its place. */
  async strike(which: number): Promise<void> {
    const [struck] = this.#running.splice(which % this.#running.length, 1);
    if (struck === undefined) return;
    await kill(struck.child);
    this.start(struck.task);
  }

  /** SIGKILL to all of them. */
  async end(): Promise<void> {
    const running = this.#running;
    this.#running = [];
    await Promise.all(running.map(({ child }) => kill(child)));
  }
}

/** Resolves when it is gone and all that it had said is read. */
async function kill(child: ChildProcess): Promise<void> {
  const gone = new Promise((resolve) => child.once("close", resolve));
  child.kill("SIGKILL");
  await gone;
}
