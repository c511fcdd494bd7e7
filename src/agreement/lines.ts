/** NDJSON lines out of a byte stream, with their numbers, in bounded memory. An empty line is skipped. */
const lineBytesMax = 256 * 1024;

export type Line =
  | { readonly number: number; readonly text: string }
  | { readonly number: number; readonly text: null; readonly reason: "line_too_long" | "not_utf8" };

const newline = 0x0a;

export async function* readLines(stream: ReadableStream<Uint8Array>): AsyncGenerator<Line> {
  const line = new LineBuffer();
  for await (const chunk of chunksOf(stream)) {
    let start = 0;
    for (let end = chunk.indexOf(newline); end !== -1; end = chunk.indexOf(newline, start)) {
      line.add(chunk.subarray(start, end));
      start = end + 1;
      const taken = line.take();
      if (taken) yield taken;
    }
    line.add(chunk.subarray(start));
  }
  const last = line.take();
  if (last) yield last;
}

class LineBuffer {
  #parts: Uint8Array[] = [];
  #length = 0;
  #number = 0;

  /** Past the bound nothing more is kept, only counted. */
  add(part: Uint8Array): void {
    this.#length += part.length;
    if (this.#length <= lineBytesMax) this.#parts.push(part.slice());
    else this.#parts = [];
  }

  take(): Line | null {
    const number = ++this.#number;
    const length = this.#length;
    const bytes = new Uint8Array(length > lineBytesMax ? 0 : length);
    let at = 0;
    for (const part of this.#parts) {
      bytes.set(part, at);
      at += part.length;
    }
    this.#parts = [];
    this.#length = 0;
    if (length > lineBytesMax) return { number, text: null, reason: "line_too_long" };
    try {
      const text = new TextDecoder("utf-8", { fatal: true }).decode(bytes);
      return text.trim() === "" ? null : { number, text };
    } catch {
      return { number, text: null, reason: "not_utf8" };
    }
  }
}

async function* chunksOf(stream: ReadableStream<Uint8Array>): AsyncGenerator<Uint8Array> {
  const reader = stream.getReader();
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return;
      yield value;
    }
  } finally {
    reader.releaseLock();
  }
}
