/** Agents who read one record over and over, each on a connection of its own, and what came of every request: an answer, a closed door, or half an answer. */
import { Agent, get } from "node:http";
import type { Socket } from "node:net";
import { pause, until } from "./until.ts";

export interface Read {
  readonly port: number;
  readonly path: string;
  token(): Promise<string>;
}

export interface Outcome {
  /** `closed`: refused, or the connection ended before any byte of an answer. `cut`: it ended within one. */
  readonly kind: "answered" | "closed" | "cut";
  /** Of an answer; 0 else. */
  readonly status: number;
  /** The problem's code, or the record's body. */
  readonly body: string;
  readonly promise: string | undefined;
  readonly tookMs: number;
}

export interface Readers {
  /** Answers with 200 so far. */
  released(): number;
  /** How many requests came to what so far: `200`, `503`, `closed`, `cut`. */
  tally(): Readonly<Record<string, number>>;
  /** `Audit-Promise` of each 200, if they are kept. */
  readonly promises: readonly string[];
  releasedReaches(count: number, withinMs?: number): Promise<void>;
  /** Lets what is under way end. */
  stop(): Promise<void>;
}

export interface ReadersOptions {
  readonly keepPromises?: boolean;
  /** Before a reader who was not answered asks again. */
  readonly pauseMs?: number;
  /** Before one who was answered does. */
  readonly thinkMs?: number;
}

/** Past it a reader leaves, as where a connection is taken and never answered. */
const patienceMs = 20_000;

/** `count` connections, one request under way on each. */
export function startReaders(read: Read, count: number, { keepPromises = true, pauseMs = 100, thinkMs = 0 }: ReadersOptions = {}): Readers {
  const agent = new Agent({ keepAlive: true, maxSockets: count });
  const promises: string[] = [];
  const tally: Record<string, number> = {};
  let running = true;
  const loops = Array.from({ length: count }, async () => {
    while (running) {
      const { kind, status, promise } = await readOnce(read, agent);
      const name = kind === "answered" ? String(status) : kind;
      tally[name] = (tally[name] ?? 0) + 1;
      if (status === 200 && promise === undefined) throw new Error("a record was given out without a promise");
      if (promise !== undefined && keepPromises) promises.push(promise);
      const restMs = status === 200 ? thinkMs : pauseMs;
      if (restMs > 0) await pause(restMs);
    }
  });
  const released = () => tally[200] ?? 0;
  return {
    released,
    tally: () => ({ ...tally }),
    promises,
    releasedReaches: (reads, withinMs = 30_000) => until(`${reads} answers`, () => released() >= reads, withinMs),
    async stop() {
      running = false;
      await Promise.all(loops);
      agent.destroy();
    },
  };
}

/** `count` requests at once, each on a connection of its own. */
export async function readAtOnce(read: Read, count: number): Promise<Outcome[]> {
  const agent = new Agent({ keepAlive: false, maxSockets: count });
  return Promise.all(Array.from({ length: count }, () => readOnce(read, agent)));
}

async function readOnce({ port, path, token }: Read, agent: Agent): Promise<Outcome> {
  const headers = { authorization: `Bearer ${await token()}` };
  const begun = performance.now();
  return new Promise((resolve) => {
    let socket: Socket | null = null;
    let heardBefore = 0;
    const end = (outcome: Partial<Outcome> & Pick<Outcome, "kind">) =>
      resolve({ status: 0, body: "", promise: undefined, tookMs: performance.now() - begun, ...outcome });
    const request = get({ host: "127.0.0.1", port, path, agent, headers, timeout: patienceMs });
    request.once("timeout", () => request.destroy());
    request.once("socket", (given) => {
      socket = given;
      heardBefore = given.bytesRead;
    });
    request.on("error", () => end({ kind: socket !== null && socket.bytesRead > heardBefore ? "cut" : "closed" }));
    request.once("response", (response) => {
      let body = "";
      response.setEncoding("utf8").on("data", (text: string) => {
        body += text;
      });
      const promise = response.headers["audit-promise"];
      response.once("end", () =>
        end({ kind: "answered", status: response.statusCode ?? 0, body, promise: typeof promise === "string" ? promise : undefined }),
      );
      response.once("error", () => end({ kind: "cut" }));
    });
  });
}
