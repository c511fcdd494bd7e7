/** The bundle for plain workerd, built as docs/DEPLOY.md says, and the workerd binary that serves it under deploy/workerd.capnp. */
import { type ChildProcess, spawn } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import * as z from "zod";
import { plantTree, root, runTool } from "./repository.ts";
import { pause } from "./until.ts";

/** The network of merchants' APIs, in deploy/workerd.capnp. */
export const shopsService = /\(name = "shops", .*\)(?=,\n)/;

/** deploy/ beside dist/workerd/, as in a checkout in which docs/DEPLOY.md was followed. */
export function buildWorkerdTree(shop: number | undefined): string {
  Object.assign(process.env, {
    WRANGLER_SEND_METRICS: "false",
    WRANGLER_WRITE_LOGS: "false",
    WRANGLER_HIDE_BANNER: "true",
    DO_NOT_TRACK: "1",
  });
  const tree = plantTree({}, ["deploy"]);
  const { exitCode, output } = runTool("wrangler", ["deploy", "src/workerd.ts", "--dry-run", "--outdir", join(tree, "dist/workerd")], root);
  if (exitCode !== 0) throw new Error(`the bundle for workerd does not build: ${output}`);
  const config = join(tree, "deploy/workerd.capnp");
  if (shop !== undefined)
    writeFileSync(
      config,
      readFileSync(config, "utf8").replace(shopsService, `(name = "shops", external = (address = "127.0.0.1:${shop}"))`),
    );
  return tree;
}

export interface Serving {
  output(): string;
  stop(): Promise<void>;
}

/** The program itself: the package's command is a wrapper that a signal ends alone. */
const workerd = z.object({ default: z.string() }).parse(createRequire(import.meta.url)("workerd")).default;

/** Answers once it answers. */
export async function serveWorkerd(tree: string, port: number, variables: Readonly<Record<string, string | null>>): Promise<Serving> {
  const env = Object.fromEntries(Object.entries(variables).filter((entry): entry is [string, string] => entry[1] !== null));
  const child = spawn(workerd, ["serve", join(tree, "deploy/workerd.capnp"), `--socket-addr=http=127.0.0.1:${port}`], {
    env: { PATH: process.env.PATH, ...env },
    stdio: ["ignore", "pipe", "pipe"],
  });
  let said = "";
  for (const stream of [child.stdout, child.stderr])
    stream.on("data", (chunk: Buffer) => {
      said += chunk.toString("utf8");
    });
  await listening(child, port, () => said);
  return {
    output: () => said,
    async stop() {
      const ended = new Promise((resolve) => child.once("exit", resolve));
      if (child.exitCode === null && child.kill("SIGTERM")) await ended;
    },
  };
}

async function listening(child: ChildProcess, port: number, said: () => string): Promise<void> {
  const until = Date.now() + 10_000;
  for (;;) {
    const answered = await fetch(`http://127.0.0.1:${port}/healthz`).catch(() => null);
    if (answered) return;
    if (child.exitCode !== null || Date.now() > until) throw new Error(`workerd does not serve: ${said()}`);
    await pause(10);
  }
}
