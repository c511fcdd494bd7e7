/**
 * What the writers said of their own entries: each counts them and links them by hash. Their signatures are `verify-flushes.ts`'s.
 */
import { toBase64 } from "../crypto/index.ts";
import type { Entry } from "./entry.ts";
import type { Findings } from "./verdict.ts";
import type { CheckedEntry } from "./verify-entries.ts";

/** How far one writer has been followed. */
interface WriterState {
  readonly n: number;
  readonly leaf: Uint8Array;
  readonly time: string;
}

/** Follows every writer through the log, in the log's order. */
export function checkWriters(entries: readonly CheckedEntry[], findings: Findings): void {
  const writers = new Map<string, WriterState>();
  for (const { slot, leaf, entry } of entries) {
    if (entry === null) continue;
    checkLink(entry, writers.get(entry.writer.id), slot.index, findings);
    writers.set(entry.writer.id, { n: entry.writer.n, leaf, time: entry.time });
  }
  for (const { slot, entry } of entries) {
    const after = entry?.writer.after;
    if (after === undefined || after.n < 0) continue;
    const seen = writers.get(after.id)?.n ?? -1;
    if (seen < after.n)
      findings.add(
        slot.index,
        "writer_retired",
        `its writer's predecessor had ${after.n + 1} entries confirmed; the log holds ${seen + 1}`,
      );
  }
}

function checkLink({ writer, time }: Entry, before: WriterState | undefined, index: number, findings: Findings): void {
  const expected = before === undefined ? 0 : before.n + 1;
  if (writer.n > expected) findings.add(index, "writer_gap", `its writer's entries ${expected} to ${writer.n - 1} are missing before it`);
  if (writer.n < expected) findings.add(index, "writer_order", `its writer's entry ${expected} was due, this one is ${writer.n}`);
  if ((writer.n === 0) !== (writer.prev === undefined))
    findings.add(index, "writer_chain", "it does not link to its writer's entry before it");
  else if (writer.n === expected && before !== undefined && writer.prev !== toBase64(before.leaf))
    findings.add(index, "writer_chain", "its writer's entry before it is another one");
  if (writer.n > 0 && writer.after !== undefined) findings.add(index, "writer_chain", "only a writer's first entry names a predecessor");
  if (before !== undefined && writer.n === expected && time < before.time)
    findings.add(index, "entry_time", "it is earlier than its writer's entry before it");
}
