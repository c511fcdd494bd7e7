/**
 * What the writers said of their own entries: each counts them and links them by hash. Their signatures are `verify-flushes.ts`'s.
 */
import { equalBytes, sha256, toBase64, utf8 } from "../crypto/index.ts";
import type { Entry } from "./entry.ts";
import { createKeyTable } from "./key-table.ts";
import type { LeftEdge } from "./left-edge.ts";
import { createHashList, createNumbers } from "./numbers.ts";
import type { Findings } from "./verdict.ts";
import type { CheckedEntry } from "./verify-entries.ts";
import type { EpochCheck } from "./verify-epochs.ts";

/** Bytes of it that are kept. */
const linkBytes = 12;

/** How far one writer has been followed. */
interface WriterState {
  readonly n: number;
  /** What its next entry has to name: see `digestOf`. */
  readonly link: Uint8Array;
  /** Milliseconds since 1970. */
  readonly time: number;
}

export interface WriterCheck {
  /** In the log's order. */
  add(checked: CheckedEntry): void;
  /** A retired writer may be named before its last entry is met. */
  end(): void;
}

/**
 * Follows every writer through the log. At the edge on Workers each request is a writer, so there may be as many as entries: what is held of one, wherever
 * its chain may be taken up again, is about 35 bytes.
 * `edge`: of those that had written before the first place that was kept, the number with which they go on is known, and nothing else.
 */
export function createWriterCheck({ first, carried }: LeftEdge, epochs: Pick<EpochCheck, "isLate">, findings: Findings): WriterCheck {
  const writers = createKeyTable();
  const next = createNumbers(); // n + 1; 0: of this writer nothing was met
  const times = createNumbers();
  const links = createHashList(linkBytes);
  const retired: { readonly index: number; readonly writer: number; readonly n: number }[] = [];
  return {
    add({ slot, leaf, entry }) {
      if (entry === null) return;
      const { number } = writers.numberOf(entry.writer.id);
      const n = next.get(number) - 1;
      const before = n < 0 ? undefined : { n, link: links.get(number), time: times.get(number) };
      const goesOn = before === undefined && entry.writer.n > 0 && carried.get(entry.writer.id) === entry.writer.n;
      // What its writer wrote before it may be among what was lost; so may the end of the writer that it names.
      const isLate = epochs.isLate(entry.log, slot.index);
      if (!goesOn) checkLink(entry, before, { index: slot.index, isLate }, findings);
      next.set(number, entry.writer.n + 1);
      times.set(number, Date.parse(entry.time));
      links.set(number, digestOf(toBase64(leaf)));
      const { after } = entry.writer;
      if (after !== undefined && after.n >= 0 && !isLate)
        retired.push({ index: slot.index, writer: writers.numberOf(after.id).number, n: after.n });
    },
    end() {
      for (const { index, writer, n } of retired) {
        const seen = next.get(writer);
        // Of a writer that is met nowhere any more nothing can be told, where something was pruned.
        if (seen <= n && (seen > 0 || first === 0))
          findings.add(index, "writer_retired", `its writer's predecessor had ${n + 1} entries confirmed; the log holds ${seen}`);
      }
    },
  };
}

/** Of the text by which an entry names the one before it. 96 bits of a hash: no second text with them is found, and the heads hold all of it. */
function digestOf(link: string): Uint8Array {
  return sha256(utf8(link)).subarray(0, linkBytes);
}

function checkLink(
  { writer, time }: Entry,
  before: WriterState | undefined,
  { index, isLate }: { readonly index: number; readonly isLate: boolean },
  findings: Findings,
): void {
  const expected = before === undefined ? 0 : before.n + 1;
  if (writer.n > expected && !isLate)
    findings.add(index, "writer_gap", `its writer's entries ${expected} to ${writer.n - 1} are missing before it`);
  if (writer.n < expected) findings.add(index, "writer_order", `its writer's entry ${expected} was due, this one is ${writer.n}`);
  if ((writer.n === 0) !== (writer.prev === undefined))
    findings.add(index, "writer_chain", "it does not link to its writer's entry before it");
  else if (writer.n === expected && before !== undefined && !equalBytes(digestOf(writer.prev ?? ""), before.link))
    findings.add(index, "writer_chain", "its writer's entry before it is another one");
  if (writer.n > 0 && writer.after !== undefined) findings.add(index, "writer_chain", "only a writer's first entry names a predecessor");
  if (before !== undefined && writer.n === expected && Date.parse(time) < before.time)
    findings.add(index, "entry_time", "it is earlier than its writer's entry before it");
}
