/**
 * What somebody kept from before, a checkpoint or a promise, held against the export: this finds a tail that was cut off, an old backup, a second history.
 */
import { equalBytes, type VerifySignature } from "../crypto/index.ts";
import { openCheckpoint, peekCheckpoint } from "./checkpoint.ts";
import type { NoteKey } from "./note.ts";
import { type AuditPromise, parsePromise } from "./promise.ts";
import { type HashTree, rootAt } from "./tree.ts";
import type { Findings } from "./verdict.ts";
import type { CheckedEntry } from "./verify-entries.ts";
import { type HeadOpener, isInFlush } from "./verify-flushes.ts";
import { noteReasons } from "./verify-tree.ts";

export interface SeenCheck {
  readonly origin: string;
  readonly tree: HashTree;
  readonly entries: readonly CheckedEntry[];
  readonly logKey: NoteKey | null;
  readonly openHead: HeadOpener;
  readonly verifySignature: VerifySignature;
  readonly findings: Findings;
}

/** `seen`: texts of checkpoint notes, or values of `Audit-Promise` headers, with or without the header's name. */
export async function checkSeen(seen: readonly string[], check: SeenCheck): Promise<void> {
  for (const [i, text] of seen.entries()) {
    const name = `seen ${i + 1}`;
    const promise = parsePromise(text.replace(/^\s*audit-promise\s*:/i, ""));
    if (promise !== null) await checkPromise(name, promise, check);
    else if (peekCheckpoint(text) !== null) await checkCheckpoint(name, text, check);
    else check.findings.add(null, "seen_malformed", `${name}: neither a checkpoint nor a promise`);
  }
}

async function checkCheckpoint(name: string, note: string, { origin, tree, logKey, verifySignature, findings }: SeenCheck): Promise<void> {
  if (logKey === null) return;
  if (peekCheckpoint(note)?.origin !== origin)
    return findings.add(null, "seen_of_another_log", `${name}: the checkpoint is of another log`);
  const opened = await openCheckpoint(note, [logKey], verifySignature);
  if (!opened.ok) return findings.add(null, "seen_signature", `${name}: the checkpoint ${noteReasons[opened.refusal]}`);
  const { size, root } = opened.value;
  if (size > tree.size) return findings.add(tree.size, "seen_missing", `${name}: the log had ${size} entries, the export has ${tree.size}`);
  if (!equalBytes(rootAt(tree, size), root))
    findings.add(null, "seen_differs", `${name}: the log's first ${size} entries were others than the export's`);
}

async function checkPromise(name: string, promise: AuditPromise, { origin, entries, openHead, findings }: SeenCheck): Promise<void> {
  const head = await openHead(promise.jws);
  if (head === null) return findings.add(null, "seen_signature", `${name}: the promise is not signed by a known writer key`);
  if (head.origin !== origin) return findings.add(null, "seen_of_another_log", `${name}: the promise is about another log`);
  const found = entries.find(({ entry }) => entry?.id === promise.id);
  if (found === undefined) return findings.add(null, "seen_missing", `${name}: the promised entry is not in the export`);
  if (!isInFlush(found.leaf, promise.position, promise.path, head))
    findings.add(found.slot.index, "seen_differs", `${name}: the entry is not the promised one`);
}
