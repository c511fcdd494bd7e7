/** The entries of an export, one after another, without judging them: `verify.ts` does. What it holds at a time is one bundle of entries. */
import { createTarDecoder } from "modern-tar";
import { concat } from "../crypto/index.ts";
import type { Entry } from "./entry.ts";
import { readEntry } from "./sequencer.ts";
import { decodeEntries, entriesFolder } from "./tiles.ts";

/** `null` = what lies there is no entry. Throws where the archive is damaged or cut short. */
export async function* readEntries(stream: ReadableStream<Uint8Array>): AsyncIterable<Entry | null> {
  for await (const { header, body } of stream.pipeThrough(createTarDecoder({ strict: true }))) {
    const chunks: Uint8Array[] = [];
    for await (const chunk of body) chunks.push(chunk);
    if (!header.name.startsWith(entriesFolder)) continue;
    for (const bytes of decodeEntries(concat(...chunks)) ?? [new Uint8Array()]) yield readEntry(bytes);
  }
}
