/** A gateway as an operator runs it: `serve` in a process of its own on an embedded database, commands in theirs, and all that they print. */
import { spawn } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { readEnvironment } from "../../../src/config.ts";
import { readBuiltInIssuer } from "../../../src/node-keys.ts";
import { freePort } from "../free-port.ts";
import type { Door } from "../gateway.ts";
import { root } from "../repository.ts";
import { plantDatabase } from "../snapshot.ts";

export interface Ended {
  readonly code: number | null;
  /** Standard output and standard error. */
  readonly output: string;
}

export interface ServedGateway extends Door {
  /** POSTERN_DATA. */
  readonly data: string;
  /** A file beside the data, for a command to read. Answers its path. */
  writeInput(name: string, text: string): string;
  command(...words: string[]): Promise<Ended>;
  /** SIGTERM; answers what the server printed in its life. */
  stop(): Promise<Ended>;
  remove(): void;
}

const operatorFile = `issuers:   [ { id: demo, built_in: true } ]
merchants:
  m-linxi:
    owners:   [ { issuer: demo, subject: owner-1 }, { issuer: demo, subject: owner-2 } ]
    officers: [ { issuer: demo, subject: officer } ]
vendors:   { v-yunfu: { issuers: [demo] } }
`;

const tokenSeconds = 900;

export async function serveGateway(): Promise<ServedGateway> {
  const home = mkdtempSync(join(tmpdir(), "postern-retail-"));
  const data = join(home, "data");
  plantDatabase(data);
  const port = await freePort();
  const origin = `http://127.0.0.1:${port}`;
  const settings = { POSTERN_DATA: data, POSTERN_CONFIG: join(home, "postern.yaml"), POSTERN_ORIGIN: origin, PORT: String(port) };
  readEnvironment(settings);
  writeFileSync(settings.POSTERN_CONFIG, operatorFile);
  const run = (words: readonly string[]) => startCommand(words, { PATH: process.env.PATH, ...settings });
  const server = run(["serve"]);
  await server.said(origin);
  const issuer = await readBuiltInIssuer(data);
  const tokens = new Map<string, Promise<string>>();
  const token = (subject: string) => {
    const signed = tokens.get(subject) ?? issuer.sign({ subject, audience: origin, ttlSeconds: tokenSeconds, now: Date.now() });
    tokens.set(subject, signed);
    return signed;
  };
  return {
    data,
    async call(method, path, { as, body, headers = {} } = {}) {
      const authorization = as === undefined ? {} : { authorization: `Bearer ${await token(as)}` };
      const content = body === undefined ? {} : { body: typeof body === "string" ? body : JSON.stringify(body) };
      const media = body === undefined || typeof body === "string" ? {} : { "content-type": "application/json" };
      return fetch(`${origin}${path}`, { method, headers: { ...authorization, ...media, ...headers }, ...content });
    },
    writeInput(name, text) {
      writeFileSync(join(home, name), text);
      return join(home, name);
    },
    command: (...words) => run(words).ended,
    stop() {
      server.terminate();
      return server.ended;
    },
    remove: () => rmSync(home, { recursive: true, force: true }),
  };
}

interface Started {
  readonly ended: Promise<Ended>;
  /** Resolves once its output holds `text`. Throws where it ends before. */
  said(text: string): Promise<void>;
  terminate(): void;
}

function startCommand(words: readonly string[], env: NodeJS.ProcessEnv): Started {
  const child = spawn(process.execPath, [join(root, "src/cli.ts"), ...words], { cwd: tmpdir(), env, stdio: ["ignore", "pipe", "pipe"] });
  let output = "";
  let hear = () => {};
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding("utf8").on("data", (text: string) => {
      output += text;
      hear();
    });
  }
  const ended = new Promise<Ended>((resolve, reject) => {
    child.once("error", reject);
    child.once("close", (code) => resolve({ code, output }));
  });
  return {
    ended,
    said: (text) =>
      new Promise((resolve, reject) => {
        hear = () => output.includes(text) && resolve();
        hear();
        ended.then(() => reject(new Error(`${words.join(" ")} ended: ${output}`)), reject);
      }),
    terminate: () => void child.kill("SIGTERM"),
  };
}
