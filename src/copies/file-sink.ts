/**
 * A file on another volume, opened for each batch, so that it can be rotated away at any time. Crash order: append → sync → the position moves. A record
 * that a crash tore is cut off before the next batch, which brings it again.
 */
import { open } from "node:fs/promises";
import type { CopyFormat } from "./copy.ts";
import { type Sink, SinkUnavailable } from "./sink.ts";

/** More than any record has. */
const tailBytes = 1 << 20;
const lineEnd = 10;

export interface FileSettings {
  readonly name: string;
  readonly path: string;
  readonly format: CopyFormat;
}

export function createFileSink({ name, path, format }: FileSettings): Sink {
  return {
    name,
    async deliver(batch) {
      try {
        await append(path, format.head, batch.map((copied) => format.record(copied)).join(""));
      } catch (error) {
        throw new SinkUnavailable(error instanceof Error && "code" in error ? String(error.code) : "cannot be written");
      }
      return [];
    },
  };
}

async function append(path: string, head: string, records: string): Promise<void> {
  const file = await open(path, "a+", 0o600);
  try {
    const { size } = await file.stat();
    const start = Math.max(0, size - tailBytes);
    const tail = Buffer.alloc(size - start);
    await file.read(tail, 0, tail.length, start);
    const whole = start + tail.lastIndexOf(lineEnd) + 1;
    if (whole < size) await file.truncate(whole);
    await file.appendFile(whole === 0 ? head + records : records);
    await file.sync();
  } finally {
    await file.close();
  }
}
