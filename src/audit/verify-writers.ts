/**
 * What the writers said before anything was numbered: each counts its entries, links them by hash, and signs a head over every flush.
 * This is what a database's owner cannot make up, and what closes the time between acceptance and the tree.
 */
import { equalBytes, fromBase64, toBase64, type VerifySignature } from "../crypto/index.ts";
import type { Entry } from "./entry.ts";
import { type Head, openHead } from "./head.ts";
import type { HeadLine } from "./manifest.ts";
import { hashesFromBytes, rootFromInclusion } from "./tree.ts";
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

/** Opens heads, each distinct one once. */
export type HeadOpener = (jws: string) => Promise<Head | null>;

export function headOpener(writerKeys: ReadonlyMap<string, Uint8Array>, verify: VerifySignature): HeadOpener {
  const opened = new Map<string, Promise<Head | null>>();
  return (jws) => {
    const known = opened.get(jws);
    if (known !== undefined) return known;
    const head = openHead(jws, writerKeys, verify);
    opened.set(jws, head);
    return head;
  };
}

/** Every entry is where a signed flush head says that its writer put it. */
export async function checkHeads(entries: readonly CheckedEntry[], origin: string, open: HeadOpener, findings: Findings): Promise<void> {
  for (const { slot, leaf, entry } of entries) {
    const { index, line } = slot;
    if (line === null || line.head === null) {
      if (slot.bytes.length > 0) findings.add(index, "head_missing", "it has no flush head");
      continue;
    }
    const head = await open(line.head);
    if (head === null) {
      findings.add(index, "head_signature", "its flush head is not signed by a known writer key");
      continue;
    }
    if (head.origin !== origin) findings.add(index, "head_mismatch", "its flush head is of another log");
    if (entry !== null && head.writer !== entry.writer.id) findings.add(index, "head_mismatch", "its flush head is of another writer");
    if (entry !== null && head.n + (line.position ?? -1) !== entry.writer.n)
      findings.add(index, "head_mismatch", "its position in the flush is not its writer's count");
    if (!leadsToHead(leaf, line, head)) findings.add(index, "head_mismatch", "its path does not lead to its flush head");
  }
}

function leadsToHead(leaf: Uint8Array, { position, path }: HeadLine, head: Head): boolean {
  return position !== null && path !== null && isInFlush(leaf, position, fromBase64(path), head);
}

/** Whether `path` leads from the leaf at `position` to the head's root. */
export function isInFlush(leaf: Uint8Array, position: number, path: Uint8Array, head: Head): boolean {
  const hashes = hashesFromBytes(path);
  const root = hashes === null ? null : rootFromInclusion(leaf, position, head.size, hashes);
  return root !== null && equalBytes(root, head.root);
}
