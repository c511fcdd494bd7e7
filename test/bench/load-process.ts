/**
 * The load: keep-alive connections, one request under way on each, on bare sockets because the load shares its cores with what it measures.
 * Reads of an answer what it needs: status, Content-Length, end. Anything but 200 fails the run.
 */
import { connect, type Socket } from "node:net";
import type { LoadAnswer, LoadMessage, Measured, Run, Target } from "./load.ts";

const blankLine = Buffer.from("\r\n\r\n");
const okLine = Buffer.from("HTTP/1.1 200");
const lengthPattern = /\r\ncontent-length: (\d+)\r\n/i;
const targets = new Map<string, Target>();

process.on("message", (message: LoadMessage) => {
  if (message === "stop") process.exit(0);
  else if ("define" in message) targets.set(message.name, message.define);
  else void load(message).then(tell, (error: unknown) => tell({ failed: String(error) }));
});

function tell(answer: LoadAnswer): void {
  process.send?.(answer);
}

async function load({ target: name, connections, seconds }: Run): Promise<Measured> {
  const target = targets.get(name);
  if (!target) throw new Error("no such target");
  const latencies: number[] = [];
  const start = performance.now();
  const until = start + seconds * 1000;
  await Promise.all(Array.from({ length: connections }, (_, i) => converse(target, i, until, latencies)));
  const elapsed = performance.now() - start;
  const sorted = Float64Array.from(latencies).sort();
  const at = (share: number) => sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0;
  return { rps: (sorted.length * 1000) / elapsed, p50Ms: at(0.5), p99Ms: at(0.99) };
}

/** One connection until the time is over; then it lets the last answer come. */
function converse({ port, requests, tokens }: Target, number: number, until: number, latencies: number[]): Promise<void> {
  const token = tokens[number % Math.max(1, tokens.length)];
  const credential = token === undefined ? "" : `authorization: Bearer ${token}\r\n`;
  return new Promise((resolve, reject) => {
    const socket = connect({ port, host: "127.0.0.1", noDelay: true });
    let asked = 0;
    const ask = () => {
      const { head, body } = requests[Math.floor(Math.random() * requests.length)] ?? { head: "", body: "" };
      asked = performance.now();
      socket.write(`${head}host: 127.0.0.1:${port}\r\n${credential}\r\n${body}`);
    };
    socket.once("connect", ask);
    socket.once("error", reject);
    socket.once("close", () => reject(new Error("the server closed the connection")));
    readAnswers(socket, (fault) => {
      const now = performance.now();
      latencies.push(now - asked);
      if (fault === null && now < until) return ask();
      socket.removeAllListeners("close").destroy();
      if (fault === null) resolve();
      else reject(new Error(fault));
    });
  });
}

/** Calls `done` once per answer: with `null`, or with its first line where it is not what we came for. */
function readAnswers(socket: Socket, done: (fault: string | null) => void): void {
  let begun: Buffer | null = null;
  let missing = 0;
  socket.on("data", (chunk: Buffer) => {
    if (missing > 0) missing -= chunk.length;
    else {
      begun = begun ? Buffer.concat([begun, chunk]) : chunk;
      const headEnd = begun.indexOf(blankLine);
      if (headEnd < 0) return;
      const length = lengthPattern.exec(begun.toString("latin1", 0, headEnd + 2))?.[1];
      if (length === undefined || !begun.subarray(0, okLine.length).equals(okLine)) {
        done(begun.toString("latin1", 0, begun.indexOf("\r\n")));
        return;
      }
      missing = headEnd + blankLine.length + Number(length) - begun.length;
      begun = null;
    }
    if (missing === 0) done(null);
  });
}
