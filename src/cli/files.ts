/** Files that a command line names; `-` is a standard stream. */
import { createReadStream, createWriteStream } from "node:fs";
import { open, readFile } from "node:fs/promises";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { exitCodes, Failure } from "./failure.ts";

export async function readText(path: string): Promise<string> {
  try {
    if (path !== "-") return await readFile(path, "utf8");
    const chunks: Buffer[] = [];
    for await (const chunk of process.stdin) chunks.push(Buffer.from(chunk));
    return Buffer.concat(chunks).toString("utf8");
  } catch (error) {
    throw unusable(path, "read", error);
  }
}

export interface Source {
  readonly stream: ReadableStream<Uint8Array>;
  /** `null` = not known beforehand. */
  readonly bytes: number | null;
}

/** Opens before it answers, so that a missing file is said at once. */
export async function openSource(path: string): Promise<Source> {
  if (path === "-") return { stream: webStream(process.stdin), bytes: null };
  try {
    const file = await open(path);
    const stat = await file.stat();
    if (stat.isDirectory()) throw new Failure(`${path} is a directory`, exitCodes.usage);
    return { stream: webStream(createReadStream(path, { fd: file })), bytes: stat.isFile() ? stat.size : null };
  } catch (error) {
    throw unusable(path, "read", error);
  }
}

/** `path` absent or `-`: standard output. */
export async function writeTo(path: string | undefined, content: ReadableStream<Uint8Array>): Promise<void> {
  const source = Readable.fromWeb(content as Parameters<typeof Readable.fromWeb>[0]);
  try {
    if (path === undefined || path === "-") await pipeline(source, process.stdout, { end: false });
    else await pipeline(source, createWriteStream(path));
  } catch (error) {
    throw unusable(path ?? "-", "written", error);
  }
}

function webStream(stream: Readable): ReadableStream<Uint8Array> {
  return Readable.toWeb(stream) as ReadableStream<Uint8Array>;
}

function unusable(path: string, done: string, error: unknown): Failure {
  if (error instanceof Failure) return error;
  const code = error instanceof Error && "code" in error ? String(error.code) : "fault";
  return new Failure(`${path} cannot be ${done} (${code})`, exitCodes.usage);
}
